using Amazon.EC2;
using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>A VPC endpoint.</summary>
/// <param name="Id">vpce-…</param>
/// <param name="Service">Last part of the service name: <c>ssm</c>, <c>s3</c> …</param>
/// <param name="IsGateway">A gateway endpoint (free, in route tables) instead of an interface one.</param>
/// <param name="State">Lower case: available, pending, failed …</param>
/// <param name="HasPrivateDns">Whether the service's usual name leads to it.</param>
/// <param name="SubnetIds">Where its interfaces stand.</param>
/// <param name="GroupIds">Its security groups.</param>
/// <param name="Policy">Its policy document; null: none told.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Tags">Its tags.</param>
public sealed record EndpointFacts(
    string Id, string Service, bool IsGateway, string State, bool HasPrivateDns, IReadOnlyList<string> SubnetIds, IReadOnlyList<string> GroupIds, string? Policy, DateTimeOffset? Created, IReadOnlyDictionary<string, string> Tags);

/// <summary>Which endpoints has a VPC? DescribeVpcEndpoints.</summary>
public static class ReadVpcEndpoints
{
    /// <summary>All that are not deleted.</summary>
    public static async Task<IReadOnlyList<EndpointFacts>> OfAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken)
    {
        var all = await Ec2Pages.AllAsync(access, "DescribeVpcEndpoints", async (token, stop) =>
        {
            var page = await access.Ec2.DescribeVpcEndpointsAsync(new DescribeVpcEndpointsRequest { Filters = [new("vpc-id", [vpcId])], NextToken = token }, stop).ConfigureAwait(false);
            return (page.VpcEndpoints?.Select(Describe), page.NextToken);
        }, cancellationToken).ConfigureAwait(false);
        return [.. all.Where(e => e.State is not ("deleting" or "deleted"))];
    }

    private static EndpointFacts Describe(Amazon.EC2.Model.VpcEndpoint e) => new(
        e.VpcEndpointId, (e.ServiceName ?? "").Split('.')[^1], e.VpcEndpointType == VpcEndpointType.Gateway, (e.State?.Value ?? "").ToLowerInvariant(), e.PrivateDnsEnabled == true,
        e.SubnetIds ?? [], [.. (e.Groups ?? []).Select(g => g.GroupId)], e.PolicyDocument, e.CreationTimestamp is { } at ? new DateTimeOffset(at.ToUniversalTime()) : null,
        (e.Tags ?? []).DistinctBy(t => t.Key).ToDictionary(t => t.Key, t => t.Value ?? "", StringComparer.Ordinal));
}
