using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>
/// The sending half of a data channel. Whoever has something to say puts it down and, if nobody is writing, writes: everything that is waiting,
/// acknowledgements first, until there is nothing left. So one task at a time touches the socket, no task waits for another's network write,
/// and a lone message goes out on its sender's own thread.
/// </summary>
internal sealed class Transmitter : IDisposable
{
    // As many as the receive window keeps. Beyond that an acknowledgement is dropped: the peer repeats the message and gets another.
    private const int WaitingAcknowledgements = ReceiveWindow.KeptMessages;

    private readonly Lock _gate = new();
    private readonly DataChannelOptions _options;
    private readonly ChannelRole _role;
    private readonly FrameBuffers _buffers;
    private readonly SendWindow _window;
    private readonly Pacing _pacing;
    private readonly UploadControl _control;
    private long _probe = -1;
    private int _probeLeast;
    private bool _probeFailed;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly AsyncSignal _room = new();
    private readonly Queue<PendingAcknowledgement> _acknowledgements = new();
    private readonly Queue<byte[]> _loose = new();
    private static readonly TimeSpan StepBackTime = TimeSpan.FromSeconds(1);
    private readonly MessageIds _dataIds = new();
    private readonly MessageIds _acknowledgementIds = new();
    private readonly byte[] _acknowledgementFrame = new byte[AgentMessageLayout.Payload + Acknowledgement.MaxSize];
    private readonly ITimer _timer;
    private bool _armed;
    private MessageSocket? _socket;
    private bool _writing;
    private bool _pushWanted;
    private bool _waitsForRoom;
    private SessionEnd? _end;
    private TaskCompletionSource? _drained;

