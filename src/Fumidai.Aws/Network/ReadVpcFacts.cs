using Amazon.EC2;
using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>A VPC and its DNS attributes.</summary>
/// <param name="Id">vpc-…</param>
/// <param name="Cidrs">Its IPv4 ranges.</param>
/// <param name="Name">Name tag, if any.</param>
/// <param name="HasDnsSupport">enableDnsSupport.</param>
/// <param name="HasDnsHostnames">enableDnsHostnames.</param>
public sealed record VpcFacts(string Id, IReadOnlyList<string> Cidrs, string? Name, bool HasDnsSupport, bool HasDnsHostnames)
{
    /// <summary>Name servers of its own that its DHCP options name; empty: AWS's.</summary>
    public IReadOnlyList<string> OwnNameServers { get; init; } = [];
}

/// <summary>How is a VPC set up? DescribeVpcs, DescribeVpcAttribute, and DescribeDhcpOptions where it has its own.</summary>
public static class ReadVpcFacts
{
    /// <summary>One VPC.</summary>
    /// <exception cref="AwsFailure">NotFound.</exception>
    public static async Task<VpcFacts> OfAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken)
    {
        var vpc = access.AskAsync(AwsService.Ec2, "DescribeVpcs", stop => access.Ec2.DescribeVpcsAsync(new DescribeVpcsRequest { VpcIds = [vpcId] }, stop), cancellationToken);
        var support = AttributeAsync(access, vpcId, VpcAttributeName.EnableDnsSupport, cancellationToken);
        var names = AttributeAsync(access, vpcId, VpcAttributeName.EnableDnsHostnames, cancellationToken);
        await Task.WhenAll(vpc, support, names).ConfigureAwait(false);
        var found = (await vpc.ConfigureAwait(false)).Vpcs[0];
        var servers = found.DhcpOptionsId is { Length: > 0 } options and not "default" ? await NameServersAsync(access, options, cancellationToken).ConfigureAwait(false) : [];
        string[] cidrs = [.. (found.CidrBlockAssociationSet ?? []).Select(a => a.CidrBlock).Append(found.CidrBlock).Where(c => !string.IsNullOrEmpty(c)).Distinct(StringComparer.Ordinal)];
        return new VpcFacts(vpcId, cidrs, found.Tags?.FirstOrDefault(t => t.Key == "Name")?.Value, (await support.ConfigureAwait(false)).EnableDnsSupport == true, (await names.ConfigureAwait(false)).EnableDnsHostnames == true) { OwnNameServers = servers };
    }

    private static async Task<string[]> NameServersAsync(AwsAccess access, string optionsId, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await access.AskAsync(AwsService.Ec2, "DescribeDhcpOptions", stop => access.Ec2.DescribeDhcpOptionsAsync(new DescribeDhcpOptionsRequest { DhcpOptionsIds = [optionsId] }, stop), cancellationToken).ConfigureAwait(false);
            return [.. (answer.DhcpOptions ?? []).SelectMany(o => o.DhcpConfigurations ?? []).Where(c => c.Key == "domain-name-servers").SelectMany(c => c.Values ?? []).Where(v => v != "AmazonProvidedDNS")];
        }
        catch (AwsFailure f) when (f.Kind == AwsFailureKind.Permission)
        {
            // One more thing that may not be looked at; the rest of the VPC is known.
            return [];
        }
    }

    private static Task<DescribeVpcAttributeResponse> AttributeAsync(AwsAccess access, string vpcId, VpcAttributeName name, CancellationToken cancellationToken) =>
        access.AskAsync(AwsService.Ec2, "DescribeVpcAttribute", stop => access.Ec2.DescribeVpcAttributeAsync(new DescribeVpcAttributeRequest { VpcId = vpcId, Attribute = name }, stop), cancellationToken);
}
