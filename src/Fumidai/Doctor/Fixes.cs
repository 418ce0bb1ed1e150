using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Repairs that several rules propose, each as a command to paste and as the call behind it.</summary>
internal static class Fixes
{
    internal static Fix AdmitGroup(string groupId, bool egress, int port, string otherGroupId, string? stack) => new(
        egress
            ? $"aws ec2 authorize-security-group-egress --group-id {groupId} --ip-permissions IpProtocol=tcp,FromPort={Text(port)},ToPort={Text(port)},UserIdGroupPairs=[{{GroupId={otherGroupId}}}]"
            : $"aws ec2 authorize-security-group-ingress --group-id {groupId} --protocol tcp --port {Text(port)} --source-group {otherGroupId}",
        Change(groupId, egress, port, ("Groups.1.GroupId", otherGroupId)), stack);

    internal static Fix AdmitRange(string groupId, bool egress, int port, string cidr, string? stack) => new(
        egress
            ? $"aws ec2 authorize-security-group-egress --group-id {groupId} --ip-permissions IpProtocol=tcp,FromPort={Text(port)},ToPort={Text(port)},IpRanges=[{{CidrIp={cidr}}}]"
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

    internal static Fix Sentence(string text) => new(text);

    internal static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static AwsChange Change(string groupId, bool egress, int port, (string Name, string Value) other) => new(
        "ec2", egress ? "AuthorizeSecurityGroupEgress" : "AuthorizeSecurityGroupIngress",
        [new("GroupId", groupId), new("IpPermissions.1.IpProtocol", "tcp"), new("IpPermissions.1.FromPort", Text(port)), new("IpPermissions.1.ToPort", Text(port)), new("IpPermissions.1." + other.Name, other.Value)]);
}
