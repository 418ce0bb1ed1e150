using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Fumidai.Stacks;

/// <summary>What can be said against options without asking AWS. Limits: aws-facts §0, §1.y; CloudFormation's and EC2's own rules for names, tags and ranges.</summary>
internal static partial class OptionChecks
{
    private const int MostTags = 40;

    public static StackFailure? FirstProblem(StackOptions o) => Name(o) ?? Network(o) ?? Endpoints(o) ?? Capacity(o) ?? Database(o) ?? Bastion(o) ?? Tags(o);

    private static StackFailure? Name(StackOptions o) =>
        StackName().IsMatch(o.Name) ? null : StackFailure.Usage($"--name {o.Name} cannot be a stack's name", "A letter, then letters, digits and hyphens, 100 at most");

    private static StackFailure? Network(StackOptions o)
    {
        if (o.Vpc is not null && !VpcId().IsMatch(o.Vpc))
            return StackFailure.Usage($"--vpc {o.Vpc} is not a VPC's id", "Give new, or an id such as vpc-0123456789abcdef0");
        if (o.Subnets.FirstOrDefault(s => !SubnetId().IsMatch(s)) is { } wrong)
            return StackFailure.Usage($"--subnets: {wrong} is not a subnet's id", "Give ids such as subnet-0123456789abcdef0");
        if (o.Subnets.Count > 0 && o.BuildsVpc)
            return StackFailure.Usage("--subnets belong to an existing VPC", "Add --vpc vpc-…");
        if (o.Subnets.Distinct(StringComparer.Ordinal).Count() < o.Subnets.Count)
            return StackFailure.Usage("--subnets names a subnet twice");
        if (o.Cidr is null)
            return null;
        if (!o.BuildsVpc)
            return StackFailure.Usage("--cidr is the range of a new VPC, and this one exists already");
        return Ipv4Block.TryParse(o.Cidr, out var block) && block.Prefix is >= 16 and <= 24 && block.IsUsable ? null
            : StackFailure.Usage($"--cidr {o.Cidr} cannot be a VPC's range", "Give a private range of /16 to /24 without host bits, such as 10.86.0.0/16");
    }

    private static StackFailure? Endpoints(StackOptions o)
    {
        if (o.EndpointZones is not (1 or 2))
            return StackFailure.Usage($"endpoints stand in 1 or 2 zones, not {o.EndpointZones}");
        if (o.Endpoints is null)
            return null;
        if (!o.HasPrivateBastion && !o.Endpoints.IsNone)
            return StackFailure.Usage($"--endpoints {o.Endpoints} serves a private bastion, and --pattern public has none", "Leave --endpoints out, or use --pattern both");
        if (o.Endpoints.IsNat && !o.BuildsVpc)
            return StackFailure.Usage("--endpoints nat builds a NAT gateway in a new VPC only", "In a VPC that has one already, use --endpoints none");
        if (o.BuildsVpc && o.Endpoints.Services.Count > 0 && !(o.Endpoints.Services.Contains("ssm") && o.Endpoints.Services.Contains("ssmmessages")))
            return StackFailure.Usage($"--endpoints {o.Endpoints} is not enough for Session Manager", "It needs ssm and ssmmessages");
        return null;
    }

    private static StackFailure? Capacity(StackOptions o)
    {
        if (!IsCapacity(o.MinAcu, 0))
            return StackFailure.Usage($"--min-acu {Text(o.MinAcu)} is not a capacity", "0 to 256 in steps of 0.5; 0 lets the cluster pause");
        if (!IsCapacity(o.MaxAcu, 1))
            return StackFailure.Usage($"--max-acu {Text(o.MaxAcu)} is not a capacity", "1 to 256 in steps of 0.5");
        if (o.MinAcu > o.MaxAcu)
            return StackFailure.Usage($"--min-acu {Text(o.MinAcu)} is more than --max-acu {Text(o.MaxAcu)}");
        return o.AutoPauseAfter >= TimeSpan.FromSeconds(300) && o.AutoPauseAfter <= TimeSpan.FromSeconds(86_400) && o.AutoPauseAfter.Ticks % TimeSpan.TicksPerSecond == 0 ? null
            : StackFailure.Usage("the time before a pause is 5 minutes to 24 hours");
    }

