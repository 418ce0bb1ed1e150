using System.Globalization;

namespace Fumidai;

/// <summary>How we reach the bastion's sshd: over the internet (ssh), or through an Instance Connect Endpoint (eice) (rows 28–30, 52, 54).</summary>
internal static class DoorRules
{
    internal static readonly Rule[] All =
    [
        new("public-address-missing", Hop.Way, v => Ssh(v) && v.Bastion is { State: "running", PublicAddress: null } b
            ? new("public-address-missing", Hop.Way, "the bastion has no public address", $"{b.Id} in {b.SubnetId}", Fixes.PublicAddress(b.Id)) : null),
        new("bastion-subnet-private", Hop.Way, v => Ssh(v) && v.Bastion is { PublicAddress: not null } b && v.Topology.Knows(TopologyQuestions.RouteTables) && v.Topology.Knows(TopologyQuestions.InternetGateways) && !v.Topology.IsPublic(b.SubnetId)
            ? new("bastion-subnet-private", Hop.Way, "the bastion's subnet has no way to the internet and back", $"{v.Topology.TableOf(b.SubnetId)?.Id} of {b.SubnetId} {(v.Topology.RouteTo(b.SubnetId, RouteReading.Outside) is { } route ? $"leads to {route.Target}, which is no internet gateway attached to {v.Topology.Vpc?.Id}" : "has no route to 0.0.0.0/0")}",
                v.Topology.RouteTo(b.SubnetId, RouteReading.Outside) is { } other && other.Target.StartsWith("igw-", StringComparison.Ordinal)
                    ? new Fix($"aws ec2 attach-internet-gateway --internet-gateway-id {other.Target} --vpc-id {v.Topology.Vpc?.Id}")
                    : new Fix($"aws ec2 {(v.Topology.RouteTo(b.SubnetId, RouteReading.Outside) is null ? "create" : "replace")}-route --route-table-id {v.Topology.TableOf(b.SubnetId)?.Id} --destination-cidr-block 0.0.0.0/0 --gateway-id {Fixes.InternetGateway(v.Topology)}")) : null),
        new("door-shut", Hop.Way, v => Ssh(v) && v.Bastion is { PublicAddress: not null, GroupIds: [var first, ..] } b && v.Topology.OwnAddress is { } own && !v.Topology.Admit(b.GroupIds, false, v.SshPort, own, [])
            ? new("door-shut", Hop.Way, "the bastion does not let this machine in", string.Create(CultureInfo.InvariantCulture, $"no rule of {string.Join(", ", b.GroupIds)} admits {own} to port {v.SshPort}{(v.Topology.CidrsFor(b.GroupIds, v.SshPort) is { Count: > 0 } there ? $"; admitted are {string.Join(", ", there)}" : "")}"),
                Fixes.AdmitRange(first, false, v.SshPort, $"{own}/{(own.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128)}", v.StackOfGroup(first))) : null),
        new("door-acl", Hop.Way, v => Ssh(v) && v.Bastion is { PublicAddress: not null } b && v.Topology.OwnAddress is { } own && v.Topology.Stops(null, own, b.SubnetId, b.PrivateAddress, v.SshPort) is { } block
            ? new("door-acl", Hop.Way, "a network ACL stands between this machine and the bastion", block.Evidence, Fixes.Acl(block, WayOutRules.Before(block))) : null),
        new("connect-endpoint-missing", Hop.Way, v => Eice(v) && v.ConnectEndpoint is null && v.Topology.Knows(TopologyQuestions.ConnectEndpoints)
            ? new("connect-endpoint-missing", Hop.Way, "the VPC has no Instance Connect Endpoint", $"ec2:DescribeInstanceConnectEndpoints lists none in {v.Topology.Vpc?.Id ?? v.Topology.Region}", Fixes.Sentence($"aws ec2 create-instance-connect-endpoint --subnet-id {v.Bastion!.SubnetId}{(v.Bastion.GroupIds is [var door, ..] ? $" --security-group-ids {door}" : "")}")) : null),
        new("connect-endpoint-not-ready", Hop.Way, v => Eice(v) && v.ConnectEndpoint is { } e && e.State != "create-complete" && !e.State.StartsWith("update-", StringComparison.Ordinal)
            ? new("connect-endpoint-not-ready", Hop.Way, "the Instance Connect Endpoint does not work", $"{e.Id} is {e.State}", Fixes.Sentence(e.State.Contains("progress", StringComparison.Ordinal) ? "wait until it is create-complete" : $"aws ec2 delete-instance-connect-endpoint --instance-connect-endpoint-id {e.Id}, then make it anew")) : null),
        new("connect-endpoint-shut", Hop.Way, v => Eice(v) && v.ConnectEndpoint is { GroupIds: [var first, ..] } e && !v.Topology.Admit(e.GroupIds, true, v.SshPort, v.Bastion!.PrivateAddress, v.Bastion.GroupIds)
            ? new("connect-endpoint-shut", Hop.Way, "the Instance Connect Endpoint may not reach the bastion", $"no rule of {string.Join(", ", e.GroupIds)} lets {e.Id} out to {v.Bastion.Id} on port 22", Fixes.AdmitGroup(first, true, v.SshPort, v.Bastion.GroupIds[0], v.StackOfGroup(first))) : null),
        new("bastion-shut-eice", Hop.Way, v => Eice(v) && v.ConnectEndpoint is { GroupIds: [var from, ..] } e && v.Bastion is { GroupIds: [var first, ..] } b && !v.Topology.Admit(b.GroupIds, false, v.SshPort, e.PreservesClientAddress ? v.Topology.OwnAddress : Address(v, e.SubnetId), e.PreservesClientAddress ? [] : e.GroupIds)
            ? new("bastion-shut-eice", Hop.Way, "the bastion does not let the Instance Connect Endpoint in", $"no rule of {string.Join(", ", b.GroupIds)} admits {e.Id} to port 22", Fixes.AdmitGroup(first, false, v.SshPort, from, v.StackOfGroup(first))) : null),
    ];

    private static bool Ssh(PathView v) => v is { Route: "ssh", IsInSession: false };

    private static bool Eice(PathView v) => v.Route == "eice" && v.Bastion is not null;

    private static System.Net.IPAddress? Address(PathView v, string subnetId) => v.Topology.Subnets.FirstOrDefault(s => s.Id == subnetId) is { } s ? Ranges.SomeOf(s.Cidr) : null;
}
