using System.Text.RegularExpressions;
using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>Reads a stack's events for the one that explains the others.</summary>
public static partial class StackHistory
{
    /// <summary>
    /// Why the last operation failed: the first resource that failed in it, with its own reason. Resources that failed after it were mostly
    /// just cancelled. Null: nothing failed.
    /// </summary>
    public static async Task<string?> WhyAsync(AwsAccess access, CloudFormationStack stack, CancellationToken cancellationToken)
    {
        var events = await ReadStackEvents.AfterAsync(access, stack.Id, null, cancellationToken).ConfigureAwait(false);
        return Why([.. events.Skip(LastStart(events, stack.Status))]) ?? (stack.Status.Contains("FAILED", StringComparison.Ordinal) ? stack.StatusReason : null);
    }

    /// <summary>The first failure among the events of one operation, as <c>Writer (AWS::RDS::DBInstance): reason</c>.</summary>
    internal static string? Why(IReadOnlyList<StackEvent> events)
    {
        var failed = events.Where(e => e.IsFailure).ToList();
        var first = failed.Find(e => !e.IsStack && e.Reason?.Contains("cancelled", StringComparison.OrdinalIgnoreCase) != true)
            ?? failed.Find(e => !e.IsStack) ?? failed.FirstOrDefault();
        if (first is null)
            return null;
        var reason = Bare(first.Reason ?? "no reason was given");
        return first.IsStack ? reason : $"{first.LogicalId} ({first.Type}): {reason}";
    }

    /// <summary>What a resource's own reason means for the caller: EC2, RDS and IAM all say it in these words.</summary>
    internal static StackFailureReason ReasonOf(string why) =>
        why.Contains("not authorized to perform", StringComparison.OrdinalIgnoreCase) ? StackFailureReason.Permission : StackFailureReason.Failed;

    /// <summary>The next step after a failure for this reason.</summary>
    internal static string? Next(string why, string? next) => ReasonOf(why) == StackFailureReason.Permission
        ? "fumidai policy --for up prints what is needed" + (next is null ? "" : $". {next}") : next;

    /// <summary>Index of the event that began the last operation. Where going back failed, going back is the operation.</summary>
    internal static int LastStart(IReadOnlyList<StackEvent> events, string status)
    {
        var isAboutRollback = status is "ROLLBACK_FAILED" or "UPDATE_ROLLBACK_FAILED";
        for (var i = events.Count - 1; i > 0; i--)
        {
            if (events[i].IsStack && (events[i].Status is "CREATE_IN_PROGRESS" or "UPDATE_IN_PROGRESS" or "DELETE_IN_PROGRESS" or "IMPORT_IN_PROGRESS"
                || isAboutRollback && events[i].Status is ("ROLLBACK_IN_PROGRESS" or "UPDATE_ROLLBACK_IN_PROGRESS")))
                return i;
        }
        return 0;
    }

    /// <summary>Takes the service's own sentence out of CloudFormation's wrapping, which may be cut off at its end.</summary>
    public static string Bare(string reason)
    {
        var match = Wrapped().Match(reason);
        return (match.Success ? match.Groups[1].Value : reason).Trim().TrimEnd('.');
    }

    [GeneratedRegex(@"^Resource handler returned message: ""(.*?)(?: \(Service: [^)]*(?:\)[^""]*)?)?(?:"" \(RequestToken: .*)?…?$")]
    private static partial Regex Wrapped();
}
