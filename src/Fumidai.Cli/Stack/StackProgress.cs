using System.Globalization;
using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>Shows a stack's events as they come: one line for each resource that is done, and on a terminal what is being worked on.</summary>
/// <param name="screen">Where to.</param>
/// <param name="doing">What is being done: “Building fumidai”.</param>
/// <param name="expected">How many resources will be done; null: not known.</param>
internal sealed class StackProgress(Screen screen, string doing, int? expected)
{
    private readonly List<string> _busy = [];
    private int _done;

    /// <summary>Follows to the end.</summary>
    internal async Task FollowAsync(IAsyncEnumerable<StackEvent> events)
    {
        Wait();
        await foreach (var one in events)
            Show(one);
        screen.Waiting(null);
    }

    internal void Show(StackEvent one)
    {
        var verb = VerbOf(one);
        if (!one.IsStack)
        {
            _busy.Remove(one.LogicalId);
            if (one.Status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal))
                _busy.Add(one.LogicalId);
            if (one.Status.EndsWith("_COMPLETE", StringComparison.Ordinal))
                _done++;
        }
        // The stack's own events are told by who follows, but for its turning back.
        if (verb is not null && (!one.IsStack || one.IsFailure || one.Status.Contains("ROLLBACK", StringComparison.Ordinal)))
        {
            screen.Report(new TunnelEvent("resource", Line(one, verb), new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["resource"] = one.LogicalId,
                ["type"] = one.Type,
                ["id"] = one.PhysicalId ?? "",
                ["status"] = one.Status,
                ["reason"] = one.Reason ?? "",
            }));
        }
        Wait();
    }

    private static string Line(StackEvent one, string verb)
    {
        var what = one.IsStack ? $"stack {one.LogicalId}" : one.LogicalId;
        var why = one.Reason is { Length: > 0 } reason && (one.IsFailure || one.IsStack) ? $": {StackHistory.Bare(reason)}" : "";
        var id = one.PhysicalId is { Length: > 0 and <= 80 } physical && !one.IsStack && why.Length == 0 ? $"  {physical}" : "";
        return $"{verb,-8} {what}{id}{why}";
    }

    private static string? VerbOf(StackEvent one) => one.Status switch
    {
        "CREATE_COMPLETE" => "created",
        "UPDATE_COMPLETE" => "changed",
        "DELETE_COMPLETE" => "deleted",
        "DELETE_SKIPPED" => "kept",
        _ when one.IsFailure => "failed",
        _ when one.IsStack && one.Status.EndsWith("ROLLBACK_IN_PROGRESS", StringComparison.Ordinal) => "undoing",
        _ => null,
    };

    private void Wait()
    {
        var count = expected is { } all ? string.Create(CultureInfo.InvariantCulture, $": {Math.Min(_done, all)} of {all}") : "";
        screen.Waiting(_busy.Count == 0 ? doing + count : $"{doing}{count}, now {string.Join(", ", _busy.Take(3))}{(_busy.Count > 3 ? " …" : "")}");
    }
}
