using Fumidai.Aws;

namespace Fumidai;

/// <summary>Turns a refused AWS call into the product's one kind of failure.</summary>
internal static class AwsRefusal
{
    /// <param name="failure">What AWS said.</param>
    /// <param name="what">What we were doing, e.g. <c>cannot list the databases of eu-west-1</c>.</param>
    /// <param name="otherwise">The reason where AWS's answer alone does not decide it.</param>
    /// <param name="next">The next step where the kind of failure names none.</param>
    internal static FumidaiException ToFumidai(this AwsFailure failure, string what, Reason otherwise = Reason.Failed, string? next = null)
    {
        var cause = failure.Code is { Length: > 0 } code && !failure.Message.Contains(code, StringComparison.Ordinal)
            ? $"{code}: {failure.Message}"
            : failure.Message;
        var (reason, advice, retry) = failure.Kind switch
        {
            AwsFailureKind.Credentials => (Reason.AwsAccess, "Sign in to AWS again, or choose another profile with --profile", false),
            AwsFailureKind.Permission => (Reason.AwsAccess, $"The identity in use needs the permission {failure.Operation}", false),
            AwsFailureKind.Configuration => (Reason.Configuration, next, false),
            AwsFailureKind.NotFound => (Reason.NotFound, next, false),
            AwsFailureKind.Throttled => (otherwise, "Try again in a moment", true),
            AwsFailureKind.Network => (otherwise, "Check the network, the proxy and --endpoint-url", true),
            _ => (otherwise, next, false),
        };
        return new FumidaiException(reason, what, cause, advice, retry, failure);
    }
}
