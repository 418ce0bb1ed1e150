namespace Fumidai.SessionManager;

/// <summary>
/// How many received bytes may lie unread in all streams together: 4 MiB, as the stock library's session bucket. Version 1 of smux
/// has no window per stream, so this is the only brake: when it is used up the session is not read any further, and every stream waits
/// until some reader takes bytes or some stream ends (protocol §5.5, §9.3).
/// </summary>
internal sealed class ReceiveBudget
{
    /// <summary>Bytes of the stock library's session bucket.</summary>
    public const int StockLimit = 4 * 1024 * 1024;

    private readonly AsyncSignal _room = new();
    private long _left;
    private volatile bool _ended;

    public ReceiveBudget(int limit) => _left = limit;

    /// <summary>Bytes that may still arrive; may sink below zero by the size of one message.</summary>
    public long Left => Interlocked.Read(ref _left);

    /// <summary>Bytes have arrived.</summary>
    public void Take(int bytes) => Interlocked.Add(ref _left, -bytes);

    /// <summary>Bytes were read, or thrown away with their stream.</summary>
    public void Return(long bytes)
    {
        if (bytes == 0) return;
        var after = Interlocked.Add(ref _left, bytes);
        if (after > 0 && after - bytes <= 0) _room.Set();
    }

    /// <summary>Lets the waiting loop go for good.</summary>
    public void End()
    {
        _ended = true;
        _room.Set();
    }

    /// <summary>Waits while nothing is left. One waiter: the loop that receives.</summary>
    public async ValueTask WhenRoomAsync()
    {
        while (Left <= 0 && !_ended) await _room.WaitAsync().ConfigureAwait(false);
    }
}
