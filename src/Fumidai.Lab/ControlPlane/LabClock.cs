namespace Fumidai.Lab;

/// <summary>
/// The lab's clock. <see cref="Advance"/> lets time pass at once: timers due within fire. <see cref="Skew"/> shifts the calendar only, as a wrongly
/// set clock would.
/// </summary>
internal sealed class LabClock(TimeProvider real) : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly HashSet<LabTimer> _timers = [];
    private TimeSpan _advanced;
    private TimeSpan _skew;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
            return real.GetUtcNow() + _advanced + _skew;
    }

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => real.TimestampFrequency;

    public override long GetTimestamp()
    {
        lock (_gate)
            return real.GetTimestamp() + (long)(_advanced.TotalSeconds * TimestampFrequency);
    }

    /// <summary>Lets this much time pass at once (not negative).</summary>
    public void Advance(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        LabTimer[] timers;
        lock (_gate)
        {
            _advanced += time;
            timers = [.. _timers];
        }
        foreach (var timer in timers)
            timer.Rearm();
    }

    /// <summary>How far the calendar is off; 0 sets it right.</summary>
    public TimeSpan Skew
    {
        get
        {
            lock (_gate)
                return _skew;
        }
        set
        {
            lock (_gate)
                _skew = value;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new LabTimer(this, callback, state, dueTime, period);

    /// <summary>A timer of the real clock that is set anew whenever the lab's clock was advanced.</summary>
    private sealed class LabTimer : ITimer
    {
        private readonly LabClock _clock;
        private readonly TimerCallback _callback;
        private readonly object? _state;
        private readonly Lock _own = new();
        private readonly ITimer _timer;
        private long? _dueAt;
        private TimeSpan _period;
        private bool _disposed;

        public LabTimer(LabClock clock, TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _clock = clock;
            _callback = callback;
            _state = state;
            _timer = clock.Real.CreateTimer(static timer => ((LabTimer)timer!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            lock (clock._gate)
                clock._timers.Add(this);
            Change(dueTime, period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (_own)
            {
                if (_disposed)
                    return false;
                _period = period;
                _dueAt = dueTime == Timeout.InfiniteTimeSpan ? null : _clock.GetTimestamp() + (long)(dueTime.TotalSeconds * _clock.TimestampFrequency);
                return _timer.Change(dueTime, Timeout.InfiniteTimeSpan);
            }
        }

        public void Rearm()
        {
            lock (_own)
            {
                if (_disposed || _dueAt is not { } dueAt)
                    return;
                var left = TimeSpan.FromSeconds(Math.Max(0, dueAt - _clock.GetTimestamp()) / (double)_clock.TimestampFrequency);
                _timer.Change(left, Timeout.InfiniteTimeSpan);
            }
        }

        private void Fire()
        {
            lock (_own)
            {
                if (_disposed || _dueAt is not { } dueAt)
                    return;
                // Set anew or advanced meanwhile: the clock, not the wake-up, says whether it is time. Timers may wake a little early.
                var left = TimeSpan.FromSeconds((dueAt - _clock.GetTimestamp()) / (double)_clock.TimestampFrequency);
                if (left > TimeSpan.FromMilliseconds(1))
                {
                    _timer.Change(left, Timeout.InfiniteTimeSpan);
                    return;
                }
                if (_period == Timeout.InfiniteTimeSpan || _period == TimeSpan.Zero)
                {
                    _dueAt = null;
                }
                else
                {
                    _dueAt = _clock.GetTimestamp() + (long)(_period.TotalSeconds * _clock.TimestampFrequency);
                    _timer.Change(_period, Timeout.InfiniteTimeSpan);
                }
            }
            _callback(_state);
        }

        public void Dispose()
        {
            lock (_own)
                _disposed = true;
            lock (_clock._gate)
                _clock._timers.Remove(this);
            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private TimeProvider Real => real;
}
