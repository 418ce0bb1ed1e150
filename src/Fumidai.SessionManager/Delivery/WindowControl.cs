namespace Fumidai.SessionManager;

/// <summary>
/// How many bytes may wait for their acknowledgement: what the path holds at the measured round trip and a little more, so that a small message is
/// never queued behind much bulk. It grows while the queue in the path stays short and shrinks when it does not. Pure state; the owner holds a lock.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="largest">Upper bound in bytes (protocol §9.3).</param>
internal sealed class WindowControl(TimeProvider time, int largest)
{
    /// <summary>
    /// Never less: on a busy machine a round trip is long because nobody has the processor, and no smaller window makes it shorter. With 48 KiB
    /// an upload sank to 14 MiB/s at a load of 15, where the bare chain had 34.
    /// </summary>
    internal const int Smallest = 160 * 1024;

    /// <summary>Queueing that is tolerated: two milliseconds, or a quarter of the path's own round trip.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(2);

    /// <summary>The shortest round trip is measured anew so often, for paths change.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(4);

    private TimeSpan _shortest = TimeSpan.MaxValue;
    private TimeSpan _shortestLately = TimeSpan.MaxValue;
    private long _remembered = time.GetTimestamp();
    private long _roundBegan = time.GetTimestamp();
    private TimeSpan _sum;
    private int _count;
    private bool _wasFull;

    /// <summary>Bytes allowed.</summary>
    internal int Bytes { get; private set; } = Math.Min(largest, 256 * 1024);

    /// <summary>A sender has to wait for the window.</summary>
    internal void OnFull() => _wasFull = true;

    /// <summary>One message's round trip.</summary>
    internal void Add(TimeSpan roundTrip)
    {
        if (roundTrip < _shortest) _shortest = roundTrip;
        if (roundTrip < _shortestLately) _shortestLately = roundTrip;
        _sum += roundTrip;
        _count++;
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(_roundBegan, now) < (_shortest > Round ? _shortest : Round) || _count < 8) return;
        var mean = _sum / _count;
        var tolerated = _shortest + (_shortest / 4 > Tolerance ? _shortest / 4 : Tolerance);
        if (mean > tolerated) Bytes = Math.Max(Math.Min(Smallest, largest), (int)(Bytes * Math.Max(0.75, tolerated / mean)));
        else if (_wasFull) Bytes = Math.Min(largest, Bytes + (Bytes / 4));
        (_sum, _count, _wasFull, _roundBegan) = (TimeSpan.Zero, 0, false, now);
        if (time.GetElapsedTime(_remembered, now) < Memory) return;
        (_shortest, _shortestLately, _remembered) = (_shortestLately, TimeSpan.MaxValue, now);
    }
}
