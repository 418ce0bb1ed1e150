using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>A NAT gateway.</summary>
/// <param name="Id">nat-…</param>
/// <param name="SubnetId">Where it stands.</param>
/// <param name="State">available, pending, failed …</param>
/// <param name="Failure">Why it failed, in AWS's words.</param>
/// <param name="IsPublic">Whether it leads to the internet.</param>
public sealed record NatFacts(string Id, string SubnetId, string State, string? Failure, bool IsPublic);

/// <summary>An EC2 Instance Connect Endpoint.</summary>
/// <param name="Id">eice-…</param>
/// <param name="SubnetId">Where it stands.</param>
/// <param name="State">create-complete …</param>
/// <param name="GroupIds">Its security groups.</param>
/// <param name="PreservesClientAddress">Whether instances see the laptop's address instead of the endpoint's.</param>
public sealed record ConnectEndpointFacts(string Id, string SubnetId, string State, IReadOnlyList<string> GroupIds, bool PreservesClientAddress);

/// <summary>Which gateways and Instance Connect Endpoints has a VPC? DescribeNatGateways, DescribeInternetGateways, DescribeInstanceConnectEndpoints.</summary>
public static class ReadGateways
{
    /// <summary>NAT gateways that are not deleted.</summary>
    public static async Task<IReadOnlyList<NatFacts>> NatsAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken)
    {
        var all = await Ec2Pages.AllAsync(access, "DescribeNatGateways", async (token, stop) =>
        {
            // The one EC2 question whose filters are called Filter (aws-facts §1).
            var page = await access.Ec2.DescribeNatGatewaysAsync(new DescribeNatGatewaysRequest { Filter = [new("vpc-id", [vpcId])], NextToken = token }, stop).ConfigureAwait(false);
            return (page.NatGateways?.Select(n => new NatFacts(n.NatGatewayId, n.SubnetId ?? "", n.State?.Value ?? "", n.FailureMessage, n.ConnectivityType?.Value != "private")), page.NextToken);
        }, cancellationToken).ConfigureAwait(false);
        return [.. all.Where(n => n.State is not ("deleted" or "deleting"))];
    }

    /// <summary>Ids of the internet gateways attached to the VPC.</summary>
    public static async Task<IReadOnlyList<string>> InternetAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken) =>
        await Ec2Pages.AllAsync(access, "DescribeInternetGateways", async (token, stop) =>
        {
            var page = await access.Ec2.DescribeInternetGatewaysAsync(new DescribeInternetGatewaysRequest { Filters = [new("attachment.vpc-id", [vpcId])], NextToken = token }, stop).ConfigureAwait(false);
            return (page.InternetGateways?.Select(g => g.InternetGatewayId), page.NextToken);
        }, cancellationToken).ConfigureAwait(false);

    /// <summary>Instance Connect Endpoints of the VPC.</summary>
    public static async Task<IReadOnlyList<ConnectEndpointFacts>> ConnectEndpointsAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken) =>
        await Ec2Pages.AllAsync(access, "DescribeInstanceConnectEndpoints", async (token, stop) =>
        {
            var page = await access.Ec2.DescribeInstanceConnectEndpointsAsync(new DescribeInstanceConnectEndpointsRequest { Filters = [new("vpc-id", [vpcId])], NextToken = token }, stop).ConfigureAwait(false);
            return (page.InstanceConnectEndpoints?.Select(e => new ConnectEndpointFacts(e.InstanceConnectEndpointId, e.SubnetId ?? "", e.State?.Value ?? "", e.SecurityGroupIds ?? [], e.PreserveClientIp == true)), page.NextToken);
        }, cancellationToken).ConfigureAwait(false);
}
