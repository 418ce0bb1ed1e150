namespace Fumidai.Lab;

/// <summary>What the gateway does about a message.</summary>
internal enum MeterVerdict
{
    /// <summary>Forwards it.</summary>
    Pass,
    /// <summary>Forwards it and tells its sender to pause.</summary>
    Pause,
    /// <summary>Drops it and cuts the connection.</summary>
    Cut,
}

/// <summary>Measures one connection's data messages against the <see cref="ServiceModel"/>: by time stamp, no timer runs. One reader's own.</summary>
internal sealed class MessageMeter(ServiceModel model, TimeProvider time)
{
    private const int Slots = 10;

    private readonly int[] _counts = new int[Slots];
    private readonly long _slot = (long)(model.Over.TotalSeconds / Slots * time.TimestampFrequency);
    private long _current;
    private int _sum;
    private long? _pausedAt;

    /// <summary>Counts one message of that many payload bytes.</summary>
    public MeterVerdict Count(int payload)
    {
        if (model.LargestPayload > 0 && payload > model.LargestPayload)
            return MeterVerdict.Cut;
        if (model.MessagesPerSecond == 0)
            return MeterVerdict.Pass;
        var now = time.GetTimestamp();
        Slide(now / _slot);
        _counts[_current % Slots]++;
        _sum++;
        if (_sum <= model.MessagesPerSecond * model.Over.TotalSeconds)
        {
            _pausedAt = null;
            return MeterVerdict.Pass;
        }
        if (_pausedAt is { } since)
            return time.GetElapsedTime(since, now) > model.Grace ? MeterVerdict.Cut : MeterVerdict.Pass;
        _pausedAt = now;
        return MeterVerdict.Pause;
    }

    private void Slide(long slot)
    {
        for (var steps = Math.Min(slot - _current, Slots); steps > 0; steps--)
        {
            var freed = (slot - steps + 1) % Slots;
            _sum -= _counts[freed];
            _counts[freed] = 0;
        }
        _current = Math.Max(_current, slot);
    }
}
