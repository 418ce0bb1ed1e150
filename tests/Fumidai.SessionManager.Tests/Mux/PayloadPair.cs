using System.Threading.Channels;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>Two ends of a data channel in memory, with a window of a few messages in each direction.</summary>
internal sealed class PayloadPair
{
    public PayloadPair(int window = 64, int maxPayload = 1024)
    {
        var up = Channel.CreateBounded<ReceivedPayload>(window);
        var down = Channel.CreateBounded<ReceivedPayload>(window);
        Client = new MemoryChannel(up.Writer, down.Reader, maxPayload);
        Agent = new MemoryChannel(down.Writer, up.Reader, maxPayload);
    }

    public MemoryChannel Client { get; }

    public MemoryChannel Agent { get; }

    /// <summary>Ends both as channel_closed does: what was sent before is still read.</summary>
    public void End(SessionEnd end)
    {
        Client.End(end);
        Agent.End(end);
    }
}

internal sealed class MemoryChannel(ChannelWriter<ReceivedPayload> to, ChannelReader<ReceivedPayload> from, int maxPayload) : IPayloadChannel
{
    private readonly TaskCompletionSource<SessionEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _messages;
    private int _flushes;

    public int MaxPayload { get; set; } = maxPayload;

    public ReceivedPayload Current { get; private set; }

    public Task<SessionEnd> Ended => _ended.Task;

    public int MessagesSent => Volatile.Read(ref _messages);

    public int Flushes => Volatile.Read(ref _flushes);

    public async ValueTask SendAsync(PayloadType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        Assert.InRange(payload.Length, 1, MaxPayload);
        try
        {
            await to.WriteAsync(new ReceivedPayload(type, payload.ToArray()), cancellationToken);
            Interlocked.Increment(ref _messages);
        }
        catch (ChannelClosedException)
        {
            throw new SessionEndedException(await Ended);
        }
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _flushes);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (!await from.WaitToReadAsync(cancellationToken)) return false;
        Current = await from.ReadAsync(cancellationToken);
        return true;
    }

    public void End(SessionEnd end)
    {
        _ended.TrySetResult(end);
        to.TryComplete();
    }
}
