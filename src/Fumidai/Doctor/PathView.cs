using System.Net;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>What a rule looks at: one route through one bastion, in its surroundings.</summary>
/// <param name="Topology">The facts of AWS.</param>
/// <param name="Local">The facts of this machine.</param>
/// <param name="Settings">What was asked for.</param>
/// <param name="Route">ssm, ssh or eice.</param>
/// <param name="Bastion">The instance; null: there is none.</param>
internal sealed record PathView(Topology Topology, LocalFacts Local, TunnelSettings Settings, string Route, InstanceFacts? Bastion)
{
    /// <summary>ssh inside a Session Manager session, where the bastion has no public address.</summary>
    internal bool IsInSession { get; init; }

    /// <summary>Whether Session Manager carries it.</summary>
    internal bool IsSsm => Route == "ssm" || IsInSession;

    /// <summary>Whether Session Manager does not reach the agent now, for whatever reason.</summary>
    internal bool IsAgentCut => IsSsm && Bastion is { State: "running" } b && (b.PingStatus != "Online" || (Topology.Connections.TryGetValue(b.Id, out var isOpen) && !isOpen));

    internal Database? Database => Topology.Target.Database;

    internal int DatabasePort => Topology.Target.Address.Port;

    internal InstanceRole? Role => Bastion?.ProfileArn is { } arn ? Topology.Roles.GetValueOrDefault(arn) : null;

    internal ConnectEndpointFacts? ConnectEndpoint => Topology.ConnectEndpoints.OrderByDescending(e => e.SubnetId == Bastion?.SubnetId).FirstOrDefault();

    /// <summary>The port of the bastion's groups that ssh needs.</summary>
    internal int SshPort => Settings.BastionPort ?? 22;

    /// <summary>Subnets in which the database's instances stand, as far as told.</summary>
    internal IReadOnlyList<SubnetFacts> DatabaseSubnets
    {
        get
        {
            var all = Topology.Subnets.Where(s => Topology.State?.SubnetIds.Contains(s.Id, StringComparer.Ordinal) == true).ToList();
            var near = all.Where(s => Topology.State!.Zones.Contains(s.Zone, StringComparer.Ordinal)).ToList();
            return near.Count > 0 ? near : all;
        }
    }

    /// <summary>The stack of ours that a thing's tags name.</summary>
    internal static string? StackOf(IReadOnlyDictionary<string, string>? tags) => tags?.GetValueOrDefault(BastionChoice.StackTag);

    internal string? StackOfGroup(string groupId) => StackOf(Topology.Groups.FirstOrDefault(g => g.Id == groupId)?.Tags);

    internal string SubnetOf(IPAddress? address) => Topology.Subnets.FirstOrDefault(s => address is not null && Ranges.Hold(s.Cidr, address))?.Id ?? "";
}
