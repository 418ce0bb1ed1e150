using System.Globalization;
using System.Text.RegularExpressions;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>One thing that can be said about a stack: as an option on the command line, or as a key of the file of <c>--from</c>.</summary>
/// <param name="Option">On the command line.</param>
/// <param name="Set">The options with this said; the text is known to be good.</param>
internal sealed partial record StackWord(OptionSpec Option, Func<StackOptions, string, StackOptions> Set)
{
    /// <summary>In the file: the option's name without dashes before it, with underscores.</summary>
    internal string Key => Option.Name[2..].Replace('-', '_');

    internal static readonly StackWord Name = new(
        new("--name", "NAME", "the stack's name; default: fumidai", OptionGroup.Stack, Matching(StackName(), "must be a letter, then letters, digits and hyphens, 100 at most")),
        (o, text) => o with { Name = text });

    internal static readonly StackWord Pattern = new(
        new("--pattern", "WHICH", "private (default; Session Manager), public (SSH from your address), both, or eice (Instance Connect)", OptionGroup.Stack, Reads(StackOptions.ParsePattern, "must be private, public, both or eice")),
        (o, text) => o with { Pattern = StackOptions.ParsePattern(text) });

    internal static readonly StackWord Vpc = new(
        new("--vpc", "ID", "new (default), or an existing VPC: vpc-…", OptionGroup.Stack, Matching(VpcId(), "must be new or a VPC's id (vpc-…)")),
        (o, text) => o with { Vpc = text == "new" ? null : text });

    internal static readonly StackWord Subnets = new(
        new("--subnets", "IDS", "subnets of that VPC to use, with commas; default: those that fit", OptionGroup.Stack, Matching(SubnetIds(), "must be subnets' ids (subnet-…) with commas")),
        (o, text) => o with { Subnets = text.Split(',') });

    internal static readonly StackWord Cluster = new(
        new("--cluster", "ID", "new (default), or an existing cluster to lead to", OptionGroup.Stack, Matching(ClusterId(), "must be new or a cluster's identifier")),
        (o, text) => o with { Cluster = text == "new" ? null : text.ToLowerInvariant() });

    internal static readonly StackWord Secret = new(
        new("--secret", "ID", "secret with the sign-in to an existing cluster that has none of its own", OptionGroup.Stack, NotEmpty),
        (o, text) => o with { ClusterSecret = text });

    internal static readonly StackWord Endpoints = new(
        new("--endpoints", "WHICH", "the private bastion's way out: ssm,ssmmessages (default; also ec2messages, s3), nat, or none", OptionGroup.Stack,
            Reads(EndpointChoice.Parse, "must be nat, none, or some of ssm,ssmmessages,ec2messages,s3")),
        (o, text) => o with { Endpoints = EndpointChoice.Parse(text) });

    internal static readonly StackWord EndpointZones = new(
        new("--endpoint-zones", "N", "zones in which each endpoint stands and is billed: 1 (default) or 2", OptionGroup.Stack, Matching(OneOrTwo(), "must be 1 or 2")),
        (o, text) => o with { EndpointZones = text[0] - '0' });

    internal static readonly StackWord Cidr = new(
        new("--cidr", "RANGE", "range of a new VPC; default: 10.86.0.0/16, or the next one that is free", OptionGroup.Stack, NotEmpty),
        (o, text) => o with { Cidr = text });

    internal static readonly StackWord MinAcu = new(
        new("--min-acu", "N", "least capacity of a new cluster; default 0, at which it pauses", OptionGroup.Stack, Matching(Capacity(), "must be a capacity: 0 to 256 in steps of 0.5")),
        (o, text) => o with { MinAcu = decimal.Parse(text, CultureInfo.InvariantCulture) });

    internal static readonly StackWord MaxAcu = new(
        new("--max-acu", "N", "most capacity of a new cluster; default 2", OptionGroup.Stack, Matching(Capacity(), "must be a capacity: 1 to 256 in steps of 0.5")),
        (o, text) => o with { MaxAcu = decimal.Parse(text, CultureInfo.InvariantCulture) });

    internal static readonly StackWord EngineVersion = new(
        new("--engine-version", "V", "Aurora PostgreSQL version of a new cluster; default 17", OptionGroup.Stack, Matching(Version(), "must be a version such as 17 or 17.4")),
        (o, text) => o with { EngineVersion = text });

