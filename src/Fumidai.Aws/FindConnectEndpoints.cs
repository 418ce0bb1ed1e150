using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>Which EC2 Instance Connect Endpoints are there? Source: DescribeInstanceConnectEndpoints (aws-facts §6.1).</summary>
public static class FindConnectEndpoints
{
    /// <summary>Endpoints of a VPC (null: of the region).</summary>
    public static async Task<IReadOnlyList<ConnectEndpoint>> ListAsync(AwsAccess access, string? vpcId, CancellationToken cancellationToken)
    {
        var request = new DescribeInstanceConnectEndpointsRequest();
        if (vpcId is not null)
            request.Filters = [new Filter("vpc-id", [vpcId])];
        var found = new List<ConnectEndpoint>();
        do
        {
            var page = await access.AskAsync(
                AwsService.Ec2, "DescribeInstanceConnectEndpoints", stop => access.Ec2.DescribeInstanceConnectEndpointsAsync(request, stop), cancellationToken).ConfigureAwait(false);
            found.AddRange((page.InstanceConnectEndpoints ?? []).Select(Describe));
            request.NextToken = page.NextToken;
        }
        while (!string.IsNullOrEmpty(request.NextToken));
        return found;
    }

    /// <summary>The endpoint for an instance: usable, in its subnet, else in its VPC.</summary>
    public static ConnectEndpoint? For(IEnumerable<ConnectEndpoint> endpoints, BastionInstance bastion) =>
        endpoints.Where(e => e.IsUsable && e.DnsName.Length > 0 && e.VpcId == bastion.VpcId)
            .OrderByDescending(e => e.SubnetId == bastion.SubnetId).ThenBy(e => e.Id, StringComparer.Ordinal).FirstOrDefault();

    private static ConnectEndpoint Describe(Ec2InstanceConnectEndpoint endpoint) => new()
    {
        Id = endpoint.InstanceConnectEndpointId,
        State = endpoint.State?.Value ?? "unknown",
        DnsName = endpoint.DnsName ?? "",
        VpcId = endpoint.VpcId,
        SubnetId = endpoint.SubnetId,
        SecurityGroupIds = endpoint.SecurityGroupIds ?? [],
        PreservesClientAddress = endpoint.PreserveClientIp ?? false,
    };
}
