using System.ComponentModel;
using Fumidai.Aws;
using Fumidai.Lab;
using Fumidai.SessionManager;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>A failure as the user sees it: one line and an exit code; the causes only with <c>--verbose</c>. Never a stack trace.</summary>
/// <param name="Line">What failed, on what, why, and what to do next.</param>
/// <param name="ExitCode">See <see cref="ExitCodes"/>.</param>
/// <param name="Causes">The chain beneath, outermost first.</param>
internal sealed record Failure(string Line, int ExitCode, IReadOnlyList<string> Causes)
{
    /// <summary>What is known of the reason, as members of the event <c>failed</c>.</summary>
    internal IReadOnlyDictionary<string, string> Members { get; private init; } = new Dictionary<string, string>();

    internal static Failure Of(Exception exception)
    {
        while (exception is AggregateException { InnerExceptions: [var only] })
            exception = only;
        return new Failure(Visible.Line(Sentence(exception)), ExitCodes.Of(exception), Chain(exception)) { Members = MembersOf(exception) };
    }

    private static string Sentence(Exception exception) => exception switch
    {
        FumidaiException e => e.Message,
        AwsFailure e => Aws(e),
        LabException e => e.Message,
        StackFailure e => e.Message,
        SessionEndedException e => $"the session has ended: {e.Message}",
        // What the system says about files, sockets and programs is fit for users.
        IOException or UnauthorizedAccessException or Win32Exception or TimeoutException => exception.Message,
        _ => $"unexpected {exception.GetType().Name}. Run again with --verbose for the cause, and please report it",
    };

    private static Dictionary<string, string> MembersOf(Exception exception)
    {
        var members = new Dictionary<string, string>(StringComparer.Ordinal);
        switch (exception)
        {
            case FumidaiException e:
                Add("what", e.What);
                Add("reason", e.Cause);
                Add("next", e.Next);
                Add("code", (e.InnerException as AwsFailure)?.Code);
                break;
            case AwsFailure e:
                Add("what", e.Operation);
                Add("reason", e.Message);
                Add("code", e.Code);
                break;
        }
        return members;

        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                members.Add(name, value);
        }
    }

    private static string Aws(AwsFailure failure)
    {
        var cause = failure.Code is { Length: > 0 } code && !failure.Message.Contains(code, StringComparison.Ordinal)
            ? $"{code}: {failure.Message}"
            : failure.Message;
        var next = failure.Kind switch
        {
            AwsFailureKind.Credentials => "Sign in (for instance aws sso login) or choose a profile with --profile",
            AwsFailureKind.Permission => $"Ask for permission to call {failure.Operation}",
            AwsFailureKind.Configuration => "Check --region, --profile and --endpoint-url",
            AwsFailureKind.Throttled => "Try again in a minute",
            AwsFailureKind.Network => "Check the network, the proxy (HTTPS_PROXY) and --endpoint-url",
            _ => null,
        };
        var text = cause.StartsWith(failure.Operation + ": ", StringComparison.Ordinal) ? cause : $"{failure.Operation}: {cause}";
        return next is null ? text : $"{text.TrimEnd('.', ' ')}. {next}";
    }

    private static List<string> Chain(Exception exception)
    {
        var chain = new List<string>();
        // The text of an unexpected exception is its first cause: the line left it out.
        var next = Sentence(exception).StartsWith("unexpected ", StringComparison.Ordinal) ? exception : exception.InnerException;
        for (; next is not null && chain.Count < 20; next = next.InnerException)
            chain.Add(Visible.Line($"{next.GetType().Name}: {next.Message}"));
        return chain;
    }
}
