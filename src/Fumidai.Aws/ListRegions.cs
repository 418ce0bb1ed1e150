using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>Which regions may this account use? ec2:DescribeRegions.</summary>
public static class ListRegions
{
    /// <summary>Names of those that are switched on.</summary>
    public static async Task<IReadOnlyList<string>> AskAsync(AwsAccess access, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        var answer = await access.AskAsync(AwsService.Ec2, "DescribeRegions", stop => access.Ec2.DescribeRegionsAsync(new DescribeRegionsRequest(), stop), cancellationToken).ConfigureAwait(false);
        return [.. (answer.Regions ?? []).Where(r => r.OptInStatus != "not-opted-in").Select(r => r.RegionName)];
    }
}
