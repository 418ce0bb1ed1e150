using System.Globalization;
using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>What of a stack is billed, counted: from a plan, or from a stack that exists.</summary>
public sealed record StackQuantities
{
    /// <summary>Gigabytes of a bastion's disk, as the templates have it.</summary>
    public const int DiskGb = 8;

    /// <summary>Whether there is a private bastion.</summary>
    public bool HasPrivateBastion { get; init; }
    /// <summary>Whether it has a public address, for its way out.</summary>
    public bool IsPrivateBastionOutside { get; init; }
    /// <summary>Whether it stops itself.</summary>
    public bool StopsWhenIdle { get; init; }
    /// <summary>Whether the public bastion is stopped when nobody uses it; its address is then given back.</summary>
    public bool PublicStopsWhenIdle { get; init; }
    /// <summary>Whether there is a public bastion.</summary>
    public bool HasPublicBastion { get; init; }
    /// <summary>Instance type of the bastions.</summary>
    public string BastionType { get; init; } = "t4g.nano";
    /// <summary>NAT gateways.</summary>
    public int NatGateways { get; init; }
    /// <summary>Interface endpoints times zones: each is an hourly price.</summary>
    public int EndpointZones { get; init; }
    /// <summary>Whether the stack has a cluster of its own.</summary>
    public bool HasCluster { get; init; }
    /// <summary>Its least capacity; 0: it pauses.</summary>
    public decimal MinAcu { get; init; }

    /// <summary>Counts a plan.</summary>
    public static StackQuantities Of(StackPlan plan) => new()
    {
        HasPrivateBastion = plan.Options.HasPrivateBastion,
        IsPrivateBastionOutside = plan.IsPrivateBastionOutside,
        StopsWhenIdle = plan.Options.IdleStop is not null,
        HasPublicBastion = plan.Options.HasPublicBastion,
        BastionType = plan.Options.BastionType,
        NatGateways = plan.Options.EffectiveEndpoints.IsNat ? 1 : 0,
        EndpointZones = plan.Options.EffectiveEndpoints.Interfaces.Count() * plan.Options.EndpointZones,
        HasCluster = plan.Options.BuildsCluster,
        MinAcu = plan.Options.MinAcu,
    };

    /// <summary>Counts a stack of ours that exists.</summary>
    public static StackQuantities Of(CloudFormationStack stack, IReadOnlyList<StackResource> resources)
    {
        bool Has(string logicalId) => resources.Any(r => r.LogicalId == logicalId && r.PhysicalId is not null);
        decimal Number(IReadOnlyDictionary<string, string> of, string name, decimal otherwise) =>
            decimal.TryParse(of.GetValueOrDefault(name), NumberStyles.Number, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
        return new StackQuantities
        {
            HasPrivateBastion = Has("PrivateBastion"),
            IsPrivateBastionOutside = stack.Outputs.GetValueOrDefault("PrivateBastionAddress") == "public",
            StopsWhenIdle = Number(stack.Parameters, "IdleMinutes", 0) > 0,
            HasPublicBastion = Has("PublicBastion"),
            BastionType = stack.Parameters.GetValueOrDefault("BastionType", "t4g.nano"),
            NatGateways = resources.Count(r => r.Type == "AWS::EC2::NatGateway" && r.PhysicalId is not null),
            EndpointZones = resources.Count(r => r.Type == "AWS::EC2::VPCEndpoint" && r.LogicalId != "S3Endpoint" && r.PhysicalId is not null) * (int)Number(stack.Outputs, "EndpointZones", 1),
            HasCluster = Has("Cluster"),
            MinAcu = Number(stack.Parameters, "MinAcu", 0),
        };
    }
}
