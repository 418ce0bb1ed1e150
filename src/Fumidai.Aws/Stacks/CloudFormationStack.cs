namespace Fumidai.Aws;

/// <summary>A CloudFormation stack as DescribeStacks tells it. Source: aws-facts §1.7.</summary>
public sealed record CloudFormationStack
{
    /// <summary>ARN: the only name that still answers once the stack is deleted.</summary>
    public required string Id { get; init; }
    /// <summary>Name.</summary>
    public required string Name { get; init; }
    /// <summary>E.g. <c>CREATE_COMPLETE</c>, <c>REVIEW_IN_PROGRESS</c>.</summary>
    public required string Status { get; init; }
    /// <summary>CloudFormation's words about the status, if any.</summary>
    public string? StatusReason { get; init; }
    /// <summary>When it was created, if told.</summary>
    public DateTimeOffset? Created { get; init; }
    /// <summary>Whether DeleteStack is refused.</summary>
    public bool IsTerminationProtected { get; init; }
    /// <summary>Parameter values as given; for a parameter read from SSM the value it resolved to.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();
    /// <summary>Outputs.</summary>
    public IReadOnlyDictionary<string, string> Outputs { get; init; } = new Dictionary<string, string>();
    /// <summary>Tags of the stack.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();
}
