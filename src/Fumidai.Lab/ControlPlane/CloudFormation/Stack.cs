namespace Fumidai.Lab;

/// <summary>A CloudFormation stack. Read and changed under the model's lock.</summary>
internal sealed class Stack
{
    /// <summary>Its ARN.</summary>
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string Account { get; init; }
    public required string Region { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? UpdatedAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }
    public required string Status { get; set; }
    public string? StatusReason { get; set; }

    /// <summary>What is deployed; null: nothing ever was.</summary>
    public StackInput? Input { get; set; }
    public Dictionary<string, string> Tags { get; } = new(StringComparer.Ordinal);

    /// <summary>Whose permissions the work is done with: who asked last.</summary>
    public required Caller Caller { get; set; }
    public bool IsTerminationProtected { get; set; }
    public bool IsRollbackDisabled { get; set; }

    /// <summary>By logical id, in the order of their creation.</summary>
    public Dictionary<string, StackResource> Resources { get; } = new(StringComparer.Ordinal);

    /// <summary>Oldest first.</summary>
    public List<StackEvent> Events { get; } = [];
    public List<StackOutput> Outputs { get; } = [];
    public List<ChangeSet> ChangeSets { get; } = [];

    /// <summary>Steps of a failed update that are still to be undone.</summary>
    public Stack<UpdateStep> Undo { get; } = new();

    /// <summary>IN_SYNC, DRIFTED, NOT_CHECKED.</summary>
    public string DriftStatus { get; set; } = "NOT_CHECKED";
    public DateTimeOffset? DriftCheckedAt { get; set; }

    /// <summary>Breaks the work off that is under way.</summary>
    public CancellationTokenSource? Work { get; set; }

    /// <summary>Completes when the last work has ended.</summary>
    public Task Running { get; set; } = Task.CompletedTask;

    /// <summary>ClientRequestToken of the last operation; its events carry it.</summary>
    public string? Token { get; set; }

    public bool IsBusy => Status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal) && Status != "REVIEW_IN_PROGRESS";
}

/// <summary>Template and what it is deployed with.</summary>
/// <param name="Template"></param>
/// <param name="Parameters">As given, defaults included.</param>
/// <param name="Resolved">Values of SSM parameters, read when they were given.</param>
/// <param name="Tags">The stack's.</param>
/// <param name="Capabilities">Acknowledged.</param>
internal sealed record StackInput(Template Template, IReadOnlyDictionary<string, string> Parameters, IReadOnlyDictionary<string, string> Resolved, IReadOnlyDictionary<string, string> Tags, IReadOnlyList<string> Capabilities);

/// <summary>A resource of a stack.</summary>
internal sealed class StackResource
{
    public required string LogicalId { get; init; }
    public required ResourceType Type { get; init; }
    public string? PhysicalId { get; set; }
    public string Status { get; set; } = "CREATE_IN_PROGRESS";
    public string? StatusReason { get; set; }
    public DateTimeOffset ChangedAt { get; set; }

    /// <summary>As it was last made or changed.</summary>
    public TemplateNode.Map Properties { get; set; } = TemplateNode.Empty;

    /// <summary>The tags it got, the stack's among them.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; set; } = new Dictionary<string, string>();
    public string? DeletionPolicy { get; set; }
    public IReadOnlySet<string> Needs { get; set; } = new HashSet<string>();

    /// <summary>IN_SYNC, MODIFIED, DELETED, NOT_CHECKED.</summary>
    public string DriftStatus { get; set; } = "NOT_CHECKED";
    public IReadOnlyList<PropertyDrift> Drifts { get; set; } = [];
    public TemplateNode.Map? Actual { get; set; }
    public DateTimeOffset? DriftCheckedAt { get; set; }

    public bool IsThere => PhysicalId is not null && Status != "DELETE_COMPLETE";
}

internal sealed record StackEvent(string Id, DateTimeOffset Time, string LogicalId, string? PhysicalId, string Type, string Status, string? Reason, string? Properties, string? Token);

internal sealed record StackOutput(string Key, string Value, string? Description);

/// <summary>A difference between what a resource was made with and what it is.</summary>
/// <param name="Path">e.g. <c>/SecurityGroupIngress/0</c>.</param>
/// <param name="Kind">ADD, REMOVE, NOT_EQUAL.</param>
/// <param name="Expected">Null: nothing.</param>
/// <param name="Actual">Null: nothing.</param>
internal sealed record PropertyDrift(string Path, string Kind, string? Expected, string? Actual);

/// <summary>One step of an update, as far as undoing it needs.</summary>
internal sealed record UpdateStep(StackResource Resource, bool IsNew, string? PhysicalIdBefore, TemplateNode.Map PropertiesBefore, IReadOnlyDictionary<string, string> TagsBefore);

/// <summary>A change set.</summary>
internal sealed class ChangeSet
{
    /// <summary>Its ARN.</summary>
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string StackId { get; init; }
    public required bool IsCreation { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required StackInput Input { get; init; }
    public string? Description { get; init; }
    public string? OnFailure { get; init; }
    public string Status { get; set; } = "CREATE_PENDING";
    public string? StatusReason { get; set; }
    public string ExecutionStatus { get; set; } = "UNAVAILABLE";
    public IReadOnlyList<ResourceChange> Changes { get; set; } = [];
}

/// <summary>What a change set will do to one resource.</summary>
/// <param name="Action">Add, Modify, Remove.</param>
/// <param name="LogicalId"></param>
/// <param name="PhysicalId">Null: not made yet.</param>
/// <param name="Type"></param>
/// <param name="Replacement">True, False, Conditional; null unless it is modified.</param>
/// <param name="Scope">Properties, Tags.</param>
/// <param name="Details"></param>
internal sealed record ResourceChange(string Action, string LogicalId, string? PhysicalId, string Type, string? Replacement, IReadOnlyList<string> Scope, IReadOnlyList<ChangeDetail> Details);

/// <param name="Attribute">Properties or Tags.</param>
/// <param name="Name">The property.</param>
/// <param name="Recreation">Always, Never, Conditionally.</param>
/// <param name="Evaluation">Static, or Dynamic: known when another resource has changed.</param>
/// <param name="Source">DirectModification, ParameterReference, ResourceReference.</param>
/// <param name="Cause">The parameter or resource.</param>
internal sealed record ChangeDetail(string Attribute, string? Name, string Recreation, string Evaluation, string Source, string? Cause);
