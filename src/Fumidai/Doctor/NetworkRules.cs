using System.Globalization;

namespace Fumidai;

/// <summary>Between bastion and database (rows 22, 30, 31, 33).</summary>
internal static class NetworkRules
{
    internal static readonly Rule[] All =
    [
        new("other-vpc", Hop.Network, v => v.Bastion?.VpcId is { } here && v.Database?.VpcId is { } there && here != there && v.Topology.Knows(TopologyQuestions.RouteTables)
            && !v.Topology.RouteTables.Any(t => t.Routes.Any(r => r.Target.StartsWith("pcx-", StringComparison.Ordinal) || r.Target.StartsWith("tgw-", StringComparison.Ordinal)))
            ? new("other-vpc", Hop.Network, "bastion and database stand in different VPCs", $"{v.Bastion.Id} is in {here}, {v.Topology.Target.Name} in {there}, and no route leads across", Fixes.Sentence("choose a bastion in the database's VPC with --bastion, or peer the two")) : null),
        new("bastion-shut-database", Hop.Network, v => Same(v) && v.Database is { SecurityGroupIds: [var to, ..] } d && v.Bastion is { GroupIds: [var first, ..] } b && !DatabaseAddresses(v).Any(a => v.Topology.Admit(b.GroupIds, true, v.DatabasePort, a, d.SecurityGroupIds))
            ? new("bastion-shut-database", Hop.Network, "the bastion's security group does not let it out to the database", string.Create(CultureInfo.InvariantCulture, $"no rule of {string.Join(", ", b.GroupIds)} lets {b.Id} out to {string.Join(", ", d.SecurityGroupIds)} on port {v.DatabasePort}"),
                Fixes.AdmitGroup(first, true, v.DatabasePort, to, v.StackOfGroup(first))) : null),
        new("database-shut", Hop.Network, v => Same(v) && v.Database is { SecurityGroupIds: [var first, ..] } d && v.Bastion is { GroupIds: [var from, ..] } b && !v.Topology.Admit(d.SecurityGroupIds, false, v.DatabasePort, b.PrivateAddress, b.GroupIds)
            ? new("database-shut", Hop.Network, "the database does not let the bastion in", string.Create(CultureInfo.InvariantCulture, $"no rule of {string.Join(", ", d.SecurityGroupIds)} admits {b.Id} ({from}) to port {v.DatabasePort}"),
                Fixes.AdmitGroup(first, false, v.DatabasePort, from, v.StackOfGroup(first))) : null),
        new("database-acl", Hop.Network, v => Same(v) && v.Bastion is { } b && v.DatabaseSubnets.Select(s => v.Topology.Stops(b.SubnetId, b.PrivateAddress, s.Id, Ranges.SomeOf(s.Cidr), v.DatabasePort)).FirstOrDefault(x => x is not null) is { } block
            ? new("database-acl", Hop.Network, "a network ACL stands between bastion and database", block.Evidence, Fixes.Acl(block, WayOutRules.Before(block))) : null),
    ];

    private static bool Same(PathView v) => v.Bastion?.VpcId is { } here && v.Database?.VpcId == here;

    private static IEnumerable<System.Net.IPAddress?> DatabaseAddresses(PathView v) => v.DatabaseSubnets.Count > 0 ? v.DatabaseSubnets.Select(s => Ranges.SomeOf(s.Cidr)) : [null];
}
