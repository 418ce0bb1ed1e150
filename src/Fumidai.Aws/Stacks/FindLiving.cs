using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>Which of these resources are still there? The tags' index goes on naming terminated instances and deleted gateways for an hour; EC2 and RDS know.</summary>
public static class FindLiving
{
    /// <summary>Those of the ARNs that exist. A kind that is not known here counts as existing.</summary>
    public static async Task<IReadOnlyList<string>> AmongAsync(AwsAccess access, IReadOnlyList<string> arns, CancellationToken cancellationToken)
    {
        var living = new List<string>();
        foreach (var kind in arns.GroupBy(KindOf, StringComparer.Ordinal))
        {
            var ids = kind.ToDictionary(IdOf, arn => arn, StringComparer.Ordinal);
            foreach (var id in await LivingAsync(access, kind.Key, [.. ids.Keys], cancellationToken).ConfigureAwait(false))
                living.Add(ids[id]);
        }
        return living;
    }

    private static async Task<IEnumerable<string>> LivingAsync(AwsAccess access, string kind, List<string> ids, CancellationToken cancellationToken)
    {
        async Task<T> Ask<T>(string operation, Func<CancellationToken, Task<T>> call) => await access.AskAsync(AwsService.Ec2, operation, call, cancellationToken).ConfigureAwait(false);
        List<Filter> By(string name) => [new(name, ids)];
        var found = kind switch
        {
            "ec2:instance" => (await Ask("DescribeInstances", stop => access.Ec2.DescribeInstancesAsync(new() { Filters = [new("instance-id", ids), new("instance-state-name", ["pending", "running", "stopping", "stopped"])] }, stop))
                .ConfigureAwait(false)).Reservations?.SelectMany(r => r.Instances ?? []).Select(i => i.InstanceId),
            "ec2:natgateway" => (await Ask("DescribeNatGateways", stop => access.Ec2.DescribeNatGatewaysAsync(new() { Filter = [new("nat-gateway-id", ids), new("state", ["pending", "available", "deleting", "failed"])] }, stop))
                .ConfigureAwait(false)).NatGateways?.Select(n => n.NatGatewayId),
            "ec2:vpc-endpoint" => (await Ask("DescribeVpcEndpoints", stop => access.Ec2.DescribeVpcEndpointsAsync(new() { Filters = By("vpc-endpoint-id") }, stop)).ConfigureAwait(false))
                .VpcEndpoints?.Where(e => !string.Equals(e.State?.Value, "deleted", StringComparison.OrdinalIgnoreCase)).Select(e => e.VpcEndpointId),
            "ec2:vpc" => (await Ask("DescribeVpcs", stop => access.Ec2.DescribeVpcsAsync(new() { Filters = By("vpc-id") }, stop)).ConfigureAwait(false)).Vpcs?.Select(v => v.VpcId),
            "ec2:subnet" => (await Ask("DescribeSubnets", stop => access.Ec2.DescribeSubnetsAsync(new() { Filters = By("subnet-id") }, stop)).ConfigureAwait(false)).Subnets?.Select(s => s.SubnetId),
            "ec2:security-group" => (await Ask("DescribeSecurityGroups", stop => access.Ec2.DescribeSecurityGroupsAsync(new() { Filters = By("group-id") }, stop)).ConfigureAwait(false)).SecurityGroups?.Select(g => g.GroupId),
            "ec2:route-table" => (await Ask("DescribeRouteTables", stop => access.Ec2.DescribeRouteTablesAsync(new() { Filters = By("route-table-id") }, stop)).ConfigureAwait(false)).RouteTables?.Select(t => t.RouteTableId),
            "ec2:internet-gateway" => (await Ask("DescribeInternetGateways", stop => access.Ec2.DescribeInternetGatewaysAsync(new() { Filters = By("internet-gateway-id") }, stop)).ConfigureAwait(false)).InternetGateways?.Select(g => g.InternetGatewayId),
            "ec2:volume" => (await Ask("DescribeVolumes", stop => access.Ec2.DescribeVolumesAsync(new() { Filters = By("volume-id") }, stop)).ConfigureAwait(false)).Volumes?.Select(v => v.VolumeId),
            "ec2:elastic-ip" => (await Ask("DescribeAddresses", stop => access.Ec2.DescribeAddressesAsync(new() { Filters = By("allocation-id") }, stop)).ConfigureAwait(false)).Addresses?.Select(a => a.AllocationId),
            "ec2:network-interface" => (await Ask("DescribeNetworkInterfaces", stop => access.Ec2.DescribeNetworkInterfacesAsync(new() { Filters = By("network-interface-id") }, stop)).ConfigureAwait(false)).NetworkInterfaces?.Select(n => n.NetworkInterfaceId),
            "rds:cluster" => await OfRdsAsync(access, "DescribeDBClusters", "DBClusterIdentifier", ids, cancellationToken).ConfigureAwait(false),
            "rds:db" => await OfRdsAsync(access, "DescribeDBInstances", "DBInstanceIdentifier", ids, cancellationToken).ConfigureAwait(false),
            "rds:subgrp" => await OfRdsAsync(access, "DescribeDBSubnetGroups", "DBSubnetGroupName", ids, cancellationToken).ConfigureAwait(false),
            "cloudformation:stack" => await StacksAsync(access, ids, cancellationToken).ConfigureAwait(false),
            _ => ids,
        };
        return (found ?? []).Where(ids.Contains);
    }

    private static async Task<List<string>> StacksAsync(AwsAccess access, List<string> ids, CancellationToken cancellationToken)
    {
        var living = new List<string>();
        foreach (var id in ids)
        {
            if (await ReadStack.FindAsync(access, id, cancellationToken).ConfigureAwait(false) is { Status: not "DELETE_COMPLETE" })
                living.Add(id);
        }
        return living;
    }

    private static async Task<List<string>> OfRdsAsync(AwsAccess access, string operation, string parameter, List<string> ids, CancellationToken cancellationToken)
    {
        var living = new List<string>();
        foreach (var id in ids)
        {
            try
            {
                await access.AskAsync(AwsService.Rds, operation, stop => access.Rds.QueryAsync(operation, [new(parameter, id)], stop), cancellationToken).ConfigureAwait(false);
                living.Add(id);
            }
            catch (AwsFailure f) when (f.Kind == AwsFailureKind.NotFound)
            {
            }
        }
        return living;
    }

    /// <summary><c>ec2:vpc</c> of <c>arn:aws:ec2:REGION:ACCOUNT:vpc/ID</c>, <c>rds:cluster</c> of <c>…:cluster:ID</c>.</summary>
    private static string KindOf(string arn) => arn.Split(':') is [_, _, var service, _, _, var resource, ..] ? $"{service}:{resource.Split('/')[0]}" : arn;

    private static string IdOf(string arn) => KindOf(arn) == "cloudformation:stack" ? arn : arn.Split(':') is [_, _, _, _, _, var resource, .. var rest] ? rest.Length > 0 ? string.Join(':', rest) : resource[(resource.IndexOf('/', StringComparison.Ordinal) + 1)..] : arn;
}
