using Amazon.EC2;
using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>One route.</summary>
/// <param name="Destination">IPv4 range, or a prefix list's id.</param>
/// <param name="Target"><c>local</c>, <c>igw-…</c>, <c>nat-…</c>, <c>pcx-…</c>, <c>tgw-…</c>, <c>vpce-…</c> …</param>
/// <param name="IsBlackhole">Whether its target is gone.</param>
public sealed record RouteFacts(string Destination, string Target, bool IsBlackhole);

/// <summary>A route table.</summary>
/// <param name="Id">rtb-…</param>
/// <param name="IsMain">Whether it serves subnets without a table of their own.</param>
/// <param name="SubnetIds">Subnets that name it.</param>
/// <param name="Routes">Its routes.</param>
public sealed record RouteTableFacts(string Id, bool IsMain, IReadOnlyList<string> SubnetIds, IReadOnlyList<RouteFacts> Routes);

/// <summary>Which route tables has a VPC? DescribeRouteTables.</summary>
public static class ReadRouteTables
{
    /// <summary>All of the VPC.</summary>
    public static async Task<IReadOnlyList<RouteTableFacts>> OfAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken) =>
        await Ec2Pages.AllAsync(access, "DescribeRouteTables", async (token, stop) =>
        {
            var page = await access.Ec2.DescribeRouteTablesAsync(new DescribeRouteTablesRequest { Filters = [new("vpc-id", [vpcId])], NextToken = token }, stop).ConfigureAwait(false);
            return (page.RouteTables?.Select(Describe), page.NextToken);
        }, cancellationToken).ConfigureAwait(false);

    private static RouteTableFacts Describe(RouteTable table) => new(
        table.RouteTableId,
        (table.Associations ?? []).Any(a => a.Main == true),
        [.. (table.Associations ?? []).Select(a => a.SubnetId).Where(s => !string.IsNullOrEmpty(s))],
        [.. (table.Routes ?? []).Select(r => new RouteFacts(r.DestinationCidrBlock ?? r.DestinationPrefixListId ?? r.DestinationIpv6CidrBlock ?? "", TargetOf(r), r.State == RouteState.Blackhole))]);

    private static string TargetOf(Route route) =>
        new[] { route.NatGatewayId, route.GatewayId, route.VpcPeeringConnectionId, route.TransitGatewayId, route.NetworkInterfaceId, route.InstanceId, route.EgressOnlyInternetGatewayId, route.LocalGatewayId }
            .FirstOrDefault(t => !string.IsNullOrEmpty(t)) ?? "";
}
