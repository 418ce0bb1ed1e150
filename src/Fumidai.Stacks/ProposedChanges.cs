using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>What would change, as CloudFormation sees it: a change set that waits to be executed or withdrawn.</summary>
public sealed record ProposedChanges
{
    /// <summary>Stack's name.</summary>
    public required string Name { get; init; }
    /// <summary>Change set's ARN.</summary>
    public required string ChangeSetId { get; init; }
    /// <summary>Stack's ARN: keep it, it answers even when the stack is gone.</summary>
    public required string StackId { get; init; }
    /// <summary>Whether the stack is created.</summary>
    public required bool IsCreation { get; init; }
    /// <summary>Each resource that is added, modified or removed.</summary>
    public IReadOnlyList<ResourceChange> Changes { get; init; } = [];
    /// <summary>Nothing would change; the change set is removed already.</summary>
    public bool IsEmpty { get; init; }
    /// <summary>Changes that lose data: the cluster, or its instance, would be removed or replaced.</summary>
    public IEnumerable<ResourceChange> LosesData => Changes.Where(c => c.Type is "AWS::RDS::DBCluster" or "AWS::RDS::DBInstance" && (c.Action == "Remove" || c.Replacement is "True" or "Conditional"));
}
