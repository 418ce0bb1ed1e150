using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>
/// One end of a session's data channel: numbered, acknowledged, resent, resumed over as many websockets as it takes. The handshake is over
/// when anybody gets one. One loop reads; whoever has something to write, writes (<see cref="Transmitter"/>).
/// </summary>
internal sealed class DataChannel : IPayloadChannel, IAsyncDisposable
{
    private static readonly TimeSpan FarewellLimit = TimeSpan.FromSeconds(2);

    private readonly DataChannelOptions _options;
    private readonly ChannelRole _role;
    private readonly ISessionControl? _control;
    private readonly FrameBuffers _buffers;
    private readonly Transmitter _transmitter;
    private readonly Receiver _receiver;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<SessionEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _healthGate = new();
    private TaskCompletionSource _healthChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SessionHealth _health = SessionHealth.Up;
    private MessageSocket? _socket;
    private Task _running = Task.CompletedTask;
    private bool _leaving;

    private DataChannel(DataChannelOptions options, ChannelRole role, ISessionControl? control)
    {
        (_options, _role, _control) = (options, role, control);
        _buffers = new FrameBuffers((AgentMessageLayout.Payload + SessionCipher.Overhead + options.MaxPayload + 127) & ~127, options.WindowMessages);
        _transmitter = new Transmitter(options, role, _buffers);
        _receiver = new Receiver(_transmitter, _buffers);
        _transmitter.Blocked = _receiver.Wake;
    }

    /// <summary>
    /// Client role: connects, shakes hands. The first connection is tried again as the official client does (protocol §6.4). When it fails, the
    /// session is terminated (<see cref="ISessionControl.TerminateAsync"/>) before the exception leaves.
    /// </summary>
    /// <exception cref="SessionEndedException">The service or agent ended it, with their words; or the service refused the websocket.</exception>
    /// <exception cref="TimeoutException">No handshake within <see cref="DataChannelOptions.HandshakeTimeout"/>.</exception>
    public static async Task<DataChannel> ConnectAsync(StreamTicket ticket, ISessionControl control, ClientChannelOptions options, CancellationToken cancellationToken)
    {
        var channel = new DataChannel(options, new ClientRole(ticket, control, options), control);
        try
        {
            return await channel.StartAsync(cancellationToken);
        }
        catch
        {
            await channel.TerminateSessionAsync();
            throw;
        }
    }

    /// <summary>Agent role: connects, announces itself, asks for the handshake and waits until it is complete.</summary>
    /// <exception cref="SessionEndedException">The session ended, or the client did not answer or refused; its words are what the agent reports.</exception>
    public static Task<DataChannel> ServeAsync(AgentChannelOptions options, CancellationToken cancellationToken)
        => new DataChannel(options, new AgentRole(options), null).StartAsync(cancellationToken);

