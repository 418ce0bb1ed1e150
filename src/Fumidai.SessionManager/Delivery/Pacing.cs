namespace Fumidai.SessionManager;

/// <summary>
/// When a new message may go: not while the service has paused us (protocol §3.6), and not faster than agreed (§9.3). One sender waits at a time.
/// Nothing runs while nobody waits.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="perSecond">Messages per second; 0: no limit.</param>
/// <param name="pauseLimit">A pause ends by itself after this long, for a start_publication may never come; null: it does not.</param>
internal sealed class Pacing(TimeProvider time, int perSecond, TimeSpan? pauseLimit, int burst = Pacing.Burst) : IDisposable
{
    /// <summary>Messages that may go at once after a silence.</summary>
    internal const int Burst = 100;

    /// <summary>What a timer's step of about 4 ms is worth at a thousand messages a second.</summary>
    internal const int Step = 5;

    /// <summary>One wake-up for a few messages; and a timer asked for less than a millisecond fires at once, in vain, again and again.</summary>
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(2);

    private readonly Lock _gate = new();
    private readonly AsyncSignal _changed = new();
    private ITimer? _timer;
    private double _tokens = burst;
    private int _perSecond = perSecond;
    private long _filled = time.GetTimestamp();
    private long? _pausedAt;

    /// <summary>Whether sending is paused now.</summary>
    internal bool IsPaused
    {
        get
        {
            lock (_gate) return StillPaused(out _);
        }
    }

    /// <summary>pause_publication.</summary>
    internal void Pause()
    {
        lock (_gate) _pausedAt = time.GetTimestamp();
    }

    /// <summary>Changes the rate; 0: no limit.</summary>
    /// <param name="perSecond">Messages per second.</param>
    /// <param name="hold">For so long nothing goes at first: the service has just said that it was too much.</param>
    internal void Limit(int perSecond, TimeSpan hold = default)
    {
        lock (_gate)
        {
            Fill();
            _perSecond = perSecond;
            if (hold > TimeSpan.Zero) _tokens = -hold.TotalSeconds * perSecond;
        }
        _changed.Set();
    }

    /// <summary>start_publication, an acknowledgement, or a new connection. True: it had been paused.</summary>
    internal bool Resume()
    {
        lock (_gate)
        {
            if (_pausedAt is null) return false;
            _pausedAt = null;
        }
        _changed.Set();
        return true;
    }

    /// <summary>Takes the right to send one message, if there is one now.</summary>
    internal bool TryTake()
    {
        lock (_gate) return TryTake(out _);
    }

    /// <summary>Waits until <see cref="TryTake()"/> is worth a try.</summary>
    internal async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (MayTake(out var wait)) return;
            _timer ??= time.CreateTimer(static signal => ((AsyncSignal)signal!).Set(), _changed, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(wait ?? Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        await _changed.WaitAsync(cancellationToken);
    }

    private bool TryTake(out TimeSpan? wait)
    {
        if (!MayTake(out wait)) return false;
        if (_perSecond > 0) _tokens--;
        return true;
    }

    private bool MayTake(out TimeSpan? wait)
    {
        if (StillPaused(out wait)) return false;
        if (_perSecond == 0) return true;
        Fill();
        if (_tokens >= 1) return true;
        wait = TimeSpan.FromSeconds((1 - _tokens) / _perSecond);
        if (wait < ShortestWait) wait = ShortestWait;
        return false;
    }

    private void Fill()
    {
        var now = time.GetTimestamp();
        // At a high rate a timer's step is worth more than the burst, and on a busy machine a step is long.
        _tokens = Math.Min(Math.Max(burst, _perSecond / 40), _tokens + (time.GetElapsedTime(_filled, now).TotalSeconds * _perSecond));
        _filled = now;
    }

    private bool StillPaused(out TimeSpan? wait)
    {
        wait = null;
        if (_pausedAt is not { } since) return false;
        wait = pauseLimit - time.GetElapsedTime(since);
        if (wait is null || wait > TimeSpan.Zero) return true;
        _pausedAt = null;
        return false;
    }

    public void Dispose()
    {
        lock (_gate) _timer?.Dispose();
    }
}
