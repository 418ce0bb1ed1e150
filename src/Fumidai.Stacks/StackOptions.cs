using System.Net;

namespace Fumidai.Stacks;

/// <summary>What the user asks of <c>fumidai up</c>. <see cref="Checked"/> tells the first thing wrong with it; nothing here asks AWS.</summary>
public sealed record StackOptions
{
    /// <summary>Stack's name: a letter, then letters, digits and hyphens, 100 at most.</summary>
    public string Name { get; init; } = "fumidai";
    /// <summary>Which bastions.</summary>
    public StackPattern Pattern { get; init; } = StackPattern.Private;
    /// <summary>An existing VPC (<c>vpc-…</c>); null: a new one, or that of <see cref="Cluster"/>.</summary>
    public string? Vpc { get; init; }
    /// <summary>Subnets of that VPC to use; none: chosen among all of its subnets.</summary>
    public IReadOnlyList<string> Subnets { get; init; } = [];
    /// <summary>Identifier of an existing cluster to attach to; null: a new one.</summary>
    public string? Cluster { get; init; }
    /// <summary>Where the sign-in to an attached cluster without a managed secret comes from (an ARN, or any words); null: it must have one.</summary>
    public string? ClusterSecret { get; init; }
    /// <summary>The private bastion's way out; null: <see cref="EndpointChoice.Default"/> where a private bastion is reached through Session Manager, else none.</summary>
    public EndpointChoice? Endpoints { get; init; }
    /// <summary>Zones each interface endpoint stands in, and is billed for: 1 or 2.</summary>
    public int EndpointZones { get; init; } = 1;
    /// <summary>Least capacity in ACU: 0 (pauses) to 256, steps of 0.5.</summary>
    public decimal MinAcu { get; init; }
    /// <summary>Most capacity in ACU: 1 to 256, steps of 0.5.</summary>
    public decimal MaxAcu { get; init; } = 2;
    /// <summary>How long without a connection before a cluster with <see cref="MinAcu"/> 0 pauses: 5 minutes to a day, whole seconds.</summary>
    public TimeSpan AutoPauseAfter { get; init; } = TimeSpan.FromMinutes(5);
    /// <summary>Aurora PostgreSQL version: a major one (<c>17</c>), or an exact one.</summary>
    public string EngineVersion { get; init; } = "17";
    /// <summary>First database of a new cluster.</summary>
    public string DatabaseName { get; init; } = "app";
    /// <summary>The private bastion stops itself after this long without a session: 5 minutes to a day, whole minutes; null: never.</summary>
    public TimeSpan? IdleStop { get; init; } = TimeSpan.FromMinutes(30);
    /// <summary>arm64 instance type of the bastions.</summary>
    public string BastionType { get; init; } = "t4g.nano";
    /// <summary>Address range of a new VPC, /16 to /24; null: the first of 10.86.0.0/16, 10.87.0.0/16 … that no VPC of the region has.</summary>
    public string? Cidr { get; init; }
    /// <summary>The one address that may use SSH; needed for a public bastion.</summary>
    public IPAddress? MyAddress { get; init; }
    /// <summary>Whether the new cluster refuses to be deleted.</summary>
    public bool DeletionProtection { get; init; }
    /// <summary>Whether deleting the stack leaves a snapshot of the new cluster.</summary>
    public bool SnapshotOnDelete { get; init; } = true;
    /// <summary>The user's own tags, for the stack and everything in it; 40 at most.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();
    /// <summary>Whether an update takes the newest image, which replaces the bastions.</summary>
    public bool RenewImage { get; init; }

    /// <summary>The way out that holds: as said, or the default of the pattern.</summary>
    public EndpointChoice EffectiveEndpoints => Endpoints ?? (HasPrivateBastion && !HasConnectEndpoint ? EndpointChoice.Default : EndpointChoice.None);
    /// <summary>Whether the pattern has a private bastion.</summary>
    public bool HasPrivateBastion => Pattern is StackPattern.Private or StackPattern.Both or StackPattern.Eice;
    /// <summary>Whether the pattern has an EC2 Instance Connect Endpoint.</summary>
    public bool HasConnectEndpoint => Pattern is StackPattern.Eice;
    /// <summary>Whether the pattern has a public bastion.</summary>
    public bool HasPublicBastion => Pattern is StackPattern.Public or StackPattern.Both;
    /// <summary>Whether the stack builds a VPC.</summary>
    public bool BuildsVpc => Vpc is null && Cluster is null;
    /// <summary>Whether the stack builds a cluster.</summary>
    public bool BuildsCluster => Cluster is null;

    /// <summary>These options, if nothing is wrong with them.</summary>
    /// <exception cref="StackFailure">Usage: the first wrong option, and what it should be.</exception>
    public StackOptions Checked() => OptionChecks.FirstProblem(this) is { } problem ? throw problem : this;

    /// <summary>Reads <c>private</c>, <c>public</c>, <c>both</c> or <c>eice</c>.</summary>
    /// <exception cref="StackFailure">Usage.</exception>
    public static StackPattern ParsePattern(string text) => text switch
    {
        "private" => StackPattern.Private,
        "public" => StackPattern.Public,
        "both" => StackPattern.Both,
        "eice" => StackPattern.Eice,
        _ => throw StackFailure.Usage($"--pattern does not know {text}", "Give private, public, both or eice"),
    };

    /// <summary>Reads <c>30m</c>, <c>2h</c>, <c>90</c> (minutes), or <c>never</c> (null).</summary>
    /// <exception cref="StackFailure">Usage.</exception>
    public static TimeSpan? ParseIdleStop(string text)
    {
        if (text is "never" or "0")
            return null;
        var (digits, unit) = text is [.., 'm' or 'h'] ? (text[..^1], text[^1]) : (text, 'm');
        return int.TryParse(digits, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var count) && count < 100_000
            ? unit == 'h' ? TimeSpan.FromHours(count) : TimeSpan.FromMinutes(count)
            : throw StackFailure.Usage($"--idle-stop {text} is not a time", "Give minutes or hours, such as 30m or 2h, or never");
    }
}
