using System.Globalization;
using Amazon.EC2;
using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>One entry of a network ACL; entries are tried by number, the first that fits decides.</summary>
/// <param name="Number">Rule number; 32767 is the last, which refuses the rest.</param>
/// <param name="IsEgress">Outbound.</param>
/// <param name="Allows">Allow or deny.</param>
/// <param name="Protocol"><c>-1</c> for all, <c>6</c> for TCP …</param>
/// <param name="FromPort">First port.</param>
/// <param name="ToPort">Last port.</param>
/// <param name="Cidr">IPv4 range; null: an IPv6 entry.</param>
public sealed record AclEntryFacts(int Number, bool IsEgress, bool Allows, string Protocol, int FromPort, int ToPort, string? Cidr);

/// <summary>A network ACL.</summary>
/// <param name="Id">acl-…</param>
/// <param name="IsDefault">Whether it is the VPC's default one.</param>
/// <param name="SubnetIds">Subnets it filters.</param>
/// <param name="Entries">Its entries.</param>
public sealed record NetworkAclFacts(string Id, bool IsDefault, IReadOnlyList<string> SubnetIds, IReadOnlyList<AclEntryFacts> Entries);

/// <summary>Which network ACLs has a VPC? DescribeNetworkAcls.</summary>
public static class ReadNetworkAcls
{
    /// <summary>All of the VPC.</summary>
    public static async Task<IReadOnlyList<NetworkAclFacts>> OfAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken) =>
        await Ec2Pages.AllAsync(access, "DescribeNetworkAcls", async (token, stop) =>
        {
            var page = await access.Ec2.DescribeNetworkAclsAsync(new DescribeNetworkAclsRequest { Filters = [new("vpc-id", [vpcId])], NextToken = token }, stop).ConfigureAwait(false);
            return (page.NetworkAcls?.Select(Describe), page.NextToken);
        }, cancellationToken).ConfigureAwait(false);

    private static NetworkAclFacts Describe(NetworkAcl acl) => new(
        acl.NetworkAclId, acl.IsDefault == true, [.. (acl.Associations ?? []).Select(a => a.SubnetId).Where(s => !string.IsNullOrEmpty(s))],
        [.. (acl.Entries ?? []).Select(e => new AclEntryFacts(e.RuleNumber ?? 0, e.Egress == true, e.RuleAction == RuleAction.Allow, e.Protocol?.ToString(CultureInfo.InvariantCulture) ?? "-1",
            e.PortRange?.From ?? 0, e.PortRange?.To ?? 65_535, e.CidrBlock)).OrderBy(e => e.Number)]);
}
