namespace Fumidai.SessionManager;

/// <summary>A numbered message as it came, with the buffer that holds it.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="Id">Its id, for the acknowledgement.</param>
/// <param name="Type">What it carries.</param>
/// <param name="Buffer">Owned by whoever holds the message.</param>
/// <param name="Offset">Where the payload begins.</param>
/// <param name="Length">The payload's bytes.</param>
internal readonly record struct ReceivedMessage(long Sequence, Guid Id, PayloadType Type, byte[] Buffer, int Offset, int Length);

/// <summary>What to acknowledge.</summary>
internal readonly record struct PendingAcknowledgement(long Sequence, Guid Id);

/// <summary>What to do with a numbered message.</summary>
internal enum Arrival
{
    /// <summary>Hand it over with <see cref="ReceiveWindow.Accept"/>.</summary>
    Welcome,
    /// <summary>Known; acknowledge it again, for the first acknowledgement may be lost.</summary>
    Duplicate,
    /// <summary>Known, and its acknowledgement is withheld while the reader is behind; or too far ahead. Drop it without a word: the peer sends it again.</summary>
    Ignore,
    /// <summary>The reader is so far behind that nothing more may be kept: wait, or drop.</summary>
    Full,
}

/// <summary>
/// Puts messages into order, each once, and decides when they are acknowledged (protocol §3.3). Pure state; the owner holds a lock around every call.
/// <para>Bounds, counted at arrival: up to <see cref="AcknowledgedMessages"/> messages or <see cref="AcknowledgedBytes"/> of buffers wait for the
/// reader and are acknowledged at once; beyond that messages are kept without an acknowledgement, which stops a peer with a window; beyond
/// <see cref="KeptMessages"/> or <see cref="KeptBytes"/> nothing more is taken. The reorder buffer has the latter bounds of its own.</para>
/// </summary>
internal sealed class ReceiveWindow
{
    internal const int AcknowledgedMessages = 1024;
    internal const int AcknowledgedBytes = 2 << 20;
    internal const int KeptMessages = 4096;
    internal const int KeptBytes = 8 << 20;
    private const int Remembered = 1024;          // no peer with a window has more in flight

    private readonly Queue<ReceivedMessage> _ready = new();
    private readonly Dictionary<long, ReceivedMessage> _early = [];
    private readonly Queue<PendingAcknowledgement> _withheld = new();
    private readonly Queue<PendingAcknowledgement> _recent = new();
    private int _readyBytes;
    private int _earlyBytes;
    private long _expected;

    /// <summary>The number of the next message in order.</summary>
    internal long Expected => _expected;

    /// <summary>Whether the reader has something to read.</summary>
    internal bool HasReady => _ready.Count > 0;

    /// <summary>Nothing more may be kept.</summary>
    internal bool IsFull => _ready.Count >= KeptMessages || _readyBytes >= KeptBytes;

    private bool IsBehind => _ready.Count >= AcknowledgedMessages || _readyBytes >= AcknowledgedBytes;

    internal Arrival Look(long sequence)
    {
        if (sequence == _expected) return IsFull ? Arrival.Full : Arrival.Welcome;
        if (sequence < _expected)
        {
            if (sequence < 0) return Arrival.Ignore;
            return _withheld.TryPeek(out var first) && sequence >= first.Sequence ? Arrival.Ignore : Arrival.Duplicate;
        }
        if (_early.ContainsKey(sequence)) return Arrival.Duplicate;
        return sequence - _expected >= KeptMessages || _earlyBytes >= KeptBytes ? Arrival.Ignore : Arrival.Welcome;
    }

    /// <summary>Takes a welcome message and its buffer. True: acknowledge it now; false: later, see <see cref="TryReleaseAcknowledgement"/>.</summary>
    internal bool Accept(in ReceivedMessage message)
    {
        if (message.Sequence != _expected)
        {
            // Out of order it is acknowledged at once, as the official ends do: the peer's window then slides to what is missing.
            _early.Add(message.Sequence, message);
            _earlyBytes += message.Buffer.Length;
            Remember(message.Sequence, message.Id);
            return true;
        }
        var now = !IsBehind && _withheld.Count == 0;
        Enqueue(message);
        while (_early.Remove(_expected, out var next))
        {
            _earlyBytes -= next.Buffer.Length;
            Enqueue(next);
        }
        if (now) Remember(message.Sequence, message.Id);
        else _withheld.Enqueue(new(message.Sequence, message.Id));
        return now;
    }

    /// <summary>The next message in order; the caller owns its buffer.</summary>
    internal bool TryTake(out ReceivedMessage message)
    {
        if (!_ready.TryDequeue(out message)) return false;
        _readyBytes -= message.Buffer.Length;
        return true;
    }

    /// <summary>An acknowledgement that was withheld and is due: when the reader has caught up to half of the bound.</summary>
    internal bool TryReleaseAcknowledgement(out PendingAcknowledgement acknowledgement)
    {
        acknowledgement = default;
        if (_withheld.Count == 0 || _ready.Count > AcknowledgedMessages / 2 || _readyBytes > AcknowledgedBytes / 2) return false;
        acknowledgement = _withheld.Dequeue();
        Remember(acknowledgement.Sequence, acknowledgement.Id);
        return true;
    }

    /// <summary>What was acknowledged lately, oldest first: said again after a resume, since it may have been lost with the connection (protocol §6.4).</summary>
    internal IEnumerable<PendingAcknowledgement> Recent => _recent;

    private void Enqueue(in ReceivedMessage message)
    {
        _ready.Enqueue(message);
        _readyBytes += message.Buffer.Length;
        _expected++;
    }

    private void Remember(long sequence, Guid id)
    {
        if (_recent.Count == Remembered) _recent.Dequeue();
        _recent.Enqueue(new(sequence, id));
    }
}
