namespace Fumidai;

/// <summary>Counts of one target over one route, since the process began. Safe for several tasks.</summary>
internal sealed class ChannelNumbers
{
    private long _open;
    private long _opened;
    private long _failed;
    private long _up;
    private long _down;
    private long _reconnects;

    internal long Open => Interlocked.Read(ref _open);
    internal long Opened => Interlocked.Read(ref _opened);
    internal long Failed => Interlocked.Read(ref _failed);
    /// <summary>Bytes to the target.</summary>
    internal long Up => Interlocked.Read(ref _up);
    /// <summary>Bytes from the target.</summary>
    internal long Down => Interlocked.Read(ref _down);
    internal long Reconnects => Interlocked.Read(ref _reconnects);

    /// <summary>One more connection is open until the result is disposed.</summary>
    internal OpenCount CountOpen()
    {
        Interlocked.Increment(ref _opened);
        Interlocked.Increment(ref _open);
        return new OpenCount(this);
    }

    internal void AddFailed() => Interlocked.Increment(ref _failed);

    internal void AddUp(int bytes) => Interlocked.Add(ref _up, bytes);

    internal void AddDown(int bytes) => Interlocked.Add(ref _down, bytes);

    internal void AddReconnect() => Interlocked.Increment(ref _reconnects);

    internal readonly struct OpenCount(ChannelNumbers numbers) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref numbers._open);
    }
}
