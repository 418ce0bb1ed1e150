using System.Net.Sockets;

namespace Fumidai.SessionManager;

/// <summary>
/// The agent's basic mode (protocol §5.3): one target connection, dialled at session start. With port forwarding a closed target is dialled again on the
/// client's next bytes; in an SSH session its end is the session's.
/// </summary>
internal sealed class BasicPortAgent(IPayloadChannel channel, AgentTarget target, bool forwards, string agentVersion)
{
    /// <summary>The agent reads its target in pieces of this size, each a message.</summary>
    private const int ReadSize = 1024;

    private Socket? _socket;
    private Task _pump = Task.CompletedTask;
    private readonly TaskCompletionSource<SessionEnd> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Serves until the client terminates the session, the target's end is the session's, the channel is over, or it is cancelled.</summary>
    public async Task<SessionEnd> RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var receiving = ReceiveAsync(stop.Token);
        await Task.WhenAny(receiving, _finished.Task).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await HangUpAsync().ConfigureAwait(false);
        if (_finished.Task.IsCompleted) return await _finished.Task.ConfigureAwait(false);
        return receiving.Exception?.InnerException switch
        {
            DialException refused => new SessionEnd(SessionEndKind.Failed, RefusalText(refused)),
            SessionEndedException ended => ended.End,
            { } failure => new SessionEnd(SessionEndKind.Failed, failure.Message),
            null when receiving.IsCanceled => new SessionEnd(SessionEndKind.Local, ""),
            null => await channel.Ended.ConfigureAwait(false),
        };
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        await DialAsync(cancellationToken).ConfigureAwait(false);
        while (await channel.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var (type, payload) = channel.Current;
            switch (type)
            {
                case PayloadType.Output:
                    if (_pump.IsCompleted)
                    {
                        await HangUpAsync().ConfigureAwait(false);
                        await DialAsync(cancellationToken).ConfigureAwait(false);
                    }
                    await WriteAsync(payload).ConfigureAwait(false);
                    break;
                case PayloadType.Flag when ServiceMessages.TryReadFlag(payload.Span, out var flag):
                    if (flag == SessionFlag.DisconnectToPort) await HangUpAsync().ConfigureAwait(false);
                    if (flag != SessionFlag.TerminateSession) break;
                    _finished.TrySetResult(new SessionEnd(SessionEndKind.Local, ""));
                    return;
                default:
                    break;
            }
        }
    }

    private async Task DialAsync(CancellationToken cancellationToken)
    {
        _socket = await target.DialAsync(cancellationToken).ConfigureAwait(false);
        _pump = PumpAsync(_socket, cancellationToken);
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> payload)
    {
        try
        {
            while (payload.Length > 0)
                payload = payload[await _socket!.SendAsync(payload, SocketFlags.None, CancellationToken.None).ConfigureAwait(false)..];
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // The pump sees the same end and decides what it means.
        }
    }

    private async Task PumpAsync(Socket socket, CancellationToken cancellationToken)
    {
        var end = new SessionEnd(SessionEndKind.Local, "");
        try
        {
            var buffer = new byte[ReadSize];
            while (await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false) is var count and > 0)
            {
                await channel.SendAsync(PayloadType.Output, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                if (socket.Available == 0) await channel.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            end = new SessionEnd(SessionEndKind.Failed, "");
        }
        catch (Exception over) when (over is OperationCanceledException or SessionEndedException)
        {
            return;
        }
        if (forwards) socket.Dispose();
        else _finished.TrySetResult(end);
    }

    private async Task HangUpAsync()
    {
        if (_socket is null) return;
        SocketPump.Close(_socket);
        await _pump.ConfigureAwait(false);
        _socket.Dispose();
    }

    // The text is what the agent means to say and 3.0.196.0 says. Later ones die in cleaning up a connection that never was, and the
    // user is told nothing (recordings basic_refused, ssh_refused).
    private string RefusalText(DialException refused)
        => PeerVersion.IsAgentNewerThan(agentVersion, PeerVersion.LastBasicAgent) ? "" : $"Unable to connect to specified port: {refused.Message}";
}
