namespace Fumidai.Stacks;

/// <summary>How the private bastion reaches Session Manager: endpoints, a NAT gateway, or nothing that is built for it.</summary>
public sealed record EndpointChoice
{
    private static readonly string[] Known = ["ssm", "ssmmessages", "ec2messages", "s3"];

    private EndpointChoice(IReadOnlyList<string> services, bool isNat) => (Services, IsNat) = (services, isNat);

    /// <summary><c>ssm</c> and <c>ssmmessages</c>: all that a current agent needs (aws-facts §2.1).</summary>
    public static EndpointChoice Default { get; } = new(["ssm", "ssmmessages"], false);

    /// <summary>A NAT gateway.</summary>
    public static EndpointChoice Nat { get; } = new([], true);

    /// <summary>Nothing: the bastion stands in a public subnet without inbound rules, or uses what a given VPC has.</summary>
    public static EndpointChoice None { get; } = new([], false);

    /// <summary>Endpoints to build: <c>ssm</c>, <c>ssmmessages</c>, <c>ec2messages</c>, <c>s3</c> (a gateway), in this order.</summary>
    public IReadOnlyList<string> Services { get; }

    /// <summary>Whether a NAT gateway is built.</summary>
    public bool IsNat { get; }

    /// <summary>Whether nothing is built.</summary>
    public bool IsNone => !IsNat && Services.Count == 0;

    /// <summary>Interface endpoints among <see cref="Services"/>, which are billed by the hour.</summary>
    public IEnumerable<string> Interfaces => Services.Where(s => s != "s3");

    /// <summary>Reads <c>nat</c>, <c>none</c>, or services separated by commas.</summary>
    /// <exception cref="StackFailure">Usage: an unknown word.</exception>
    public static EndpointChoice Parse(string text)
    {
        var words = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return words switch
        {
            ["nat"] => Nat,
            ["none"] => None,
            [] => throw StackFailure.Usage("--endpoints is empty", "Give nat, none, or some of " + string.Join(",", Known)),
            _ when words.FirstOrDefault(w => !Known.Contains(w)) is { } unknown =>
                throw StackFailure.Usage(unknown is "nat" or "none" ? $"--endpoints {unknown} stands alone" : $"--endpoints does not know {unknown}", "Give nat, none, or some of " + string.Join(",", Known)),
            _ => new([.. Known.Where(words.Contains)], false),
        };
    }

    /// <inheritdoc/>
    public bool Equals(EndpointChoice? other) => other is not null && IsNat == other.IsNat && Services.SequenceEqual(other.Services);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(IsNat, Services.Count);

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() => IsNat ? "nat" : IsNone ? "none" : string.Join(",", Services);
}
