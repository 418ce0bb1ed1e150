using System.Net;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>What was said about a stack; what was not said is as the stack has it, or by default.</summary>
/// <param name="Said">Each word with its text; tags are lines of KEY=VALUE.</param>
internal sealed record StackChoices(IReadOnlyDictionary<StackWord, string> Said)
{
    /// <summary>Stands for the caller's address where it does not matter which (RFC 5737).</summary>
    private static readonly IPAddress SomeAddress = IPAddress.Parse("192.0.2.1");

    /// <summary>The stack's name.</summary>
    internal string Name => Said.GetValueOrDefault(StackWord.Name, new StackOptions().Name);

    internal static StackChoices Of(Typed typed) =>
        new(StackWord.All.Where(w => typed.Has(w.Option)).ToDictionary(w => w, w => typed.Value(w.Option)!));

    internal bool Has(StackWord word) => Said.ContainsKey(word);

    /// <summary>These, and what another source says besides.</summary>
    internal StackChoices Over(StackChoices other)
    {
        var said = new Dictionary<StackWord, string>(other.Said);
        foreach (var (word, text) in Said)
            said[word] = text;
        return new StackChoices(said);
    }

    /// <summary>The options that come of it.</summary>
    /// <param name="present">What the stack has now; null: there is none.</param>
    internal StackOptions Over(StackOptions? present)
    {
        var options = present ?? new StackOptions { Name = Name };
        foreach (var word in StackWord.All.Where(Has))
            options = word.Set(options, Said[word]);
        // Other subnets may fit what is now wanted.
        if (!Has(StackWord.Subnets) && (Has(StackWord.Pattern) || Has(StackWord.Endpoints) || Has(StackWord.Vpc) || Has(StackWord.Cluster)))
            options = options with { Subnets = [] };
        // Endpoints follow the pattern, unless somebody wants them otherwise.
        return Has(StackWord.Endpoints) || options.HasPrivateBastion ? options : options with { Endpoints = null };
    }

    /// <summary>Refuses what cannot be, whatever the account holds.</summary>
    /// <exception cref="StackFailure">Usage.</exception>
    internal void Check()
    {
        var options = Over((StackOptions?)null) with { MyAddress = SomeAddress };
        // Only one of the two said: the other may be what the stack has.
        if (Has(StackWord.MinAcu) != Has(StackWord.MaxAcu))
            options = Has(StackWord.MinAcu) ? options with { MaxAcu = Math.Max(1, options.MinAcu) } : options with { MinAcu = 0 };
        options.Checked();
    }

    /// <summary>A plan by these words alone, on a site that has everything: which kinds of things it needs, not which ones.</summary>
    internal StackPlan Imagine()
    {
        var options = Over((StackOptions?)null) with { MyAddress = SomeAddress };
        return StackPlan.Compose(options, options.BuildsVpc ? StackSite.New : new StackSite
        {
            VpcId = options.Vpc ?? "vpc-00000000",
            PrivateSubnets = ["subnet-00000001", "subnet-00000002"],
            PublicSubnet = "subnet-00000003",
            PrivateRouteTable = "rtb-00000004",
            ClusterGroup = options.BuildsCluster ? null : "sg-00000005",
        });
    }
}