    internal static readonly StackWord Database = new(
        new("--database", "NAME", "first database of a new cluster; default app", OptionGroup.Stack, Matching(DatabaseName(), "must be a letter, then letters, digits and underscores, 63 at most")),
        (o, text) => o with { DatabaseName = text });

    internal static readonly StackWord DeletionProtection = new(
        new("--deletion-protection", "on|off", "whether the new cluster refuses to be deleted; default off", OptionGroup.Stack, Matching(OnOrOff(), "must be on or off")),
        (o, text) => o with { DeletionProtection = text == "on" });

    internal static readonly StackWord FinalSnapshot = new(
        new("--final-snapshot", "on|off", "whether taking the stack down leaves a snapshot of its cluster; default on", OptionGroup.Stack, Matching(OnOrOff(), "must be on or off")),
        (o, text) => o with { SnapshotOnDelete = text == "on" });

    internal static readonly StackWord IdleStop = new(
        new("--idle-stop", "TIME", "the private bastion stops after so long without a session: 30m (default), 2h …, or never", OptionGroup.Stack,
            Reads(StackOptions.ParseIdleStop, "must be minutes or hours such as 30m or 2h, or never")),
        (o, text) => o with { IdleStop = StackOptions.ParseIdleStop(text) });

    internal static readonly StackWord BastionType = new(
        new("--bastion-type", "TYPE", "arm64 instance type of the bastions; default t4g.nano", OptionGroup.Stack, Matching(InstanceType(), "must be an instance type such as t4g.micro")),
        (o, text) => o with { BastionType = text });

    internal static readonly StackWord Tag = new(
        new("--tag", "KEY=VALUE", "a tag of your own for everything that is built; may be repeated", OptionGroup.Stack, Matching(KeyAndValue(), "must be KEY=VALUE")) { Repeats = true },
        (o, text) => o with { Tags = TagsOf(text) });

    /// <summary>All of them, as help shows them.</summary>
    internal static readonly StackWord[] All =
    [
        Name, Pattern, Vpc, Subnets, Cluster, Secret, Endpoints, EndpointZones, Cidr, MinAcu, MaxAcu, EngineVersion, Database, DeletionProtection, FinalSnapshot, IdleStop, BastionType, Tag,
    ];

    /// <summary>What a good value is, for one that is not; null: it is good.</summary>
    internal string? Wrong(string text) => Option.Wrong!(text);

    private static Dictionary<string, string> TagsOf(string lines)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines.Split('\n'))
        {
            var at = line.IndexOf('=', StringComparison.Ordinal);
            if (!tags.TryAdd(line[..at], line[(at + 1)..]))
                throw new FumidaiException(Reason.Usage, $"--tag names {Visible.Quote(line[..at])} twice", next: "Give each key once");
        }
        return tags;
    }

    private static string? NotEmpty(string text) => text.Length == 0 ? "must not be empty" : text.Any(char.IsControl) ? "must not hold control characters" : null;

    private static Func<string, string?> Matching(Regex good, string otherwise) => text => good.IsMatch(text) ? null : otherwise;

    private static Func<string, string?> Reads<T>(Func<string, T> read, string otherwise) => text =>
    {
        try
        {
            _ = read(text);
            return null;
        }
        catch (StackFailure)
        {
            return otherwise;
        }
    };

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9-]{0,99}\z")]
    private static partial Regex StackName();

    [GeneratedRegex(@"^(new|vpc-[0-9a-f]{8,17})\z")]
    private static partial Regex VpcId();

    [GeneratedRegex(@"^subnet-[0-9a-f]{8,17}(,subnet-[0-9a-f]{8,17}){0,15}\z")]
    private static partial Regex SubnetIds();

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9-]{0,62}\z")]
    private static partial Regex ClusterId();

    [GeneratedRegex(@"^[12]\z")]
    private static partial Regex OneOrTwo();

    [GeneratedRegex(@"^[0-9]{1,3}(\.[05])?\z")]
    private static partial Regex Capacity();

    [GeneratedRegex(@"^[1-9][0-9](\.[0-9]{1,2}){0,2}\z")]
    private static partial Regex Version();

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_]{0,62}\z")]
    private static partial Regex DatabaseName();

    [GeneratedRegex(@"^(on|off)\z")]
    private static partial Regex OnOrOff();

    [GeneratedRegex(@"^[a-z0-9-]{2,12}\.[a-z0-9-]{2,12}\z")]
    private static partial Regex InstanceType();

    [GeneratedRegex(@"^[^=\p{C}]+=\P{C}*\z")]
    private static partial Regex KeyAndValue();
}
