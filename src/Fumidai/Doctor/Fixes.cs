using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Repairs that several rules propose, each as a command to paste and as the call behind it.</summary>
internal static class Fixes
{
    internal static Fix AdmitGroup(string groupId, bool egress, int port, string otherGroupId, string? stack) => new(
        egress
            ? $"aws ec2 authorize-security-group-egress --group-id {groupId} --ip-permissions 'IpProtocol=tcp,FromPort={Text(port)},ToPort={Text(port)},UserIdGroupPairs=[{{GroupId={otherGroupId}}}]'"
            : $"aws ec2 authorize-security-group-ingress --group-id {groupId} --protocol tcp --port {Text(port)} --source-group {otherGroupId}",
        Change(groupId, egress, port, ("Groups.1.GroupId", otherGroupId)), stack);

    internal static Fix AdmitRange(string groupId, bool egress, int port, string cidr, string? stack) => new(
        egress
            ? $"aws ec2 authorize-security-group-egress --group-id {groupId} --ip-permissions 'IpProtocol=tcp,FromPort={Text(port)},ToPort={Text(port)},IpRanges=[{{CidrIp={cidr}}}]'"
            : $"aws ec2 authorize-security-group-ingress --group-id {groupId} --protocol tcp --port {Text(port)} --cidr {cidr}",
        Change(groupId, egress, port, ("IpRanges.1.CidrIp", cidr)), stack);

    internal static Fix Start(InstanceFacts instance) => new(
        $"aws ec2 start-instances --instance-ids {instance.Id}", new AwsChange("ec2", "StartInstances", [new("InstanceId.1", instance.Id)]), PathView.StackOf(instance.Tags));

    internal static Fix Reboot(InstanceFacts instance) => new(
        $"aws ec2 reboot-instances --instance-ids {instance.Id}", new AwsChange("ec2", "RebootInstances", [new("InstanceId.1", instance.Id)]), PathView.StackOf(instance.Tags));

    internal static Fix PrivateDns(EndpointFacts endpoint) => new(
        $"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoint.Id} --private-dns-enabled",
        new AwsChange("ec2", "ModifyVpcEndpoint", [new("VpcEndpointId", endpoint.Id), new("PrivateDnsEnabled", "true")]), PathView.StackOf(endpoint.Tags));

    internal static Fix Acl(AclBlock block, int number)
    {
        var ports = block.Ports.StartsWith("1024", StringComparison.Ordinal) ? "From=1024,To=65535" : $"From={block.Ports},To={block.Ports}";
        var verb = block.Entry?.Number == number ? "replace" : "create";
        return new Fix($"aws ec2 {verb}-network-acl-entry --network-acl-id {block.Acl.Id} {(block.IsEgress ? "--egress" : "--ingress")} --rule-number {Text(number)} --protocol 6 --port-range {ports} --cidr-block {block.Other} --rule-action allow");
    }

    /// <summary>An Elastic IP, made for it.</summary>
    internal static Fix PublicAddress(string instanceId) => new($"aws ec2 associate-address --instance-id {instanceId} --allocation-id $(aws ec2 allocate-address --query AllocationId --output text)");

    /// <summary>The internet gateway that is there, or one made on the way.</summary>
    internal static string InternetGateway(Topology topology) => topology.InternetGateways.Count > 0 ? topology.InternetGateways[0]
        : $"$(id=$(aws ec2 create-internet-gateway --query InternetGateway.InternetGatewayId --output text) && aws ec2 attach-internet-gateway --internet-gateway-id $id --vpc-id {topology.Vpc?.Id} && echo $id)";

    /// <summary>The NAT gateway that works, or one made on the way.</summary>
    internal static string Nat(Topology topology) => topology.Nats.FirstOrDefault(n => n is { State: "available", IsPublic: true } && topology.IsPublic(n.SubnetId)) is { } live ? live.Id
        : $"$(id=$(aws ec2 create-nat-gateway --subnet-id {topology.Subnets.FirstOrDefault(s => topology.IsPublic(s.Id))?.Id ?? "SUBNET"} --allocation-id $(aws ec2 allocate-address --query AllocationId --output text) --query NatGateway.NatGatewayId --output text) && aws ec2 wait nat-gateway-available --nat-gateway-ids $id && echo $id)";

    /// <summary>An interface endpoint like those that are there.</summary>
    internal static string CreateEndpoint(PathView v, string service)
    {
        var like = v.Topology.Endpoints.FirstOrDefault(e => e is { IsGateway: false, GroupIds.Count: > 0 });
        var subnets = like is { SubnetIds.Count: > 0 } ? like.SubnetIds : [v.Bastion?.SubnetId ?? "SUBNET"];
        // Without a group it would get the VPC's default one, which admits itself alone.
        IReadOnlyList<string> groups = like?.GroupIds ?? (v.Topology.Groups.FirstOrDefault(g => v.Bastion is { } b && v.Topology.Admit([g.Id], false, 443, b.PrivateAddress, b.GroupIds)) is { } fit ? [fit.Id] : []);
        return $"aws ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id {v.Topology.Vpc?.Id} --service-name com.amazonaws.{v.Topology.Region}.{service} --subnet-ids {string.Join(' ', subnets)}{(groups.Count > 0 ? $" --security-group-ids {string.Join(' ', groups)}" : "")} --private-dns-enabled";
    }

    /// <summary>The same command, and the agent woken after it: one that has lost its way tries again only after minutes.</summary>
    internal static Fix ThenWake(Fix fix, InstanceFacts bastion)
    {
        if (!fix.Command.StartsWith("aws ", StringComparison.Ordinal))
            return fix;
        var commands = fix.Command.Split(" && ").Select(c => c.StartsWith("aws ec2 create-vpc-endpoint ", StringComparison.Ordinal)
            ? $"id=$({c} --query VpcEndpoint.VpcEndpointId --output text) && until aws ec2 describe-vpc-endpoints --vpc-endpoint-ids $id --query 'VpcEndpoints[].State' --output text | grep -qx available; do sleep 5; done" : c);
        return fix with { Command = $"{string.Join(" && ", commands)} && aws ec2 reboot-instances --instance-ids {bastion.Id}" };
    }

    internal static Fix Sentence(string text) => new(text);

    internal static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static AwsChange Change(string groupId, bool egress, int port, (string Name, string Value) other) => new(
        "ec2", egress ? "AuthorizeSecurityGroupEgress" : "AuthorizeSecurityGroupIngress",
        [new("GroupId", groupId), new("IpPermissions.1.IpProtocol", "tcp"), new("IpPermissions.1.FromPort", Text(port)), new("IpPermissions.1.ToPort", Text(port)), new("IpPermissions.1." + other.Name, other.Value)]);
}
