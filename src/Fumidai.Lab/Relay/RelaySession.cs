using System.Net.WebSockets;
using Fumidai.SessionManager;

namespace Fumidai.Lab;

/// <summary>What StartSession was asked for and by whom.</summary>
/// <param name="Id">USERNAME- and 26 base-36 characters.</param>
/// <param name="Target">The instance.</param>
/// <param name="Region"></param>
/// <param name="Owner">Caller of StartSession.</param>
/// <param name="Document">Its parameters are filled in.</param>
/// <param name="Reason"></param>
/// <param name="StartedAt"></param>
internal sealed record SessionOrder(string Id, string Target, string Region, Caller Owner, FilledDocument Document, string? Reason, DateTimeOffset StartedAt);

/// <summary>
/// One session as the service sees it: two ends, paired; binary messages forwarded byte for byte and in order, never acknowledged, dropped while the
/// other side is away (protocol §7.1). Nothing of the data is looked at but the type.
/// </summary>
internal sealed class RelaySession : IDisposable
{
    private const int ReceiveBuffer = 64 * 1024;

    private readonly RelayOptions _options;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _idle;
    private RelayEnd? _client;
    private RelayEnd? _agent;
    private long _lastData;
    private bool _terminateRequested;
    private bool _wasClaimed;
    private int _cuts;

    public RelaySession(SessionOrder order, RelayOptions options, TimeProvider time)
    {
        Order = order;
        _options = options;
        _time = time;
        _lastData = time.GetTimestamp();
        _idle = time.CreateTimer(static session => ((RelaySession)session!).CheckIdle(), this, options.IdleTimeout, Timeout.InfiniteTimeSpan);
    }

    public SessionOrder Order { get; }

    /// <summary>The cell-number of the newest StreamUrl; base64-like with raw + and /, as the service's.</summary>
    public string CellNumber { get; set; } = "";

    /// <summary>The words for the user, once it is over.</summary>
    public Task<string> Ended => _ended.Task;

    public bool IsOver => _ended.Task.IsCompleted;

    public DateTimeOffset? EndedAt { get; private set; }

    /// <summary>Connections cut because of <see cref="ServiceModel"/>.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    /// <summary>Whether an agent's end is connected.</summary>
    public bool HasAgent
    {
        get
        {
            lock (_lock)
                return _agent is not null;
        }
    }

    /// <summary>Whether a client's end is connected.</summary>
    public bool HasClient
    {
        get
        {
            lock (_lock)
                return _client is not null;
        }
    }

