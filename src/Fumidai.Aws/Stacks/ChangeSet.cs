namespace Fumidai.Aws;

/// <summary>A change set as DescribeChangeSet tells it.</summary>
public sealed record ChangeSet
{
    /// <summary>ARN of the change set.</summary>
    public required string Id { get; init; }
    /// <summary>ARN of its stack.</summary>
    public required string StackId { get; init; }
    /// <summary><c>CREATE_PENDING</c>, <c>CREATE_IN_PROGRESS</c>, <c>CREATE_COMPLETE</c>, <c>FAILED</c> …</summary>
    public required string Status { get; init; }
    /// <summary>CloudFormation's words about a failure.</summary>
    public string? StatusReason { get; init; }
    /// <summary><c>AVAILABLE</c> when it can be executed.</summary>
    public string? ExecutionStatus { get; init; }
    /// <summary>What it would do, all pages.</summary>
    public IReadOnlyList<ResourceChange> Changes { get; init; } = [];
    /// <summary>Still being computed.</summary>
    public bool IsPending => Status is "CREATE_PENDING" or "CREATE_IN_PROGRESS" || Status == "CREATE_COMPLETE" && ExecutionStatus is "UNAVAILABLE";
    /// <summary>Failed only because there is nothing to do. Source: aws-facts §1, CloudFormation.</summary>
    public bool IsEmpty => Status == "FAILED" && StatusReason is { } reason
        && (reason.Contains("didn't contain changes", StringComparison.Ordinal) || reason.Contains("No updates are to be performed", StringComparison.Ordinal));
}

/// <summary>One resource a change set would touch.</summary>
/// <param name="Action"><c>Add</c>, <c>Modify</c>, <c>Remove</c>, <c>Import</c>, <c>Dynamic</c>.</param>
/// <param name="LogicalId">Name in the template.</param>
/// <param name="PhysicalId">What exists of it, if anything.</param>
/// <param name="Type">E.g. <c>AWS::EC2::VPC</c>.</param>
/// <param name="Replacement"><c>True</c>, <c>False</c>, <c>Conditional</c>; null: not a modification.</param>
public sealed record ResourceChange(string Action, string LogicalId, string? PhysicalId, string Type, string? Replacement);