    internal Transmitter(DataChannelOptions options, ChannelRole role, FrameBuffers buffers)
    {
        (_options, _role, _buffers) = (options, role, buffers);
        _window = new SendWindow(options.Time, buffers, options.WindowMessages, options.WindowBytes);
        _pacing = new Pacing(options.Time, role.MessagesPerSecond, role.PauseLimit, role.Burst);
        _control = new UploadControl(options.Time, role.Limits, role.MessagesPerSecond, options.MaxPayload, role.LargestPayload);
        MaxPayload = options.MaxPayload;
        _timer = options.Time.CreateTimer(static self => ((Transmitter)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Seals Output from the end of the handshake on, when encryption was agreed.</summary>
    internal SessionCipher? Cipher { get; set; }

    /// <summary>Called when a sender begins to wait for room in the window.</summary>
    internal Action? Blocked { get; set; }

    /// <summary>Largest payload of a message now.</summary>
    internal int MaxPayload { get; private set; }

    /// <summary>As <see cref="IPayloadChannel.WantedProbe"/>.</summary>
    internal int WantedProbe
    {
        get
        {
            lock (_gate) return _socket is null ? 0 : _control.WantedProbe;
        }
    }

    /// <summary>A sender waits for the peer's acknowledgements.</summary>
    internal bool WaitsForRoom
    {
        get
        {
            lock (_gate) return _waitsForRoom;
        }
    }

    /// <summary>As <see cref="IPayloadChannel.SendAsync"/>.</summary>
    internal async ValueTask SendAsync(PayloadType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken, int probeLeast = 0)
    {
        if (payload.IsEmpty) throw new ArgumentException("an empty payload can't be sent: official readers refuse it", nameof(payload));
        await _turn.WaitAsync(cancellationToken);
        try
        {
            while (!_pacing.TryTake())
            {
                OnLoad();
                Push();
                await _pacing.WaitAsync(cancellationToken);
                ThrowIfEnded();
            }
            var cipher = SessionCipher.Covers(type) ? Cipher : null;
            var length = AgentMessageLayout.Payload + payload.Length + (cipher is null ? 0 : SessionCipher.Overhead);
            if (!HasRoom(length)) await WaitForRoomAsync(length, cancellationToken);
            var buffer = Encode(type, payload.Span, length, cipher);
            lock (_gate)
            {
                ThrowIfEnded();
                if (probeLeast > 0)
                {
                    (_probe, _probeLeast) = (_window.NextSequence, probeLeast);
                    _control.OnProbeSent(payload.Length);
                }
                _window.Add(buffer, length);
                if (_control.OnSent()) _pacing.Limit(_control.Rate);
            }
        }
        finally
        {
            _turn.Release();
        }
        Write();
    }

    private void OnLoad()
    {
        lock (_gate) _control.OnLoad();
    }

    private byte[] Encode(PayloadType type, ReadOnlySpan<byte> payload, int length, SessionCipher? cipher)
    {
        var buffer = _buffers.Rent(length);
        var frame = buffer.AsSpan(0, length);
        if (cipher is null) payload.CopyTo(frame[AgentMessageLayout.Payload..]);
        else cipher.Seal(payload, frame[AgentMessageLayout.Payload..]);
        var sequence = _window.NextSequence;          // only the holder of the turn moves it
        AgentMessageWriter.WriteHeader(frame, _role.SendType, (ulong)_options.Time.GetUtcNow().ToUnixTimeMilliseconds(), sequence,
            sequence == 0 ? _role.FirstFlags : MessageFlags.None, _dataIds.Next(), type);
        return buffer;
    }

    private bool HasRoom(int length)
    {
        lock (_gate)
        {
            ThrowIfEnded();
            _waitsForRoom = !_window.HasRoom(length);
            if (_waitsForRoom)
            {
                _window.OnFull();
                _control.OnLoad();
            }
            return !_waitsForRoom;
        }
    }

    private async ValueTask WaitForRoomAsync(int length, CancellationToken cancellationToken)
    {
        try
        {
            Push();
            do
            {
                Blocked?.Invoke();
                await _room.WaitAsync(cancellationToken);
            }
            while (!HasRoom(length));
        }
        finally
        {
            lock (_gate) _waitsForRoom = false;
        }
    }

    private void ThrowIfEnded()
    {
        if (_end is { } end) throw new SessionEndedException(end);
    }

    /// <summary>Lets nothing pile up: what is written goes to the network now.</summary>
    internal void Push()
    {
        lock (_gate) _pushWanted = true;
        Write();
    }

    /// <summary>Sends a message that is neither numbered nor acknowledged; lost if the socket is.</summary>
    internal void SendLoose(byte[] frame)
    {
        lock (_gate) _loose.Enqueue(frame);
        Push();
    }

    /// <summary>Puts an acknowledgement down, ahead of all data put down later; <see cref="WriteAcknowledgements"/> or <see cref="Push"/> gets it written.</summary>
    internal void QueueAcknowledgement(PendingAcknowledgement acknowledgement)
    {
        lock (_gate)
            if (_socket is not null && _acknowledgements.Count < WaitingAcknowledgements)
                _acknowledgements.Enqueue(acknowledgement);
    }

    /// <summary>
    /// Called by the socket's reader: writes into the batch, which the reader sends off when it next has to wait for the network. If somebody else
    /// is writing, the batch may be past that moment, so then it is pushed.
    /// </summary>
    internal void WriteAcknowledgements()
    {
        lock (_gate)
        {
            if (_writing)
            {
                _pushWanted = true;
                return;
            }
        }
        Write();
    }

    /// <summary>The peer has a message.</summary>
    internal void OnAcknowledged(long sequence)
    {
        var resend = false;
        lock (_gate)
        {
            if (_window.Acknowledge(sequence))
            {
                _control.OnAcknowledged();
                if (sequence == _probe)
                {
                    _probe = -1;
                    _control.OnProbeAcknowledged();
                    MaxPayload = _control.Payload;
                }
                OnWindowMoved();
                resend = _window.HasResends;
                if (_armed && _window.LooksLost) _timer.Change(_window.Grace, Timeout.InfiniteTimeSpan);
            }
        }
        Unpause();
        if (resend) Push();
    }

    /// <summary>Tells those who wait for the window. An acknowledgement may overtake the end of its message's own write, so both may move it.</summary>
    private void OnWindowMoved()
    {
        if (_waitsForRoom && _window.HasAmpleRoom) _room.Set();
        if (_drained is null || !_window.IsEmpty) return;
        _drained.TrySetResult();
        _drained = null;
    }

    /// <summary>pause_publication.</summary>
    internal void Pause()
    {
        lock (_gate) StepBack(pause: true);
        _pacing.Pause();
    }

    /// <summary>Something speaks against what was tried last.</summary>
    private void StepBack(bool pause)
    {
        var rate = _control.Rate;
        if (_control.OnSign(pause)) TakeProbeBack();
        MaxPayload = _control.Payload;
        // The service looks back over two seconds: silence first, so that it does not find us too fast once more.
        if (rate != _control.Rate) _pacing.Limit(_control.Rate, pause ? StepBackTime : TimeSpan.Zero);
    }

    /// <summary>The probe's number stays taken; what is sent under it is now as small as can be.</summary>
    private void TakeProbeBack()
    {
        var sequence = _probe;
        _probe = -1;
        if (!_window.TryPeek(sequence, out var frame)) return;
        var buffer = _buffers.Rent(AgentMessageLayout.Payload + _probeLeast);
        var small = buffer.AsSpan(0, AgentMessageLayout.Payload + _probeLeast);
        frame.Span.Slice(AgentMessageLayout.Payload, _probeLeast).CopyTo(small[AgentMessageLayout.Payload..]);
        AgentMessageWriter.WriteHeader(small, _role.SendType, (ulong)_options.Time.GetUtcNow().ToUnixTimeMilliseconds(), sequence, MessageFlags.None, Guid.NewGuid(), PayloadType.Output);
        if (_window.Replace(sequence, buffer, small.Length)) return;
        // In the socket's hands: again when it is done.
        _buffers.Return(buffer);
        _probe = sequence;
        _probeFailed = true;
    }

    /// <summary>start_publication, or what counts as one (protocol §3.6).</summary>
    internal void Unpause()
    {
        if (!_pacing.Resume()) return;
        lock (_gate) Arm();
    }

    /// <summary>A new connection: says again what was acknowledged lately and sends all that is unacknowledged (protocol §6.4).</summary>
    internal void Attach(MessageSocket socket, IEnumerable<PendingAcknowledgement> acknowledgedLately)
    {
        lock (_gate)
        {
            _socket = socket;
            _acknowledgements.Clear();
            foreach (var acknowledgement in acknowledgedLately) _acknowledgements.Enqueue(acknowledgement);
            _window.Restart();
        }
        _pacing.Resume();
        Push();
    }

    /// <summary>The connection is lost. What is sent from now on waits for the next.</summary>
    internal void Detach()
    {
        lock (_gate)
        {
            _socket = null;
            _acknowledgements.Clear();
            _loose.Clear();
            StepBack(pause: false);
        }
    }

    /// <summary>Completes when nothing waits for an acknowledgement.</summary>
    internal Task WhenDrained()
    {
        lock (_gate)
        {
            if (_window.IsEmpty || _end is not null) return Task.CompletedTask;
            return (_drained ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Nothing waits for an acknowledgement now.</summary>
    internal bool IsDrained
    {
        get
        {
            lock (_gate) return _window.IsEmpty;
        }
    }

    /// <summary>The session is over: senders get the reason.</summary>
    internal void End(SessionEnd end)
    {
        TaskCompletionSource? drained;
        lock (_gate)
        {
            _end ??= end;
            (drained, _drained) = (_drained, null);
        }
        _room.Set();
        _pacing.Pause();
        _pacing.Resume();     // wakes whoever waits there
        drained?.TrySetResult();
    }

    private void Write()
    {
        lock (_gate)
        {
            if (_writing || _socket is null) return;
            _writing = true;
        }
        _ = WriteAllAsync();
    }

    private enum Work
    {
        None,
        Loose,
        Acknowledgement,
        Data,
        Push,
    }

    private async Task WriteAllAsync()
    {
        long written = -1;
        while (true)
        {
            Work work;
            MessageSocket? socket;
            ReadOnlyMemory<byte> frame;
            PendingAcknowledgement acknowledgement;
            long sequence;
            lock (_gate)
            {
                if (written >= 0)
                {
                    _window.Written(written);
                    if (_probeFailed)
                    {
                        _probeFailed = false;
                        TakeProbeBack();
                    }
                    OnWindowMoved();
                }
                socket = _socket;
                work = Next(out frame, out acknowledgement, out sequence);
                if (work == Work.None || socket is null)
                {
                    _writing = false;
                    return;
                }
            }
            written = sequence;
            try
            {
                if (work == Work.Push)
                {
                    await socket.PushAsync();
                    continue;
                }
                if (work == Work.Acknowledgement) frame = EncodeAcknowledgement(acknowledgement);
                await socket.SendAsync(frame);
            }
            catch (Exception e)
            {
                // The message stays listed. The socket's reader sees the abort and has it replaced.
                _options.Logger?.LogDebug("Session {SessionId}: a write failed ({Error})", _role.SessionId, e.Message);
                socket.Abort();
                lock (_gate)
                    if (ReferenceEquals(_socket, socket))
                        _socket = null;
            }
        }
    }

    private Work Next(out ReadOnlyMemory<byte> frame, out PendingAcknowledgement acknowledgement, out long sequence)
    {
        frame = default;
        acknowledgement = default;
        sequence = -1;
        if (_socket is null) return Work.None;
        if (_loose.TryDequeue(out var loose))
        {
            frame = loose;
            return Work.Loose;
        }
        if (_acknowledgements.TryDequeue(out acknowledgement)) return Work.Acknowledgement;
        if (_window.TryTakeNext(out sequence, out frame))
        {
            Arm();
            return Work.Data;
        }
        if (!_pushWanted) return Work.None;
        _pushWanted = false;
        return Work.Push;
    }

    private ReadOnlyMemory<byte> EncodeAcknowledgement(PendingAcknowledgement acknowledgement)
    {
        var frame = _acknowledgementFrame;
        var length = AgentMessageLayout.Payload
            + Acknowledgement.Write(frame.AsSpan(AgentMessageLayout.Payload), _role.ReceiveType, acknowledgement.Id, acknowledgement.Sequence);
        AgentMessageWriter.WriteHeader(frame.AsSpan(0, length), MessageTypes.Acknowledge, (ulong)_options.Time.GetUtcNow().ToUnixTimeMilliseconds(), 0,
            MessageFlags.SynFin, _acknowledgementIds.Next(), PayloadType.None);
        return frame.AsMemory(0, length);
    }

    /// <summary>The resend timer runs only while something waits for an acknowledgement on a live connection.</summary>
    private void Arm()
    {
        if (_armed || _window.IsEmpty || _socket is null) return;
        _armed = true;
        _timer.Change(_window.ResendAfter, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            _armed = false;
            if (_end is not null || _socket is null || (_role.StopsResendingWhenPaused && _pacing.IsPaused)) return;
            if (_control.ProbeIsOverdue(_window.ResendAfter)) StepBack(pause: false);
            if (_window.ResendIfDue(out var queued) is not { } wait) return;
            queued |= _window.HasResends;
            _armed = true;
            _timer.Change(wait, Timeout.InfiniteTimeSpan);
            if (!queued) return;
            _pushWanted = true;
        }
        Write();
    }

    public void Dispose()
    {
        _timer.Dispose();
        _pacing.Dispose();
    }
}
