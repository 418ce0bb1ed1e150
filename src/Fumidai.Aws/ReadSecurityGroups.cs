using System.Net;
using System.Net.Sockets;
using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>Do security groups let a source in? Source: DescribeSecurityGroups (aws-facts §1.2, §8.1).</summary>
public static class ReadSecurityGroups
{
    /// <summary>
    /// True when an inbound rule of one of the groups admits TCP to <paramref name="port"/> from the source address, or from one of the source's groups. Prefix
    /// lists are not resolved: a rule by prefix list admits nobody here.
    /// </summary>
    /// <param name="access">Account and region.</param>
    /// <param name="groupIds">The destination's groups; none of them: nothing is admitted.</param>
    /// <param name="port">Destination port.</param>
    /// <param name="source">The source's address as the destination sees it; null: only groups count.</param>
    /// <param name="sourceGroupIds">The source's groups.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="AwsFailure">A group does not exist, or may not be read.</exception>
    public static async Task<bool> AdmitAsync(AwsAccess access, IReadOnlyList<string> groupIds, int port, IPAddress? source, IReadOnlyList<string> sourceGroupIds, CancellationToken cancellationToken)
    {
        if (groupIds.Count == 0)
            return false;
        var request = new DescribeSecurityGroupsRequest { GroupIds = [.. groupIds] };
        do
        {
            var page = await access.AskAsync(AwsService.Ec2, "DescribeSecurityGroups", stop => access.Ec2.DescribeSecurityGroupsAsync(request, stop), cancellationToken).ConfigureAwait(false);
            if ((page.SecurityGroups ?? []).SelectMany(g => g.IpPermissions ?? []).Any(rule => Admits(rule, port, source, sourceGroupIds)))
                return true;
            request.NextToken = page.NextToken;
        }
        while (!string.IsNullOrEmpty(request.NextToken));
        return false;
    }

    internal static bool Admits(IpPermission rule, int port, IPAddress? source, IReadOnlyList<string> sourceGroupIds)
    {
        var isThisPort = rule.IpProtocol switch
        {
            "-1" => true,
            "tcp" or "6" => (rule.FromPort ?? 0) <= port && port <= (rule.ToPort ?? 65_535),
            _ => false,
        };
        if (!isThisPort)
            return false;
        if ((rule.UserIdGroupPairs ?? []).Any(pair => sourceGroupIds.Contains(pair.GroupId, StringComparer.Ordinal)))
            return true;
        if (source is null)
            return false;
        if (source.IsIPv4MappedToIPv6)
            source = source.MapToIPv4();
        return source.AddressFamily == AddressFamily.InterNetworkV6
            ? (rule.Ipv6Ranges ?? []).Any(r => Contains(r.CidrIpv6, source))
            : (rule.Ipv4Ranges ?? []).Any(r => Contains(r.CidrIp, source));
    }

    private static bool Contains(string? cidr, IPAddress address)
    {
        // IPNetwork refuses host bits; AWS stores networks without them, but emulators do not.
        if (cidr?.Split('/') is not [var text, var bits] || !IPAddress.TryParse(text, out var network) || network.AddressFamily != address.AddressFamily
            || !int.TryParse(bits, System.Globalization.CultureInfo.InvariantCulture, out var length) || length < 0)
            return false;
        var (left, right) = (network.GetAddressBytes(), address.GetAddressBytes());
        if (length > left.Length * 8)
            return false;
        for (var bit = 0; bit < length; bit++)
        {
            var mask = 0x80 >> (bit & 7);
            if ((left[bit >> 3] & mask) != (right[bit >> 3] & mask))
                return false;
        }
        return true;
    }
}
