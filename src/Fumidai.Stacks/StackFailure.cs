namespace Fumidai.Stacks;

/// <summary>Why something about a stack could not be done. Calls that AWS refuses are <see cref="Aws.AwsFailure"/>s instead.</summary>
public enum StackFailureReason
{
    /// <summary>An option is wrong, alone or for this account. Exit code 2.</summary>
    Usage,
    /// <summary>A stack, VPC, subnet or cluster that does not exist. Exit code 5.</summary>
    NotFound,
    /// <summary>The stack is in a state that does not allow it, or its operation failed. Exit code 1.</summary>
    Failed,
    /// <summary>CloudFormation works with the caller's permissions, and one of them is missing. Exit code 4.</summary>
    Permission,
}

/// <summary>A failure as data; the text is one line.</summary>
/// <param name="reason">Which kind; decides the exit code.</param>
/// <param name="what">What failed, on what, and why: a clause without a full stop.</param>
/// <param name="next">What to do next; null: nothing to advise.</param>
/// <param name="inner">The cause, for <c>--verbose</c>.</param>
public sealed class StackFailure(StackFailureReason reason, string what, string? next = null, Exception? inner = null)
    : Exception(next is null ? what : $"{what}. {next}", inner)
{
    /// <summary>Which kind; decides the exit code.</summary>
    public StackFailureReason Reason { get; } = reason;
    /// <summary>What failed, on what, and why.</summary>
    public string What { get; } = what;
    /// <summary>What to do next, if anything.</summary>
    public string? Next { get; } = next;

    internal static StackFailure Usage(string what, string? next = null) => new(StackFailureReason.Usage, what, next);
}
