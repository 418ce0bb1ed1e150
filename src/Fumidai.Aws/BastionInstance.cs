using System.Net;

namespace Fumidai.Aws;

/// <summary>An EC2 instance that may serve as a bastion, with what Session Manager says of it.</summary>
public sealed record BastionInstance
{
    /// <summary>Instance id.</summary>
    public required string Id { get; init; }
    /// <summary>Name tag, if any.</summary>
    public string? Name { get; init; }
    /// <summary>pending, running, stopping, stopped …</summary>
    public required string State { get; init; }
    /// <summary>VPC.</summary>
    public string? VpcId { get; init; }
    /// <summary>Subnet.</summary>
    public string? SubnetId { get; init; }
    /// <summary>Availability zone.</summary>
    public string? AvailabilityZone { get; init; }
    /// <summary>Private IPv4 address.</summary>
    public IPAddress? PrivateAddress { get; init; }
    /// <summary>Public IPv4 address, if any.</summary>
    public IPAddress? PublicAddress { get; init; }
    /// <summary>Security groups of its interfaces.</summary>
    public IReadOnlyList<string> SecurityGroupIds { get; init; } = [];
    /// <summary>Tags.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();
    /// <summary>Session Manager's ping status (Online, ConnectionLost, Inactive); null: never registered.</summary>
    public string? PingStatus { get; init; }
    /// <summary>Agent version, if registered.</summary>
    public string? AgentVersion { get; init; }
    /// <summary>Its last start.</summary>
    public DateTimeOffset? Launched { get; init; }
    /// <summary>Running and Online.</summary>
    public bool IsOnline => State == "running" && PingStatus == "Online";
}
