using System.Globalization;
using System.Xml.Linq;

namespace Fumidai.Aws;

/// <summary>One thing that happened to a stack or to one of its resources.</summary>
public sealed record StackEvent
{
    /// <summary>Unique id.</summary>
    public required string Id { get; init; }
    /// <summary>When.</summary>
    public DateTimeOffset Time { get; init; }
    /// <summary>Name in the template; the stack's name when the event is the stack's own.</summary>
    public required string LogicalId { get; init; }
    /// <summary>What it became, if known.</summary>
    public string? PhysicalId { get; init; }
    /// <summary>E.g. <c>AWS::EC2::VPC</c>.</summary>
    public string Type { get; init; } = "";
    /// <summary>E.g. <c>CREATE_IN_PROGRESS</c>, <c>CREATE_FAILED</c>.</summary>
    public required string Status { get; init; }
    /// <summary>CloudFormation's or the service's words.</summary>
    public string? Reason { get; init; }
    /// <summary>Whether it is the stack's own event.</summary>
    public bool IsStack { get; init; }
    /// <summary>Whether something failed.</summary>
    public bool IsFailure => Status.EndsWith("_FAILED", StringComparison.Ordinal);
}

/// <summary>What happened to this stack? DescribeStackEvents.</summary>
public static class ReadStackEvents
{
    /// <summary>Events later than one known, oldest first.</summary>
    /// <param name="access">Account and region.</param>
    /// <param name="stackId">ARN, which answers for deleted stacks too.</param>
    /// <param name="afterId">The last event known; null: from the stack's beginning. It ends the reading of pages, so polling stays cheap.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task<IReadOnlyList<StackEvent>> AfterAsync(AwsAccess access, string stackId, string? afterId, CancellationToken cancellationToken)
    {
        var newestFirst = await StackPages.ReadAsync(access, "DescribeStackEvents", "StackEvents", [new("StackName", stackId)], cancellationToken,
            all => afterId is not null && all.Any(e => e.Text("EventId") == afterId)).ConfigureAwait(false);
        var events = newestFirst.Select(e => Event(e, stackId)).TakeWhile(e => e.Id != afterId).ToList();
        events.Reverse();
        return events;
    }

    /// <summary>Id of the newest event, in one call; null: there is none.</summary>
    public static async Task<string?> LatestIdAsync(AwsAccess access, string stackId, CancellationToken cancellationToken)
    {
        var newestFirst = await StackPages.ReadAsync(access, "DescribeStackEvents", "StackEvents", [new("StackName", stackId)], cancellationToken, all => all.Count > 0).ConfigureAwait(false);
        return newestFirst.Select(e => e.Text("EventId")).FirstOrDefault();
    }

    private static StackEvent Event(XElement element, string stackId) => new()
    {
        Id = element.Text("EventId") ?? "",
        Time = DateTimeOffset.TryParse(element.Text("Timestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : default,
        LogicalId = element.Text("LogicalResourceId") ?? "",
        PhysicalId = element.Text("PhysicalResourceId"),
        Type = element.Text("ResourceType") ?? "",
        Status = element.Text("ResourceStatus") ?? "",
        Reason = element.Text("ResourceStatusReason") is { } reason ? Failures.OneLine(reason) : null,
        IsStack = element.Text("PhysicalResourceId") == (element.Text("StackId") ?? stackId),
    };
}
