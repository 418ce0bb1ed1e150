using Amazon.EC2;
using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>What networks are there? DescribeVpcs, DescribeSubnets, DescribeRouteTables, DescribeVpcEndpoints, DescribeVpcAttribute.</summary>
public static class ReadVpcs
{
    /// <summary>All VPCs of the region, or one.</summary>
    /// <exception cref="AwsFailure">NotFound (InvalidVpcID.NotFound).</exception>
    public static async Task<IReadOnlyList<Vpc>> ListAsync(AwsAccess access, string? vpcId, CancellationToken cancellationToken)
    {
        var found = new List<Vpc>();
        var request = new DescribeVpcsRequest { VpcIds = vpcId is null ? null : [vpcId] };
        do
        {
            var page = await access.AskAsync(AwsService.Ec2, "DescribeVpcs", stop => access.Ec2.DescribeVpcsAsync(request, stop), cancellationToken).ConfigureAwait(false);
            found.AddRange((page.Vpcs ?? []).Select(v => new Vpc(v.VpcId, [.. (v.CidrBlockAssociationSet ?? []).Select(a => a.CidrBlock).Append(v.CidrBlock)
                .Where(c => !string.IsNullOrEmpty(c)).Distinct(StringComparer.Ordinal)], TagsOf(v.Tags))));
            request.NextToken = page.NextToken;
        }
        while (!string.IsNullOrEmpty(request.NextToken));
        return found;
    }

    /// <summary>Subnets by id (any VPC's), or all of a VPC, with where their default route leads.</summary>
    /// <exception cref="AwsFailure">NotFound (InvalidSubnetID.NotFound).</exception>
    public static async Task<IReadOnlyList<VpcSubnet>> SubnetsAsync(AwsAccess access, string vpcId, IReadOnlyList<string> subnetIds, CancellationToken cancellationToken)
    {
        var subnets = new List<Subnet>();
        var request = subnetIds.Count > 0 ? new DescribeSubnetsRequest { SubnetIds = [.. subnetIds] } : new DescribeSubnetsRequest { Filters = [new("vpc-id", [vpcId])] };
        do
        {
            var page = await access.AskAsync(AwsService.Ec2, "DescribeSubnets", stop => access.Ec2.DescribeSubnetsAsync(request, stop), cancellationToken).ConfigureAwait(false);
            subnets.AddRange(page.Subnets ?? []);
            request.NextToken = page.NextToken;
        }
        while (!string.IsNullOrEmpty(request.NextToken));
        var tables = await RouteTablesAsync(access, vpcId, cancellationToken).ConfigureAwait(false);
        return [.. subnets.Select(s => Describe(s, tables))];
    }

    /// <summary>Endpoints of a VPC that are not on their way out.</summary>
    public static async Task<IReadOnlyList<VpcEndpoint>> EndpointsAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken)
    {
        var found = new List<VpcEndpoint>();
        var request = new DescribeVpcEndpointsRequest { Filters = [new("vpc-id", [vpcId])] };
        do
        {
            var page = await access.AskAsync(AwsService.Ec2, "DescribeVpcEndpoints", stop => access.Ec2.DescribeVpcEndpointsAsync(request, stop), cancellationToken).ConfigureAwait(false);
            found.AddRange((page.VpcEndpoints ?? []).Select(e => new VpcEndpoint(e.VpcEndpointId, (e.ServiceName ?? "").Split('.')[^1], e.VpcEndpointType == VpcEndpointType.Gateway,
                e.PrivateDnsEnabled == true, (e.State?.Value ?? "").ToLowerInvariant(), TagsOf(e.Tags))));
            request.NextToken = page.NextToken;
        }
        while (!string.IsNullOrEmpty(request.NextToken));
        return [.. found.Where(e => e.State is not ("deleting" or "deleted" or "rejected" or "failed" or "expired"))];
    }

    /// <summary>Whether both DNS attributes are on, which private names of endpoints need.</summary>
    public static async Task<bool> HasDnsAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken)
    {
        var support = await access.AskAsync(AwsService.Ec2, "DescribeVpcAttribute",
            stop => access.Ec2.DescribeVpcAttributeAsync(new DescribeVpcAttributeRequest { VpcId = vpcId, Attribute = VpcAttributeName.EnableDnsSupport }, stop), cancellationToken).ConfigureAwait(false);
        var names = await access.AskAsync(AwsService.Ec2, "DescribeVpcAttribute",
            stop => access.Ec2.DescribeVpcAttributeAsync(new DescribeVpcAttributeRequest { VpcId = vpcId, Attribute = VpcAttributeName.EnableDnsHostnames }, stop), cancellationToken).ConfigureAwait(false);
        return support.EnableDnsSupport == true && names.EnableDnsHostnames == true;
    }

    private static async Task<List<RouteTable>> RouteTablesAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken)
    {
        var tables = new List<RouteTable>();
        var request = new DescribeRouteTablesRequest { Filters = [new("vpc-id", [vpcId])] };
        do
        {
            var page = await access.AskAsync(AwsService.Ec2, "DescribeRouteTables", stop => access.Ec2.DescribeRouteTablesAsync(request, stop), cancellationToken).ConfigureAwait(false);
            tables.AddRange(page.RouteTables ?? []);
            request.NextToken = page.NextToken;
        }
        while (!string.IsNullOrEmpty(request.NextToken));
        return tables;
    }

    private static VpcSubnet Describe(Subnet subnet, List<RouteTable> tables)
    {
        var table = tables.Find(t => (t.Associations ?? []).Any(a => a.SubnetId == subnet.SubnetId)) ?? tables.Find(t => (t.Associations ?? []).Any(a => a.Main == true));
        var route = (table?.Routes ?? []).FirstOrDefault(r => r.DestinationCidrBlock == "0.0.0.0/0" && r.State != RouteState.Blackhole);
        var way = route switch
        {
            null => WayOut.None,
            _ when route.GatewayId?.StartsWith("igw-", StringComparison.Ordinal) == true => WayOut.Internet,
            _ when !string.IsNullOrEmpty(route.NatGatewayId) || !string.IsNullOrEmpty(route.InstanceId) => WayOut.Nat,
            _ => WayOut.Other,
        };
        return new VpcSubnet(subnet.SubnetId, subnet.VpcId, subnet.AvailabilityZone ?? "", subnet.CidrBlock ?? "", way, table?.RouteTableId);
    }

    private static Dictionary<string, string> TagsOf(List<Tag>? tags) => (tags ?? []).DistinctBy(t => t.Key).ToDictionary(t => t.Key, t => t.Value ?? "", StringComparer.Ordinal);
}