    private async Task<DataChannel> StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var limit = new CancellationTokenSource(_role.StartLimit, _options.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                _socket = await _role.OpenAsync(_buffers, either.Token);
                _transmitter.Attach(_socket, []);
                _running = Task.Run(() => RunAsync(_socket), CancellationToken.None);
                Handshake = await _role.ShakeHandsAsync(this, either.Token);
                return this;
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"the agent did not finish the handshake within {_role.StartLimit.TotalSeconds:0} s");
            }
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>The session's id.</summary>
    public string SessionId => _role.SessionId;

    /// <summary>What was agreed.</summary>
    public Handshake Handshake { get; private set; } = new("", "", "", default, "");

    /// <summary>The connection's state now.</summary>
    public SessionHealth Health
    {
        get
        {
            lock (_healthGate) return _health;
        }
    }

    /// <summary>Completes at the next change of <see cref="Health"/>.</summary>
    public Task NextHealthChange()
    {
        lock (_healthGate) return _healthChanged.Task;
    }

    private void SetHealth(SessionHealth health)
    {
        TaskCompletionSource changed;
        lock (_healthGate)
        {
            if (_health == health || _health == SessionHealth.Ended) return;
            _health = health;
            changed = _healthChanged;
            _healthChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.TrySetResult();
    }

    /// <inheritdoc/>
    public ValueTask SendAsync(PayloadType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) => _transmitter.SendAsync(type, payload, cancellationToken);

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        _transmitter.Push();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        // Handshake messages after the handshake: a peer that repeats itself under a new number.
        do
        {
            if (!await ReadAnyAsync(cancellationToken)) return false;
        }
        while (Current.Type is >= PayloadType.HandshakeRequest and <= PayloadType.EncChallengeResponse);
        return true;
    }

    /// <summary>As <see cref="ReadAsync"/>, handshake messages included.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<bool> ReadAnyAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _receiver.ReadAsync(cancellationToken);
        }
        catch (InvalidDataException e)
        {
            End(new(SessionEndKind.Failed, e.Message), discard: true);
            return false;
        }
    }

    /// <inheritdoc/>
    public ReceivedPayload Current => _receiver.Current;

    /// <inheritdoc/>
    public int MaxPayload => _transmitter.MaxPayload;

    /// <inheritdoc/>
    public int WantedProbe => _transmitter.WantedProbe;

    /// <inheritdoc/>
    public ValueTask SendProbeAsync(ReadOnlyMemory<byte> payload, int least, CancellationToken cancellationToken)
        => _transmitter.SendAsync(PayloadType.Output, payload, cancellationToken, least);

    /// <inheritdoc/>
    public Task<SessionEnd> Ended => _ended.Task;

    /// <summary>From now on whoever reads goes on within the socket's reading loop: no wake-up of a thread lies between. It must never block.</summary>
    internal void ReadInline() => _receiver.ReadsInline = true;

    /// <summary>For the handshake: the next read gives the current payload once more.</summary>
    internal void Unread() => _receiver.Unread();

    /// <summary>For the handshake: throws away what has arrived.</summary>
    internal void Discard() => _receiver.Discard();

    /// <summary>For the handshake: the key agreed on, not yet used for data.</summary>
    internal SessionCipher? HeldCipher { get; private set; }

    /// <summary>For the handshake: hands the key over to the channel.</summary>
    internal void Hold(SessionCipher cipher) => HeldCipher = cipher;

    /// <summary>For the handshake: from now on payloads are sealed, if a key was agreed on.</summary>
    internal void Encrypt() => _transmitter.Cipher = _receiver.Cipher = HeldCipher;

    /// <summary>Sends a message that is neither numbered nor acknowledged.</summary>
    internal void SendLoose(in AgentMessage message) => _transmitter.SendLoose(message.ToArray());

    /// <summary>Waits until everything sent is acknowledged, the session is over, or the limit has passed. True: all acknowledged.</summary>
    public async Task<bool> DrainAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        _transmitter.Push();
        try
        {
            await _transmitter.WhenDrained().WaitAsync(limit, _options.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return false;
        }
        return _transmitter.IsDrained;
    }

    /// <summary>
    /// Client role, the orderly end (protocol §6.3): Flag TerminateSession, a wait of at most two seconds for its acknowledgement or channel_closed,
    /// TerminateSession, then as <see cref="DisposeAsync"/>. Says nothing to a session that is over.
    /// </summary>
    public async ValueTask TerminateAsync()
    {
        Volatile.Write(ref _leaving, true);
        if (!_ended.Task.IsCompleted)
        {
            try
            {
                using var limit = new CancellationTokenSource(FarewellLimit, _options.Time);
                await SendAsync(PayloadType.Flag, ServiceMessages.WriteFlag(SessionFlag.TerminateSession), limit.Token);
                await DrainAsync(FarewellLimit, limit.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SessionEndedException)
            {
                // It was courtesy; the call below is what ends the session.
            }
            await TerminateSessionAsync();
        }
        else if ((await _ended.Task).Kind == SessionEndKind.Failed)
        {
            // We gave up on the channel; the service still keeps the session.
            await TerminateSessionAsync();
        }
        await DisposeAsync();
    }

    private async Task TerminateSessionAsync()
    {
        if (_control is null || (_ended.Task.IsCompletedSuccessfully && (await _ended.Task).Kind is SessionEndKind.Closed or SessionEndKind.Lost)) return;
        try
        {
            await _control.TerminateAsync(SessionId, CancellationToken.None);
        }
        catch (Exception e)
        {
            _options.Logger?.LogWarning("Session {SessionId}: TerminateSession failed ({Error}); it ends with its idle timeout", SessionId, e.Message);
        }
    }

    /// <summary>Closes the socket and stops all loops; says nothing to the peer. <see cref="Ended"/> becomes Local unless it had ended before.</summary>
    public async ValueTask DisposeAsync()
    {
        End(new(SessionEndKind.Local, ""), discard: true);
        await _running;
        _socket?.Dispose();
        _transmitter.Dispose();
    }

    /// <summary>Once, with the first reason.</summary>
    internal void End(SessionEnd end, bool discard)
    {
        if (Volatile.Read(ref _leaving) && end.Kind == SessionEndKind.Closed) end = end with { Kind = SessionEndKind.Local };
        _receiver.End(discard);
        if (!_ended.TrySetResult(end)) return;
        _transmitter.End(end);
        SetHealth(SessionHealth.Ended);
        _ = _stop.CancelAsync();
        Volatile.Read(ref _socket)?.Abort();
        _options.Logger?.LogDebug("Session {SessionId}: ended ({Kind})", SessionId, end.Kind);
    }

    /// <summary>Reads one connection after the other until the session is over.</summary>
    private async Task RunAsync(MessageSocket first)
    {
        var backoff = new Backoff(_options.Time);
        var socket = first;
        try
        {
            while (!_ended.Task.IsCompleted)
            {
                var why = await ConnectionLoop.RunAsync(this, socket, _role, _transmitter, _receiver, backoff, _options.Logger);
                _transmitter.Detach();
                socket.Dispose();
                if (_ended.Task.IsCompleted) return;
                _options.Logger?.LogInformation("Session {SessionId}: connection lost ({Why}), resuming", SessionId, why);
                SetHealth(SessionHealth.Resuming);
                if (await Resume.RunAsync(_role, _buffers, backoff, _options.Logger, _stop.Token) is not { } next)
                {
                    End(new(SessionEndKind.Lost, "the service no longer knows the session"), discard: false);
                    return;
                }
                socket = next;
                Volatile.Write(ref _socket, socket);
                if (_ended.Task.IsCompleted) return;
                _transmitter.Attach(socket, _receiver.AcknowledgedLately());
                SetHealth(SessionHealth.Up);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Ended while resuming.
        }
        catch (SessionEndedException e)
        {
            End(e.End, discard: false);
        }
        catch (Exception e)
        {
            _options.Logger?.LogError(e, "Session {SessionId}: the channel's loop failed", SessionId);
            End(new(SessionEndKind.Failed, e.Message), discard: false);
        }
        finally
        {
            _transmitter.Detach();
            socket.Dispose();
        }
    }
}
