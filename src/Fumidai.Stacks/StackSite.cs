namespace Fumidai.Stacks;

/// <summary>What exists already and is built on. Found by <see cref="SiteSurvey"/>, or said by who knows it.</summary>
public sealed record StackSite
{
    /// <summary>Nothing exists: VPC and cluster are new.</summary>
    public static StackSite New { get; } = new();

    /// <summary>Range of the new VPC.</summary>
    public string Cidr { get; init; } = "10.86.0.0/16";
    /// <summary>The existing VPC; null: a new one.</summary>
    public string? VpcId { get; init; }
    /// <summary>Its subnets for a new cluster, endpoints and the private bastion; those of a new cluster lie in two zones.</summary>
    public IReadOnlyList<string> PrivateSubnets { get; init; } = [];
    /// <summary>Its subnet with a way to the internet; null: none, or not wanted.</summary>
    public string? PublicSubnet { get; init; }
    /// <summary>Route table of the private subnets, for an S3 endpoint.</summary>
    public string? PrivateRouteTable { get; init; }
    /// <summary>The existing cluster's security group that is to admit the bastion.</summary>
    public string? ClusterGroup { get; init; }
    /// <summary>The existing cluster's port.</summary>
    public int ClusterPort { get; init; } = 5432;
    /// <summary>What the user should know about this place.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];
}
