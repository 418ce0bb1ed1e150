using System.Globalization;
using System.Net;

namespace Fumidai.Lab;

/// <summary>One entry: protocol <c>-1</c> for all or IP's number of it (6: TCP).</summary>
internal sealed record NetworkAclEntry(int Number, bool IsEgress, bool Allows, string Protocol, int FromPort, int ToPort, IPNetwork Cidr)
{
    /// <summary>The number of the last entry, which refuses what no other fits; it cannot be changed.</summary>
    public const int Last = 32_767;
}

/// <summary>A network ACL. Subnets that no other names have the VPC's default one.</summary>
internal sealed class NetworkAcl : Resource
{
    public required string VpcId { get; init; }
    public bool IsDefault { get; init; }
    public List<NetworkAclEntry> Entries { get; } = [];
    /// <summary>Of one that is not the default: subnet to association.</summary>
    public Dictionary<string, string> Associations { get; } = new(StringComparer.Ordinal);

    /// <summary>The default one of a VPC, made when it is first asked for.</summary>
    public static NetworkAcl DefaultOf(LabModel m, Vpc vpc)
    {
        var id = "acl-" + vpc.Id[4..];
        if (m.NetworkAcls.TryGetValue(id, out var known))
            return known;
        var made = New(vpc, id, isDefault: true);
        foreach (var egress in (bool[])[true, false])
            made.Entries.Add(new NetworkAclEntry(100, egress, true, "-1", 0, 65_535, Everywhere));
        return m.NetworkAcls[id] = made;
    }

    /// <summary>One that refuses everything, as AWS makes them.</summary>
    public static NetworkAcl New(Vpc vpc, string id, bool isDefault) => new() { Id = id, Account = vpc.Account, Region = vpc.Region, VpcId = vpc.Id, IsDefault = isDefault };

    /// <summary>The one that filters a subnet.</summary>
    public static NetworkAcl Of(LabModel m, Subnet subnet) =>
        m.NetworkAcls.Values.FirstOrDefault(a => a.Associations.ContainsKey(subnet.Id)) ?? DefaultOf(m, m.Vpcs[subnet.VpcId]);

    /// <summary>Why a TCP connection does not get through, there or back; null: it does. Within one subnet nothing is filtered; null for a side outside the VPC.</summary>
    public static string? WhyNot(LabModel m, Subnet? from, IPAddress source, Subnet? to, IPAddress destination, int port)
    {
        if (from?.Id == to?.Id)
            return null;
        return Crossing(m, from, true, destination, port) ?? Crossing(m, to, false, source, port)
            ?? Crossing(m, to, true, source, Ephemeral) ?? Crossing(m, from, false, destination, Ephemeral);
    }

    public static Subnet? SubnetOf(LabModel m, string vpcId, IPAddress address) => m.Subnets.Values.FirstOrDefault(s => s.VpcId == vpcId && s.Cidr.Contains(address));

    /// <summary>Lab only: answers go to one port that stands for all that a Linux client may pick.</summary>
    private const int Ephemeral = 40_000;

    private static readonly IPNetwork Everywhere = new(IPAddress.Any, 0);

    private static string? Crossing(LabModel m, Subnet? subnet, bool egress, IPAddress other, int port)
    {
        if (subnet is null)
            return null;
        var acl = Of(m, subnet);
        var entry = acl.Entries.Where(e => e.IsEgress == egress && (e.Protocol == "-1" || (e.Protocol == "6" && e.FromPort <= port && port <= e.ToPort)) && e.Cidr.Contains(other)).MinBy(e => e.Number);
        return entry is { Allows: true } ? null : string.Create(CultureInfo.InvariantCulture, $"entry {entry?.Number ?? NetworkAclEntry.Last} of {acl.Id} refuses {(egress ? "outbound" : "inbound")} TCP {port} {(egress ? "to" : "from")} {other} at {subnet.Id}");
    }
}
