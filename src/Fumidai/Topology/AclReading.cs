using System.Globalization;
using System.Net;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>A network ACL that stops a packet.</summary>
/// <param name="Acl">Which.</param>
/// <param name="Entry">The entry that decided; null: none fitted, and what no entry allows is refused.</param>
/// <param name="IsEgress">Leaving the subnet, or entering it.</param>
/// <param name="SubnetId">The subnet.</param>
/// <param name="Ports">Ports that the packet has there.</param>
/// <param name="Other">The other side's range.</param>
internal sealed record AclBlock(NetworkAclFacts Acl, AclEntryFacts? Entry, bool IsEgress, string SubnetId, string Ports, string Other)
{
    internal string Evidence => string.Create(CultureInfo.InvariantCulture,
        $"{Acl.Id} of {SubnetId} refuses {(IsEgress ? "outbound" : "inbound")} TCP {Ports} {(IsEgress ? "to" : "from")} {Other}{(Entry is { Number: < 32_767 } e ? $" by entry {e.Number}" : ": no entry allows it")}");
}

/// <summary>Network ACLs as VPCs apply them: stateless, by number, the first entry that fits decides; within a subnet they do not apply (aws-facts §8.1).</summary>
internal static class AclReading
{
    // What a Linux client may pick: answers go back to one of these.
    private static readonly int[] s_ephemeral = [1024, 32_768, 60_999];

    /// <summary>The first ACL that stops a connection, there or back; null: none.</summary>
    /// <param name="topology">The facts.</param>
    /// <param name="fromSubnet">Where it starts; null: outside the VPC.</param>
    /// <param name="from">An address there.</param>
    /// <param name="toSubnet">Where it ends; null: outside the VPC.</param>
    /// <param name="to">An address there.</param>
    /// <param name="port">Destination port.</param>
    internal static AclBlock? Stops(this Topology topology, string? fromSubnet, IPAddress? from, string? toSubnet, IPAddress? to, int port)
    {
        if (fromSubnet == toSubnet || from is null || to is null || !topology.Knows(TopologyQuestions.NetworkAcls))
            return null;
        return Check(topology, fromSubnet, true, to, [port]) ?? Check(topology, toSubnet, false, from, [port])
            ?? Check(topology, toSubnet, true, from, s_ephemeral) ?? Check(topology, fromSubnet, false, to, s_ephemeral);
    }

    private static AclBlock? Check(Topology topology, string? subnetId, bool egress, IPAddress other, int[] ports)
    {
        if (subnetId is null || topology.NetworkAcls.FirstOrDefault(a => a.SubnetIds.Contains(subnetId, StringComparer.Ordinal)) is not { } acl)
            return null;
        foreach (var port in ports)
        {
            var entry = acl.Entries.Where(e => e.IsEgress == egress && (e.Protocol == "-1" || (e.Protocol is "6" or "tcp" && e.FromPort <= port && port <= e.ToPort)) && Ranges.Hold(e.Cidr, other)).MinBy(e => e.Number);
            if (entry is not { Allows: true })
                return new AclBlock(acl, entry, egress, subnetId, ports.Length > 1 ? "1024-65535 (answers)" : port.ToString(CultureInfo.InvariantCulture), topology.Subnets.FirstOrDefault(s => Ranges.Hold(s.Cidr, other))?.Cidr ?? $"{other}/32");
        }
        return null;
    }
}
