using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>What can be done with a stack in the state it is in.</summary>
public enum StackPhase
{
    /// <summary>There is none.</summary>
    Absent,
    /// <summary>An empty one that a change set made, and nobody executed.</summary>
    Draft,
    /// <summary>Complete: it can be changed.</summary>
    Settled,
    /// <summary>An operation is under way; it goes on without us.</summary>
    Busy,
    /// <summary>Being deleted.</summary>
    Deleting,
    /// <summary>A first creation that failed and was rolled back: empty, and good for deletion only.</summary>
    Leftover,
    /// <summary>An operation failed and left things behind; deletion is the way on.</summary>
    Broken,
    /// <summary>An update failed, and so did going back; the rollback can be taken up again.</summary>
    StuckRollback,
}

/// <summary>A stack's state in words.</summary>
/// <param name="Phase">What can be done.</param>
/// <param name="Status">CloudFormation's word; empty: there is no stack.</param>
/// <param name="Sentence">What that means.</param>
/// <param name="Next">What to do about it; null: nothing.</param>
public sealed record StackStanding(StackPhase Phase, string Status, string Sentence, string? Next)
{
    /// <summary>Reads the state of a stack; null: there is none.</summary>
    public static StackStanding Of(CloudFormationStack? stack)
    {
        var name = stack?.Name ?? "";
        var status = stack?.Status ?? "";
        return status switch
        {
            "" or "DELETE_COMPLETE" => new(StackPhase.Absent, status, "there is no such stack", null),
            "REVIEW_IN_PROGRESS" => new(StackPhase.Draft, status, "planned, and nothing of it built", $"fumidai up --name {name} builds it, fumidai down --name {name} removes it"),
            "ROLLBACK_COMPLETE" => new(StackPhase.Leftover, status, "its creation failed and was undone; what is left is an empty stack", $"fumidai up --name {name} begins anew, fumidai down --name {name} removes it"),
            "CREATE_FAILED" => new(StackPhase.Broken, status, "its creation failed and was not undone", $"fumidai down --name {name} takes it down"),
            "ROLLBACK_FAILED" => new(StackPhase.Broken, status, "its creation failed, and undoing it failed too", $"Remove the cause, then fumidai down --name {name}"),
            "DELETE_FAILED" => new(StackPhase.Broken, status, "its deletion stopped half-way", $"Remove the cause, then fumidai down --name {name} again"),
            "UPDATE_FAILED" => new(StackPhase.Broken, status, "an update failed and was not undone", $"fumidai down --name {name} takes it down"),
            "UPDATE_ROLLBACK_FAILED" => new(StackPhase.StuckRollback, status, "an update failed, and going back failed too", $"Remove the cause, then fumidai up --name {name} takes the rollback up again"),
            "DELETE_IN_PROGRESS" => new(StackPhase.Deleting, status, "being deleted", $"fumidai down --name {name} follows it"),
            _ when status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal) => new(StackPhase.Busy, status, "CloudFormation is at work on it", $"fumidai up --name {name} follows it"),
            "UPDATE_ROLLBACK_COMPLETE" => new(StackPhase.Settled, status, "its last update failed and was undone; it is as it was before", null),
            _ => new(StackPhase.Settled, status, "complete", null),
        };
    }
}
