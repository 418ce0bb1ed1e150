namespace Fumidai.SessionManager;

/// <summary>How long to wait for an acknowledgement: the official ends' smoothing (protocol §3.5, vector V8).</summary>
internal sealed class RoundTripTime
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);
    private double _smoothed = 100;      // milliseconds
    private double _variation;

    /// <summary>How long an unacknowledged message waits before it is sent again: 200 ms at first, never over 1 s.</summary>
    internal TimeSpan ResendAfter { get; private set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Adds the time from the first transmission to the acknowledgement. Counting from the first keeps the estimate above the truth when a copy
    /// was sent needlessly; counting from the last would sink it until everything is sent twice.
    /// </summary>
    internal void Add(TimeSpan sample)
    {
        var milliseconds = Math.Max(0, sample.TotalMilliseconds);
        _variation = (0.75 * _variation) + (0.25 * Math.Abs(_smoothed - milliseconds));
        _smoothed = (0.875 * _smoothed) + (0.125 * milliseconds);
        var wait = TimeSpan.FromMilliseconds(_smoothed + Math.Max(10, 4 * _variation));
        ResendAfter = wait < Longest ? wait : Longest;
    }
}
