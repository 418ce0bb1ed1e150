using System.Net;

namespace Fumidai.Lab;

/// <summary>An EC2 Instance Connect Endpoint. Id is <c>eice-…</c>.</summary>
internal sealed class ConnectEndpoint : Resource
{
    public required string VpcId { get; init; }
    public required string SubnetId { get; init; }
    public required string AvailabilityZone { get; init; }
    /// <summary>What instances see as the source.</summary>
    public required IPAddress Address { get; init; }
    public bool PreservesClientAddress { get; init; }
    /// <summary>Lab only: the lab's own host and port.</summary>
    public required string DnsName { get; init; }
    public string State { get; set; } = "create-in-progress";
    public List<string> SecurityGroupIds { get; } = [];
    public DateTimeOffset CreatedAt { get; init; }
}
