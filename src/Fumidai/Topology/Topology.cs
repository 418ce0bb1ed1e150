using System.Net;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>
/// The path's surroundings as AWS tells them at one moment: read once in a bounded number of calls, immutable, the one model under doctor, cost and
/// diagram. What could not be read is absent, and <see cref="Unread"/> says why; no rule takes absence for a fault.
/// </summary>
public sealed record Topology
{
    /// <summary>Region.</summary>
    public required string Region { get; init; }
    /// <summary>Who asked.</summary>
    public CallerIdentity? Caller { get; init; }
    /// <summary>This machine's address seen from outside.</summary>
    public IPAddress? OwnAddress { get; init; }
    /// <summary>AWS's clock less ours.</summary>
    public TimeSpan? ClockOffset { get; init; }
    /// <summary>Where the user wants to arrive.</summary>
    public required Target Target { get; init; }
    /// <summary>The database's state.</summary>
    public DatabaseState? State { get; init; }
    /// <summary>The secret to sign in with.</summary>
    public SecretState? Secret { get; init; }
    /// <summary>The VPC; null: not known.</summary>
    public VpcFacts? Vpc { get; init; }
    /// <summary>Subnets of the VPC.</summary>
    public IReadOnlyList<SubnetFacts> Subnets { get; init; } = [];
    /// <summary>Route tables of the VPC.</summary>
    public IReadOnlyList<RouteTableFacts> RouteTables { get; init; } = [];
    /// <summary>Network ACLs of the VPC.</summary>
    public IReadOnlyList<NetworkAclFacts> NetworkAcls { get; init; } = [];
    /// <summary>Security groups of the VPC.</summary>
    public IReadOnlyList<GroupFacts> Groups { get; init; } = [];
    /// <summary>Endpoints of the VPC.</summary>
    public IReadOnlyList<EndpointFacts> Endpoints { get; init; } = [];
    /// <summary>NAT gateways of the VPC.</summary>
    public IReadOnlyList<NatFacts> Nats { get; init; } = [];
    /// <summary>Internet gateways attached to the VPC.</summary>
    public IReadOnlyList<string> InternetGateways { get; init; } = [];
    /// <summary>Instance Connect Endpoints of the VPC.</summary>
    public IReadOnlyList<ConnectEndpointFacts> ConnectEndpoints { get; init; } = [];
    /// <summary>Living instances of the VPC, or those that <c>--bastion</c> names.</summary>
    public IReadOnlyList<InstanceFacts> Instances { get; init; } = [];
    /// <summary>Whether Session Manager has a connection to the agent of a likely bastion now, by instance.</summary>
    public IReadOnlyDictionary<string, bool> Connections { get; init; } = new Dictionary<string, bool>();
    /// <summary>Roles of the instances that could be bastions, by the profile's ARN; null: the profile is gone.</summary>
    public IReadOnlyDictionary<string, InstanceRole?> Roles { get; init; } = new Dictionary<string, InstanceRole?>();
    /// <summary>What those roles may do, by the role's ARN, then by action.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, bool>> RoleActions { get; init; } = new Dictionary<string, IReadOnlyDictionary<string, bool>>();
    /// <summary>What the caller may do, by action.</summary>
    public IReadOnlyDictionary<string, bool> CallerActions { get; init; } = new Dictionary<string, bool>();
    /// <summary>Session Manager preferences of the region.</summary>
    public SessionPreferences? Preferences { get; init; }
    /// <summary>Questions that AWS did not answer, with its reason.</summary>
    public IReadOnlyDictionary<string, string> Unread { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether a question was answered: only then does absence mean that a thing is not there.</summary>
    public bool Knows(string question) => !Unread.ContainsKey(question);
}
