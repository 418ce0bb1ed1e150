using System.Threading.Channels;

namespace Fumidai.SessionManager.Tests;

/// <summary>A channel whose other end is a recording: the test plays its payloads in and looks at what comes out.</summary>
internal sealed class ReplayChannel : IPayloadChannel
{
    private readonly Channel<ReceivedPayload> _received = Channel.CreateUnbounded<ReceivedPayload>();
    private readonly TaskCompletionSource<SessionEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _sync = new();
    private readonly List<ReceivedPayload> _sent = [];
    private TaskCompletionSource _change = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int MaxPayload => 1024;

    public ReceivedPayload Current { get; private set; }

    public Task<SessionEnd> Ended => _ended.Task;

    public List<ReceivedPayload> Sent { get { lock (_sync) return [.. _sent]; } }

    public void Play(ReceivedPayload payload) => _received.Writer.TryWrite(payload);

    public void End(SessionEnd end)
    {
        _ended.TrySetResult(end);
        _received.Writer.TryComplete();
    }

    /// <summary>Waits until what was sent satisfies the condition.</summary>
    public async Task UntilSentAsync(string what, Func<List<ReceivedPayload>, bool> condition)
    {
        while (true)
        {
            Task change;
            lock (_sync)
            {
                if (condition(_sent)) return;
                change = _change.Task;
            }
            try
            {
                await change.Soon();
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"never sent: {what}");
            }
        }
    }

    public ValueTask SendAsync(PayloadType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        lock (_sync)
        {
            _sent.Add(new ReceivedPayload(type, payload.ToArray()));
            _change.TrySetResult();
            _change = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (!await _received.Reader.WaitToReadAsync(cancellationToken)) return false;
        Current = await _received.Reader.ReadAsync(cancellationToken);
        return true;
    }
}
