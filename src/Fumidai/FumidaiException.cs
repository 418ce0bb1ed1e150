namespace Fumidai;

/// <summary>The closed set of reasons a Fumidai operation fails for. Each maps to one exit code (design §4).</summary>
public enum Reason
{
    /// <summary>Failed otherwise. Exit code 1.</summary>
    Failed = 1,
    /// <summary>The command line is wrong. Exit code 2.</summary>
    Usage = 2,
    /// <summary>The configuration file or an environment variable is wrong. Exit code 3.</summary>
    Configuration = 3,
    /// <summary>AWS credentials are missing, expired or refused, or a permission lacks. Exit code 4.</summary>
    AwsAccess = 4,
    /// <summary>The target, bastion, secret or profile does not exist. Exit code 5.</summary>
    NotFound = 5,
    /// <summary>No route could be opened. Exit code 6.</summary>
    NoRoute = 6,
    /// <summary>An open route was lost and given up. Exit code 7.</summary>
    RouteLost = 7,
    /// <summary>The database refused the sign-in, or its TLS could not be verified. Exit code 8.</summary>
    SignIn = 8,
}

/// <summary>
/// A failure as data: what was done, on what, why, and what to do next. The text never holds a secret or a stack.
/// </summary>
public sealed class FumidaiException : Exception
{
    /// <param name="reason">The kind of failure; decides the exit code.</param>
    /// <param name="what">What failed, on what: a clause without a full stop, e.g. <c>cannot start a session on i-0abc</c>.</param>
    /// <param name="cause">Why, with the AWS error code where there is one; null when nothing more is known.</param>
    /// <param name="next">What to do next, a command where possible; null when there is nothing to advise.</param>
    /// <param name="retry">Whether trying again may help.</param>
    /// <param name="inner">The cause chain, shown by <c>--verbose</c>.</param>
    public FumidaiException(Reason reason, string what, string? cause = null, string? next = null, bool retry = false, Exception? inner = null)
        : base(Sentence(what, cause, next), inner)
    {
        Reason = reason;
        What = what;
        Cause = cause;
        Next = next;
        IsTransient = retry;
    }

    /// <summary>The kind of failure.</summary>
    public Reason Reason { get; }

    /// <summary>What failed, on what.</summary>
    public string What { get; }

    /// <summary>Why, if known.</summary>
    public string? Cause { get; }

    /// <summary>What to do next, if anything.</summary>
    public string? Next { get; }

    /// <summary>Whether trying again may help.</summary>
    public bool IsTransient { get; }

    /// <summary>Whether it warns of an attack: then no other way is tried, so that the warning is the last thing seen.</summary>
    internal bool IsAlarm { get; init; }

    private static string Sentence(string what, string? cause, string? next)
    {
        var text = cause is null ? what : $"{what}: {cause}";
        text = text.ReplaceLineEndings(" ").Trim();
        return next is null ? text : $"{text.TrimEnd('.')}. {next.ReplaceLineEndings(" ").Trim()}";
    }
}
