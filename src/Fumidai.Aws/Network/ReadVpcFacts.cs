using Amazon.EC2;
using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>A VPC and its DNS attributes.</summary>
/// <param name="Id">vpc-…</param>
/// <param name="Cidrs">Its IPv4 ranges.</param>
/// <param name="Name">Name tag, if any.</param>
/// <param name="HasDnsSupport">enableDnsSupport.</param>
/// <param name="HasDnsHostnames">enableDnsHostnames.</param>
public sealed record VpcFacts(string Id, IReadOnlyList<string> Cidrs, string? Name, bool HasDnsSupport, bool HasDnsHostnames);

/// <summary>How is a VPC set up? DescribeVpcs, DescribeVpcAttribute.</summary>
public static class ReadVpcFacts
{
    /// <summary>One VPC.</summary>
    /// <exception cref="AwsFailure">NotFound.</exception>
    public static async Task<VpcFacts> OfAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken)
    {
        var vpc = ReadVpcs.ListAsync(access, vpcId, cancellationToken);
        var support = AttributeAsync(access, vpcId, VpcAttributeName.EnableDnsSupport, cancellationToken);
        var names = AttributeAsync(access, vpcId, VpcAttributeName.EnableDnsHostnames, cancellationToken);
        await Task.WhenAll(vpc, support, names).ConfigureAwait(false);
        var found = (await vpc.ConfigureAwait(false))[0];
        return new VpcFacts(vpcId, found.Cidrs, found.Tags.GetValueOrDefault("Name"), (await support.ConfigureAwait(false)).EnableDnsSupport == true, (await names.ConfigureAwait(false)).EnableDnsHostnames == true);
    }

    private static Task<DescribeVpcAttributeResponse> AttributeAsync(AwsAccess access, string vpcId, VpcAttributeName name, CancellationToken cancellationToken) =>
        access.AskAsync(AwsService.Ec2, "DescribeVpcAttribute", stop => access.Ec2.DescribeVpcAttributeAsync(new DescribeVpcAttributeRequest { VpcId = vpcId, Attribute = name }, stop), cancellationToken);
}
