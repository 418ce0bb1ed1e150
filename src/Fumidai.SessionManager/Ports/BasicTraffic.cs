namespace Fumidai.SessionManager;

/// <summary>
/// One connection at a time, its bytes bare in Output messages: agents up to 3.0.196.0 (protocol §5.3) and SSH documents, which know one
/// connection only. Nothing on the wire marks the boundary between two connections, and nothing tells that the far end closed its.
/// </summary>
internal sealed class BasicTraffic : IPortTraffic, ITrafficLoops
{
    /// <summary>Received bytes that may lie unread before the channel is not read any further.</summary>
    internal const int MaxUnread = 256 * 1024;

    private readonly IPayloadChannel _channel;
    private readonly bool _onlyOne;
    private readonly TimeSpan _holdLimit;
    private readonly TimeProvider _time;
    private readonly ReceiveBudget _budget = new(MaxUnread);
    private readonly AsyncSignal _work = new();
    private readonly Lock _sync = new();
    private readonly TaskCompletionSource _firstOpened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile BasicStream? _stream;
    private volatile SessionEndedException? _end;
    private TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _used;

    /// <param name="onlyOne">The SSH document: the session is its one connection; there is no word for its end but the session's own.</param>
    public BasicTraffic(IPayloadChannel channel, bool onlyOne, TimeSpan holdLimit, TimeProvider time)
        => (_channel, _onlyOne, _holdLimit, _time) = (channel, onlyOne, holdLimit, time);

    public int OpenStreams => _stream is { Ended.IsCompleted: false } ? 1 : 0;

    /// <summary>Opens the one connection; waits while another is open.</summary>
    public async ValueTask<PortStream> OpenStreamAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task gone;
            lock (_sync)
            {
                if (_end is { } ended) throw new SessionEndedException(ended.End, ended);
                if (_onlyOne && _used) throw new InvalidOperationException("an SSH session carries one connection only");
                if (_stream is null)
                {
                    _used = true;
                    _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
                    var stream = new BasicStream(_work, _budget, _holdLimit, _time);
                    _stream = stream;
                    _firstOpened.TrySetResult();
                    return stream;
                }
                gone = _gone.Task;
            }
            await gone.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<SessionEnd> RunAsync(CancellationToken cancellationToken)
        => await TrafficLoops.RunAsync(_channel, this, cancellationToken).ConfigureAwait(false);

    public async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        while (await _channel.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_channel.Current.Type != PayloadType.Output) continue;
            // The agent has dialled at once: what a server says first waits here for the first connection. Later the agent dials only
            // on our bytes, so whatever comes between two connections is the old one's and has no reader any more.
            await _firstOpened.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (_stream is { } stream) stream.Deliver(_channel.Current.Payload.Span);
            await _budget.WhenRoomAsync().ConfigureAwait(false);
        }
    }

    public async Task SendAsync(CancellationToken cancellationToken)
    {
        var message = new MessageFiller(_channel);
        while (_end is null)
        {
            while (_stream is { } stream)
            {
                var outgoing = stream.TakeOutgoing(PipedStream.MaxUnsent);
                if (!outgoing.Data.IsEmpty) await message.AddAsync(outgoing.Data, cancellationToken).ConfigureAwait(false);
                stream.Sent();
                if (outgoing.Close)
                {
                    await message.SendAsync(cancellationToken).ConfigureAwait(false);
                    await SayCloseAsync(stream, cancellationToken).ConfigureAwait(false);
                    break;
                }
                if (outgoing.Data.IsEmpty) break;
            }
            await message.SendAsync(cancellationToken).ConfigureAwait(false);
            await _channel.FlushAsync(cancellationToken).ConfigureAwait(false);
            await _work.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async ValueTask SayCloseAsync(BasicStream stream, CancellationToken cancellationToken)
    {
        if (!_onlyOne)
            await _channel.SendAsync(PayloadType.Flag, ServiceMessages.WriteFlag(SessionFlag.DisconnectToPort), cancellationToken).ConfigureAwait(false);
        stream.CloseSaid();
        stream.EndInput();
        lock (_sync)
        {
            _stream = null;
            _gone.TrySetResult();
        }
    }

    public void StopWaitingForReaders()
    {
        _firstOpened.TrySetResult();
        _budget.End();
    }

    public void EndStreams(SessionEndedException reason)
    {
        BasicStream? stream;
        lock (_sync)
        {
            _end = reason;
            stream = _stream;
            _gone.TrySetResult();
        }
        stream?.Fail(reason, cutOff: false);
        StopWaitingForReaders();
        _work.Set();
    }
}

/// <summary>The one connection of basic mode. A reader gets its end only when we have said ours.</summary>
internal sealed class BasicStream(AsyncSignal work, ReceiveBudget budget, TimeSpan holdLimit, TimeProvider time)
    : PipedStream(budget, holdLimit, time)
{
    protected override void Schedule(bool lendsThread) => work.Set();
}
