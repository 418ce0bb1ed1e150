using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>One permission of a security group.</summary>
/// <param name="IsEgress">Outbound.</param>
/// <param name="Protocol"><c>-1</c>, <c>tcp</c>, <c>udp</c> …</param>
/// <param name="FromPort">First port.</param>
/// <param name="ToPort">Last port.</param>
/// <param name="Cidrs">Ranges of the other side.</param>
/// <param name="GroupIds">Groups of the other side.</param>
/// <param name="PrefixListIds">Prefix lists of the other side; they are not resolved.</param>
public sealed record GroupRuleFacts(bool IsEgress, string Protocol, int FromPort, int ToPort, IReadOnlyList<string> Cidrs, IReadOnlyList<string> GroupIds, IReadOnlyList<string> PrefixListIds);

/// <summary>A security group.</summary>
/// <param name="Id">sg-…</param>
/// <param name="Name">Its name.</param>
/// <param name="Rules">Its rules, both directions.</param>
/// <param name="Tags">Its tags.</param>
public sealed record GroupFacts(string Id, string Name, IReadOnlyList<GroupRuleFacts> Rules, IReadOnlyDictionary<string, string> Tags);

/// <summary>Which security groups has a VPC? DescribeSecurityGroups.</summary>
public static class ReadGroups
{
    /// <summary>All of the VPC.</summary>
    public static async Task<IReadOnlyList<GroupFacts>> OfAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken) =>
        await Ec2Pages.AllAsync(access, "DescribeSecurityGroups", async (token, stop) =>
        {
            var page = await access.Ec2.DescribeSecurityGroupsAsync(new DescribeSecurityGroupsRequest { Filters = [new("vpc-id", [vpcId])], NextToken = token }, stop).ConfigureAwait(false);
            return (page.SecurityGroups?.Select(Describe), page.NextToken);
        }, cancellationToken).ConfigureAwait(false);

    private static GroupFacts Describe(SecurityGroup group) => new(
        group.GroupId, group.GroupName ?? "", [.. (group.IpPermissions ?? []).Select(p => Rule(p, false)), .. (group.IpPermissionsEgress ?? []).Select(p => Rule(p, true))],
        (group.Tags ?? []).DistinctBy(t => t.Key).ToDictionary(t => t.Key, t => t.Value ?? "", StringComparer.Ordinal));

    private static GroupRuleFacts Rule(IpPermission p, bool egress) => new(
        egress, p.IpProtocol ?? "-1", p.FromPort is null or -1 ? 0 : p.FromPort.Value, p.ToPort is null or -1 ? 65_535 : p.ToPort.Value,
        [.. (p.Ipv4Ranges ?? []).Select(r => r.CidrIp), .. (p.Ipv6Ranges ?? []).Select(r => r.CidrIpv6)],
        [.. (p.UserIdGroupPairs ?? []).Select(g => g.GroupId)], [.. (p.PrefixListIds ?? []).Select(l => l.Id)]);
}
