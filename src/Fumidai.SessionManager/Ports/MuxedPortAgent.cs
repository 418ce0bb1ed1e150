using System.Net.Sockets;

namespace Fumidai.SessionManager;

/// <summary>The agent's multiplexed mode: accepts streams and dials for each of them, one after the other (protocol §5.4).</summary>
internal sealed class MuxedPortAgent(IPayloadChannel channel, AgentTarget target, bool keepAlive, TimeProvider time) : ITrafficLoops
{
    /// <summary>The stock library's check: no frame between two of them, and the session is closed.</summary>
    private static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(30);

    // The agent's FIN means that its target connection is closed: there is nothing to hold it back for.
    private readonly MuxSession _mux = new(channel, MuxRole.Server, holdLimit: TimeSpan.Zero, time);
    private readonly TaskCompletionSource<SessionEnd> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _framesAtLastCheck;
    private bool _mute;

    /// <summary>Serves until the client terminates the session, the channel is over, or it is cancelled.</summary>
    public async Task<SessionEnd> RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var nops = keepAlive
            ? time.CreateTimer(_ => _mux.SendKeepAlive(), null, MuxedTraffic.KeepAliveInterval, MuxedTraffic.KeepAliveInterval) : null;
        using var check = keepAlive
            ? time.CreateTimer(_ => CheckKeepAlive(), null, KeepAliveTimeout, KeepAliveTimeout) : null;

        var traffic = TrafficLoops.RunAsync(channel, this, stop.Token);
        var accepting = AcceptAsync(stop.Token);
        await Task.WhenAny(traffic, _finished.Task).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        var end = await traffic.ConfigureAwait(false);
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _finished.Task.IsCompleted ? await _finished.Task.ConfigureAwait(false) : end;
    }

    public Task SendAsync(CancellationToken cancellationToken) => _mux.RunSenderAsync(cancellationToken);

    public void StopWaitingForReaders() => _mux.StopWaitingForReaders();

    public void EndStreams(SessionEndedException reason) => _mux.End(reason);

    public async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        while (await channel.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var (type, payload) = channel.Current;
            if (type == PayloadType.Output) Receive(payload.Span);
            else if (type == PayloadType.Flag && ServiceMessages.TryReadFlag(payload.Span, out var flag) && flag == SessionFlag.TerminateSession)
                _finished.TrySetResult(new SessionEnd(SessionEndKind.Local, ""));
            await _mux.WhenRoomAsync().ConfigureAwait(false);
        }
    }

    // After bytes it can't understand the real one goes on acknowledging and does nothing any more: up and mute (protocol §5.5).
    private void Receive(ReadOnlySpan<byte> bytes)
    {
        if (_mute) return;
        try
        {
            _mux.Receive(bytes);
        }
        catch (MuxProtocolException)
        {
            _mute = true;
        }
    }

    private void CheckKeepAlive()
    {
        var frames = _mux.FramesReceived;
        if (frames == _framesAtLastCheck && _mux.BudgetLeft > 0) _finished.TrySetResult(new SessionEnd(SessionEndKind.Failed, ""));
        _framesAtLastCheck = frames;
    }

    // Inline and without a timeout of its own, as the real one: a dial that hangs freezes every later stream.
    private async Task AcceptAsync(CancellationToken cancellationToken)
    {
        var forwarding = new HashSet<Task>();
        while (await _mux.AcceptAsync(cancellationToken).ConfigureAwait(false) is { } stream)
        {
            try
            {
                var socket = await target.DialAsync(cancellationToken).ConfigureAwait(false);
                forwarding.RemoveWhere(task => task.IsCompleted);
                forwarding.Add(ForwardAsync(stream, socket));
            }
            catch (DialException)
            {
                await RefuseAsync(stream, cancellationToken).ConfigureAwait(false);
            }
        }
        await Task.WhenAll(forwarding).ConfigureAwait(false);
    }

    // The flag first, then the FIN: the client knows by this order alone whom it concerns.
    private async Task RefuseAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        await channel.SendAsync(PayloadType.Flag, ServiceMessages.WriteFlag(SessionFlag.ConnectToPortError), cancellationToken).ConfigureAwait(false);
        await stream.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task ForwardAsync(MuxStream stream, Socket socket)
    {
        using (socket)
        {
            var up = SocketPump.ToSocketAsync(stream.Input, socket);
            var down = SocketPump.FromSocketAsync(socket, stream.Output);
            // Either end closes both directions, an error like an orderly end: RST of the target is an ordinary FIN.
            await Task.WhenAny(up, down).ConfigureAwait(false);
            var targetEnded = down.IsCompleted && await down.ConfigureAwait(false);
            // After the client's FIN the stream takes no more, but what the client said before it is still to be written.
            if (down.IsCompleted && !targetEnded) await up.ConfigureAwait(false);
            if (targetEnded)
            {
                // What the target said last is in the stream; what the client still says has no receiver.
                await stream.Output.CompleteAsync().ConfigureAwait(false);
                stream.Input.CancelPendingRead();
            }
            SocketPump.Close(socket);
            await Task.WhenAll(up, down).ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }
}
