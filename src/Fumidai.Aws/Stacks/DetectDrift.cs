using System.Xml.Linq;

namespace Fumidai.Aws;

/// <summary>A resource that no longer is what the template says.</summary>
/// <param name="LogicalId">Name in the template.</param>
/// <param name="PhysicalId">Id of what exists.</param>
/// <param name="Type">E.g. <c>AWS::EC2::SecurityGroup</c>.</param>
/// <param name="Status"><c>MODIFIED</c> or <c>DELETED</c>.</param>
/// <param name="Differences">Each changed property.</param>
public sealed record DriftedResource(string LogicalId, string? PhysicalId, string Type, string Status, IReadOnlyList<PropertyDifference> Differences);

/// <summary>One property that differs from the template.</summary>
/// <param name="Path">E.g. <c>/SecurityGroupIngress/0/CidrIp</c>.</param>
/// <param name="Expected">By the template; null: nothing.</param>
/// <param name="Actual">As found; null: nothing.</param>
public sealed record PropertyDifference(string Path, string? Expected, string? Actual);

/// <summary>Does the stack still match its template? DetectStackDrift, DescribeStackDriftDetectionStatus, DescribeStackResourceDrifts.</summary>
public static class DetectDrift
{
    internal static readonly TimeSpan PollPeriod = TimeSpan.FromSeconds(3);

    /// <summary>How long CloudFormation may look.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Starts a detection, waits for it, and lists what differs; none: the stack is in sync.</summary>
    /// <exception cref="AwsFailure">Refused: CloudFormation could not tell, or is busy with the stack, or took more than five minutes.</exception>
    public static async Task<IReadOnlyList<DriftedResource>> AskAsync(AwsAccess access, string nameOrId, CancellationToken cancellationToken)
    {
        var started = await access.AskAsync(AwsService.CloudFormation, "DetectStackDrift",
            stop => access.CloudFormation.QueryAsync("DetectStackDrift", [new("StackName", nameOrId)], stop), cancellationToken).ConfigureAwait(false);
        var detection = started.Text("StackDriftDetectionId") ?? "";
        var began = access.Time.GetTimestamp();
        while (true)
        {
            var status = await access.AskAsync(AwsService.CloudFormation, "DescribeStackDriftDetectionStatus",
                stop => access.CloudFormation.QueryAsync("DescribeStackDriftDetectionStatus", [new("StackDriftDetectionId", detection)], stop), cancellationToken).ConfigureAwait(false);
            switch (status.Text("DetectionStatus"))
            {
                case "DETECTION_COMPLETE":
                    return await ReadAsync(access, nameOrId, cancellationToken).ConfigureAwait(false);
                case "DETECTION_FAILED":
                    throw Failed(Failures.OneLine(status.Text("DetectionStatusReason") ?? "no reason was given"));
            }
            if (access.Time.GetElapsedTime(began) > Limit)
                throw Failed($"no result after {Limit.TotalMinutes:0} minutes");
            await Task.Delay(PollPeriod, access.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<IReadOnlyList<DriftedResource>> ReadAsync(AwsAccess access, string nameOrId, CancellationToken cancellationToken)
    {
        var all = await StackPages.ReadAsync(access, "DescribeStackResourceDrifts", "StackResourceDrifts",
            [new("StackName", nameOrId), new("StackResourceDriftStatusFilters.member.1", "MODIFIED"), new("StackResourceDriftStatusFilters.member.2", "DELETED")], cancellationToken).ConfigureAwait(false);
        return [.. all.Select(d => new DriftedResource(d.Text("LogicalResourceId") ?? "", d.Text("PhysicalResourceId"), d.Text("ResourceType") ?? "",
            d.Text("StackResourceDriftStatus") ?? "", [.. d.Children("PropertyDifferences", "member").Select(Difference)]))];
    }

    private static PropertyDifference Difference(XElement difference) => new(difference.Text("PropertyPath") ?? "", difference.Text("ExpectedValue"), difference.Text("ActualValue"));

    private static AwsFailure Failed(string why) => new(AwsFailureKind.Refused, "cloudformation:DetectStackDrift", null, $"cloudformation:DetectStackDrift: {why}");
}