    private static StackFailure? Database(StackOptions o)
    {
        if (!Version().IsMatch(o.EngineVersion))
            return StackFailure.Usage($"--engine-version {o.EngineVersion} is not an Aurora PostgreSQL version", "Give a major version such as 17, or an exact one such as 17.4");
        return DatabaseName().IsMatch(o.DatabaseName) ? null
            : StackFailure.Usage($"{o.DatabaseName} cannot be the first database's name", "A letter, then letters, digits and underscores, 63 at most");
    }

    private static StackFailure? Bastion(StackOptions o)
    {
        if (o.IdleStop is { } idle && (idle < TimeSpan.FromMinutes(5) || idle > TimeSpan.FromDays(1) || idle.Ticks % TimeSpan.TicksPerMinute != 0))
            return StackFailure.Usage("--idle-stop is 5 minutes to 24 hours, in whole minutes", "Or never");
        if (!InstanceType().IsMatch(o.BastionType))
            return StackFailure.Usage($"{o.BastionType} is not an arm64 instance type", "The image is arm64: t4g.nano, t4g.micro …");
        if (!o.HasPublicBastion)
            return null;
        if (o.MyAddress is null)
            return StackFailure.Usage("a public bastion admits one address, and none is given");
        return o.MyAddress.AddressFamily == AddressFamily.InterNetwork && !o.MyAddress.Equals(IPAddress.Any) ? null
            : StackFailure.Usage($"a public bastion admits an IPv4 address, not {o.MyAddress}", "Over IPv6, use --pattern private");
    }

    private static StackFailure? Tags(StackOptions o)
    {
        if (o.Tags.Count > MostTags)
            return StackFailure.Usage($"{o.Tags.Count} tags are too many", $"{MostTags} at most");
        foreach (var (key, value) in o.Tags)
        {
            if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase) || key.StartsWith("fumidai:", StringComparison.OrdinalIgnoreCase) || key == "Name")
                return StackFailure.Usage($"--tag {key} is not yours to set", "Keys that begin with aws: or fumidai:, and Name, are taken");
            if (key.Length is 0 or > 128 || value.Length > 256 || !TagText().IsMatch(key) || !TagText().IsMatch(value))
                return StackFailure.Usage($"--tag {key} is no tag", "Letters, digits, spaces and _ . : / = + - @; a key up to 128 characters, a value up to 256");
        }
        return null;
    }

    internal static string Text(decimal number) => number.ToString("0.##", CultureInfo.InvariantCulture);

    private static bool IsCapacity(decimal acu, decimal least) => acu >= least && acu <= 256 && acu % 0.5m == 0;

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9-]{0,99}\z")]
    private static partial Regex StackName();

    [GeneratedRegex(@"^vpc-[0-9a-f]{8,17}\z")]
    private static partial Regex VpcId();

    [GeneratedRegex(@"^subnet-[0-9a-f]{8,17}\z")]
    private static partial Regex SubnetId();

    [GeneratedRegex(@"^[1-9][0-9](\.[0-9]{1,2}){0,2}\z")]
    private static partial Regex Version();

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_]{0,62}\z")]
    private static partial Regex DatabaseName();

    // The families with a processor of AWS's own: a letter or two, a generation, then a g.
    [GeneratedRegex(@"^[a-z]{1,3}[0-9]g[a-z]{0,2}\.[a-z0-9]{4,12}\z")]
    private static partial Regex InstanceType();

    [GeneratedRegex(@"^[\p{L}\p{N}\p{Zs}_.:/=+\-@]*\z")]
    private static partial Regex TagText();
}
