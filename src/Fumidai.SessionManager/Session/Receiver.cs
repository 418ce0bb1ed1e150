using System.Runtime.CompilerServices;

namespace Fumidai.SessionManager;

/// <summary>The receiving half of a data channel: between the socket's reader and the one who reads payloads.</summary>
internal sealed class Receiver(Transmitter transmitter, FrameBuffers buffers)
{
    private readonly Lock _gate = new();
    private readonly ReceiveWindow _window = new();
    private readonly AsyncSignal _arrived = new();
    private readonly AsyncSignal _caughtUp = new();
    private ReceivedMessage _current;
    private bool _unread;
    private bool _untold;
    private bool _stalled;
    private bool _ended;
    private bool _discardRest;

    /// <summary>Opens sealed payloads once the handshake is over.</summary>
    internal SessionCipher? Cipher { get; set; }

    /// <summary>The last payload taken.</summary>
    internal ReceivedPayload Current { get; private set; }

    /// <summary>
    /// Takes a numbered message. The acknowledgement is with the transmitter before the reader can see the payload, so it always precedes the
    /// answer: the official client goes deaf when HandshakeComplete overtakes the acknowledgement of its HandshakeResponse (protocol §3.3).
    /// </summary>
    internal Arrival Offer(in AgentMessageHeader header, MessageSocket socket)
    {
        Arrival arrival;
        bool acknowledge;
        var ready = false;
        lock (_gate)
        {
            arrival = _ended ? Arrival.Ignore : _window.Look(header.SequenceNumber);
            acknowledge = arrival == Arrival.Duplicate;
            if (arrival == Arrival.Full) _stalled = true;
            if (arrival == Arrival.Welcome)
            {
                var length = socket.Message.Length - header.PayloadOffset;
                acknowledge = _window.Accept(new(header.SequenceNumber, header.MessageId, header.PayloadType, socket.TakeBuffer(), header.PayloadOffset, length));
                ready = _window.HasReady;
            }
            if (acknowledge) transmitter.QueueAcknowledgement(new(header.SequenceNumber, header.MessageId));
        }
        if (acknowledge) transmitter.WriteAcknowledgements();
        _untold |= ready;
        return arrival;
    }

    /// <summary>
    /// Tells the reader what was offered. The socket's reader calls it when it has to wait, or after a number of messages, so that what came
    /// together is read together.
    /// </summary>
    internal void Tell()
    {
        if (!_untold) return;
        _untold = false;
        _arrived.Set();
    }

    /// <summary>The reader goes on within <see cref="Tell"/>, on the thread that reads the socket. For a reader that never blocks.</summary>
    internal bool ReadsInline
    {
        set => _arrived.IsInline = value;
    }

    /// <summary>Waits until the reader has caught up, or somebody else has a reason to look again.</summary>
    internal ValueTask WaitForRoomAsync() => _caughtUp.WaitAsync(CancellationToken.None);

    /// <summary>Makes <see cref="WaitForRoomAsync"/> look again.</summary>
    internal void Wake() => _caughtUp.Set();

    /// <summary>The next payload in order. False: over. One reader at a time.</summary>
    /// <exception cref="InvalidDataException">A sealed payload does not open.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (_unread)
        {
            _unread = false;
            return true;
        }
        GiveBack();
        while (true)
        {
            if (TryTake(out var over)) return true;
            if (over) return false;
            await _arrived.WaitAsync(cancellationToken);
        }
    }

    private bool TryTake(out bool over)
    {
        ReceivedMessage message;
        var released = false;
        var wake = false;
        lock (_gate)
        {
            over = _ended;
            if ((over && _discardRest) || !_window.TryTake(out message)) return false;
            while (_window.TryReleaseAcknowledgement(out var acknowledgement))
            {
                transmitter.QueueAcknowledgement(acknowledgement);
                released = true;
            }
            if (_stalled && !_window.IsFull)
            {
                _stalled = false;
                wake = true;
            }
        }
        if (released) transmitter.Push();
        if (wake) _caughtUp.Set();
        _current = message;
        Current = new(message.Type, Open(message));
        return true;
    }

    private ReadOnlyMemory<byte> Open(in ReceivedMessage message)
    {
        var payload = message.Buffer.AsMemory(message.Offset, message.Length);
        if (Cipher is not { } cipher || !SessionCipher.Covers(message.Type)) return payload;
        return cipher.TryOpen(payload.Span, out var plaintext) ? payload[plaintext] : throw new InvalidDataException("an encrypted payload could not be opened");
    }

    /// <summary>The next <see cref="ReadAsync"/> gives the current payload once more.</summary>
    internal void Unread() => _unread = true;

    /// <summary>Throws away what has arrived and was not read. The agent does it with data that came before the handshake was complete (protocol §3.3).</summary>
    internal void Discard()
    {
        GiveBack();
        lock (_gate)
            while (_window.TryTake(out var message))
                buffers.Return(message.Buffer);
    }

    private void GiveBack()
    {
        if (_current.Buffer is { } buffer) buffers.Return(buffer);
        _current = default;
        Current = default;
    }

    /// <summary>What was acknowledged lately, in the order it was.</summary>
    internal PendingAcknowledgement[] AcknowledgedLately()
    {
        lock (_gate) return [.. _window.Recent];
    }

    /// <summary>Nothing more will come. What has arrived can still be read, unless it is thrown away.</summary>
    internal void End(bool discard)
    {
        lock (_gate)
        {
            _ended = true;
            _discardRest |= discard;
        }
        _arrived.SetElsewhere();
        _caughtUp.Set();
    }
}
