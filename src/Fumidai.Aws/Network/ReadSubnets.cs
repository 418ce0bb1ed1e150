using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>A subnet.</summary>
/// <param name="Id">subnet-…</param>
/// <param name="Zone">Availability zone.</param>
/// <param name="Cidr">IPv4 range.</param>
/// <param name="Name">Name tag, if any.</param>
public sealed record SubnetFacts(string Id, string Zone, string Cidr, string? Name);

/// <summary>Which subnets has a VPC? DescribeSubnets.</summary>
public static class ReadSubnets
{
    /// <summary>All of the VPC.</summary>
    public static async Task<IReadOnlyList<SubnetFacts>> OfAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken) =>
        await Ec2Pages.AllAsync(access, "DescribeSubnets", async (token, stop) =>
        {
            var page = await access.Ec2.DescribeSubnetsAsync(new DescribeSubnetsRequest { Filters = [new("vpc-id", [vpcId])], NextToken = token }, stop).ConfigureAwait(false);
            return (page.Subnets?.Select(s => new SubnetFacts(s.SubnetId, s.AvailabilityZone ?? "", s.CidrBlock ?? "", s.Tags?.Find(t => t.Key == "Name")?.Value)), page.NextToken);
        }, cancellationToken).ConfigureAwait(false);
}