    /// <summary>Serves one websocket until it closes. It replaces an earlier one of the same role.</summary>
    public async Task ServeAsync(RelayRole role, RelayEnd end)
    {
        RelayEnd? before, other;
        lock (_lock)
        {
            if (IsOver)
            {
                end.Abort();
                return;
            }
            (before, other) = role == RelayRole.Client ? (_client, _agent) : (_agent, _client);
            if (role == RelayRole.Client)
            {
                _client = end;
                _wasClaimed = true;
            }
            else
            {
                _agent = end;
            }
        }
        before?.Abort();
        using var bye = _time.CreateTimer(_ => _ = ByeAsync(end), null, _options.SocketLife, Timeout.InfiniteTimeSpan);
        if (other is { IsPaused: true })
            await PublishAsync(other, start: true).ConfigureAwait(false);
        if (role == RelayRole.Agent && other is null)
            await PublishAsync(end, start: false).ConfigureAwait(false);
        try
        {
            await ForwardAsync(role, end).ConfigureAwait(false);
        }
        catch (Exception error) when (RelayEnd.IsLoss(error))
        {
            // The connection is gone; what follows is the same as after a close.
        }
        finally
        {
            await LeaveAsync(role, end).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the session: channel_closed to whoever is connected. The first reason is the one.</summary>
    public void End(string output)
    {
        RelayEnd?[] ends;
        lock (_lock)
        {
            if (IsOver)
                return;
            EndedAt = _time.GetUtcNow();
            ends = [_client, _agent];
            _ended.SetResult(output);
        }
        _idle.Dispose();
        foreach (var end in ends)
        {
            if (end is not null)
                _ = CloseAsync(end, output);
        }
    }

    /// <summary>Cuts both sockets without a word, as when the agent's network is gone.</summary>
    public void CutAgent()
    {
        lock (_lock)
            _agent?.Abort();
    }

    /// <summary>Cuts everything; the lab ends.</summary>
    public void Dispose()
    {
        End("");
        lock (_lock)
        {
            _client?.Abort();
            _agent?.Abort();
        }
    }

    private async Task CloseAsync(RelayEnd end, string output)
    {
        await end.SendNowAsync(ServiceMessages.ChannelClosed(Order.Id, end.ClientId, output, Guid.NewGuid(), _time.GetUtcNow())).ConfigureAwait(false);
        // Not closed at once: the official client reads the message, says it to its user and hangs up itself. Real time: it is the peer's to use.
        await Task.Delay(_options.Linger, TimeProvider.System).ConfigureAwait(false);
        end.Abort();
    }

    private async Task ByeAsync(RelayEnd end)
    {
        await end.CloseAsync(WebSocketCloseStatus.NormalClosure, "Bye").ConfigureAwait(false);
        await Task.Delay(_options.Linger, TimeProvider.System).ConfigureAwait(false);
        end.Abort();
    }

    private async Task PublishAsync(RelayEnd end, bool start)
    {
        end.IsPaused = !start;
        var now = _time.GetUtcNow();
        await end.SendNowAsync(start ? ServiceMessages.StartPublication(Guid.NewGuid(), now) : ServiceMessages.PausePublication(Guid.NewGuid(), now)).ConfigureAwait(false);
    }

    private async Task LeaveAsync(RelayRole role, RelayEnd end)
    {
        RelayEnd? other = null;
        var agentDone = false;
        lock (_lock)
        {
            if (role == RelayRole.Client && _client == end)
            {
                _client = null;
                other = _agent;
            }
            else if (role == RelayRole.Agent && _agent == end)
            {
                _agent = null;
                other = _client;
                agentDone = _terminateRequested;
            }
        }
        end.Dispose();
        if (agentDone)
        {
            // An agent without a control channel has no other way to say that it has done what Flag 2 asked for.
            End("");
            return;
        }
        if (other is not null && !IsOver)
            await PublishAsync(other, start: false).ConfigureAwait(false);
    }

    private async Task ForwardAsync(RelayRole role, RelayEnd end)
    {
        var buffer = new byte[ReceiveBuffer];
        var filled = 0;
        RelayEnd? unpushed = null;
        var meter = new MessageMeter(_options.Service, _time);
        while (true)
        {
            if (filled == buffer.Length)
            {
                if (buffer.Length >= _options.MaxMessage)
                {
                    await end.CloseAsync(WebSocketCloseStatus.MessageTooBig, "message too big").ConfigureAwait(false);
                    return;
                }
                Array.Resize(ref buffer, buffer.Length * 2);
            }
            var receiving = end.Socket.ReceiveAsync(buffer.AsMemory(filled), CancellationToken.None);
            // Frames that came together go out together: what piled up leaves when there is nothing more to read.
            if (!receiving.IsCompleted && unpushed is not null)
            {
                await unpushed.PushAsync().ConfigureAwait(false);
                unpushed = null;
            }
            var received = await receiving.ConfigureAwait(false);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                if (unpushed is not null)
                    await unpushed.PushAsync().ConfigureAwait(false);
                await end.CloseAsync(WebSocketCloseStatus.NormalClosure, "").ConfigureAwait(false);
                return;
            }
            filled += received.Count;
            if (!received.EndOfMessage)
                continue;
            var message = buffer.AsMemory(0, filled);
            filled = 0;
            if (received.MessageType != WebSocketMessageType.Binary)
                continue;
            switch (RelayedMessage.Classify(message.Span))
            {
                case RelayedKind.Data:
                    var verdict = meter.Count(RelayedMessage.PayloadLength(message.Length));
                    if (verdict != MeterVerdict.Pass)
                    {
                        await PublishAsync(end, start: false).ConfigureAwait(false);
                        // It may go on when it has slowed down; nobody knows whether the service ever says so (protocol §3.6).
                        end.IsPaused = false;
                    }
                    if (verdict == MeterVerdict.Cut)
                    {
                        Interlocked.Increment(ref _cuts);
                        return;
                    }
                    Volatile.Write(ref _lastData, _time.GetTimestamp());
                    if (role == RelayRole.Client && !_terminateRequested && RelayedMessage.IsTerminateFlag(message.Span))
                        _terminateRequested = true;
                    break;
                case RelayedKind.Acknowledge:
                    break;
                default:
                    continue;
            }
            var to = IsOver ? null : Opposite(role);
            if (to is null)
                continue;
            await to.SendAsync(message).ConfigureAwait(false);
            if (unpushed is not null && unpushed != to)
                await unpushed.PushAsync().ConfigureAwait(false);
            unpushed = to;
        }
    }

    private RelayEnd? Opposite(RelayRole role)
    {
        lock (_lock)
            return role == RelayRole.Client ? _agent : _client;
    }

    private void CheckIdle()
    {
        var silence = _time.GetElapsedTime(Volatile.Read(ref _lastData));
        bool wasClaimed;
        lock (_lock)
            wasClaimed = _wasClaimed;
        if (silence >= _options.IdleTimeout)
            // The service's own words are not known.
            End(wasClaimed ? "Session timed out due to inactivity." : "");
        else
            _idle.Change(_options.IdleTimeout - silence, Timeout.InfiniteTimeSpan);
    }
}
