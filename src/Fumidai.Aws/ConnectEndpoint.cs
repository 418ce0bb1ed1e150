namespace Fumidai.Aws;

/// <summary>An EC2 Instance Connect Endpoint. Source: DescribeInstanceConnectEndpoints (aws-facts §6.1).</summary>
public sealed record ConnectEndpoint
{
    /// <summary><c>eice-…</c></summary>
    public required string Id { get; init; }
    /// <summary>State; <c>create-complete</c> and <c>update-…</c> can be used.</summary>
    public required string State { get; init; }
    /// <summary>Host of its websocket.</summary>
    public required string DnsName { get; init; }
    /// <summary>VPC.</summary>
    public string? VpcId { get; init; }
    /// <summary>Subnet.</summary>
    public string? SubnetId { get; init; }
    /// <summary>Its security groups.</summary>
    public IReadOnlyList<string> SecurityGroupIds { get; init; } = [];
    /// <summary>Whether instances see the client's own address instead of the endpoint's.</summary>
    public bool PreservesClientAddress { get; init; }
    /// <summary>Whether tunnels can be opened through it.</summary>
    public bool IsUsable => State == "create-complete" || State.StartsWith("update-", StringComparison.Ordinal);
}
