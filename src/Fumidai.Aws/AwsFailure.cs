namespace Fumidai.Aws;

/// <summary>What kind of refusal an AWS call met.</summary>
public enum AwsFailureKind
{
    /// <summary>No, expired or wrong credentials, a sign-in that is missing or over, clock skew.</summary>
    Credentials,
    /// <summary>Not allowed.</summary>
    Permission,
    /// <summary>Region, profile or endpoint settings are wrong.</summary>
    Configuration,
    /// <summary>The thing asked for does not exist.</summary>
    NotFound,
    /// <summary>Throttled after retries.</summary>
    Throttled,
    /// <summary>The endpoint could not be reached.</summary>
    Network,
    /// <summary>Anything else the service refused.</summary>
    Refused,
}

/// <summary>An AWS call that failed: which, with what code, in AWS's words. The text is one line and holds no secret.</summary>
/// <param name="kind">What kind of refusal.</param>
/// <param name="operation">Service and operation, e.g. <c>ssm:StartSession</c>; or the setting that was wrong.</param>
/// <param name="code">AWS's error code on the wire; null when there was no answer.</param>
/// <param name="message">One line for the user.</param>
/// <param name="inner">The cause, for <c>--verbose</c>.</param>
public sealed class AwsFailure(AwsFailureKind kind, string operation, string? code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What kind of refusal.</summary>
    public AwsFailureKind Kind { get; } = kind;
    /// <summary>Service and operation, e.g. <c>ssm:StartSession</c>; or the setting that was wrong.</summary>
    public string Operation { get; } = operation;
    /// <summary>AWS's error code on the wire, e.g. <c>TargetNotConnected</c>; null when there was no answer.</summary>
    public string? Code { get; } = code;
}
