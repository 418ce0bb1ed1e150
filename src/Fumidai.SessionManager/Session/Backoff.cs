using System.Security.Cryptography;

namespace Fumidai.SessionManager;

/// <summary>
/// Delays between attempts to connect: none before the first, then 100–199 ms, doubled each time up to 5 s (the official rule, protocol §6.4), then
/// 2.5–5 s for as long as it takes: a laptop may sleep for hours.
/// </summary>
internal sealed class Backoff(TimeProvider time)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);
    private TimeSpan? _next = TimeSpan.Zero;

    /// <summary>Attempts so far.</summary>
    internal int Attempts { get; private set; }

    /// <summary>Waits before the next attempt.</summary>
    internal Task WaitAsync(CancellationToken cancellationToken)
    {
        Attempts++;
        var wait = _next ?? Longest * (0.5 + (RandomNumberGenerator.GetInt32(500) / 1000.0));
        _next = wait == TimeSpan.Zero ? TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(100, 200))
            : wait * 2 <= Longest && _next is not null ? wait * 2
            : null;
        return wait == TimeSpan.Zero ? Task.CompletedTask : Task.Delay(wait, time, cancellationToken);
    }

    /// <summary>A connection proved itself: the next loss is tried again at once.</summary>
    internal void Reset() => (_next, Attempts) = (TimeSpan.Zero, 0);
}
