namespace Fumidai.SessionManager;

/// <summary>
/// Messages sent and not yet acknowledged, in a ring by sequence number (protocol §3.4, §3.5). Bounded in messages and in bytes. A message is
/// listed <b>before</b> it is written: the official ends do it after, and lose an acknowledgement that comes within a millisecond.
/// Pure state; the owner holds a lock around every call.
/// </summary>
internal sealed class SendWindow(TimeProvider time, FrameBuffers buffers, int maxMessages, int maxBytes)
{
    private readonly WindowControl _control = new(time, maxBytes);

    private const int ReorderedByPath = 3;       // as TCP: this many later acknowledgements mean that it was lost
    private const int LargestRound = 256;

    private Entry[] _ring = new Entry[16];
    private long _head;                           // oldest unacknowledged
    private long _next;                           // next number to give
    private long _unwritten;                      // first message not yet written to this connection
    private long _gapsLookedAt;                   // below this all gaps have been seen
    private int _round = 1;                       // copies at a time: doubles while copies, and only copies, are answered
    private bool _originalAnswered;               // since the last timeout
    private long _highestAcknowledged = -1;
    private int _bytes;
    private readonly Queue<long> _resends = new();
    private readonly RoundTripTime _roundTrip = new();

    private struct Entry
    {
        internal byte[]? Buffer;                  // null once acknowledged and not being written
        internal int Length;
        internal long FirstSent;                  // timestamps; 0: not yet on this connection
        internal long LastSent;
        internal int Copies;                      // on this connection
        internal bool Acknowledged;
        internal bool Writing;
        internal bool ResendQueued;
    }

    /// <summary>The number the next message gets.</summary>
    internal long NextSequence => _next;

    /// <summary>Nothing waits for an acknowledgement.</summary>
    internal bool IsEmpty => _head == _next;

    /// <summary>Whether a message of that many bytes may be added now. One always may, however large.</summary>
    internal bool HasRoom(int bytes) => _next - _head < maxMessages && (_bytes == 0 || _bytes + bytes <= _control.Bytes);

    /// <summary>A sender has to wait for room.</summary>
    internal void OnFull() => _control.OnFull();

    /// <summary>A quarter of the window is free: worth waking a waiting sender, who then fills it in one go.</summary>
    internal bool HasAmpleRoom => _next - _head <= maxMessages - Math.Max(1, maxMessages / 4) && _bytes <= _control.Bytes - (_control.Bytes / 4);

    /// <summary>Copies wait to be written.</summary>
    internal bool HasResends => _resends.Count > 0;

    /// <summary>How long the oldest message may wait for its acknowledgement.</summary>
    internal TimeSpan ResendAfter => _roundTrip.ResendAfter;

    /// <summary>Lists a message with number <see cref="NextSequence"/>; the window owns the buffer from now on.</summary>
    internal void Add(byte[] buffer, int length)
    {
        if (_next - _head == _ring.Length) Grow();
        ref var entry = ref At(_next);
        entry = new() { Buffer = buffer, Length = length };
        _bytes += length;
        _next++;
    }

    /// <summary>
    /// The next message to put on this connection: copies that are due first, then what was never written here. The buffer stays untouched
    /// until <see cref="Written"/>, even if the acknowledgement is quicker.
    /// </summary>
    internal bool TryTakeNext(out long sequence, out ReadOnlyMemory<byte> frame)
    {
        while (_resends.TryDequeue(out sequence))
        {
            if (sequence < _head) continue;
            ref var entry = ref At(sequence);
            entry.ResendQueued = false;
            if (entry.Acknowledged) continue;
            frame = Take(ref entry);
            return true;
        }
        for (; _unwritten < _next; _unwritten++)
        {
            ref var entry = ref At(_unwritten);
            if (entry.Acknowledged) continue;
            sequence = _unwritten++;
            frame = Take(ref entry);
            return true;
        }
        sequence = -1;
        frame = default;
        return false;
    }

    private ReadOnlyMemory<byte> Take(ref Entry entry)
    {
        entry.LastSent = time.GetTimestamp();
        if (entry.Copies++ == 0) entry.FirstSent = entry.LastSent;
        entry.Writing = true;
        return entry.Buffer.AsMemory(0, entry.Length);
    }

    /// <summary>The socket is done with a message's bytes.</summary>
    internal void Written(long sequence)
    {
        if (_next - sequence > _ring.Length) return;
        ref var entry = ref At(sequence);
        entry.Writing = false;
        if (entry.Acknowledged) Release(ref entry);
        Advance();
    }

    /// <summary>An acknowledgement arrived. False: of nothing that waits for one (unknown, or a repeat); ignored, as the official ends do.</summary>
    internal bool Acknowledge(long sequence)
    {
        if (sequence < _head || sequence >= _next) return false;
        ref var entry = ref At(sequence);
        if (entry.Acknowledged) return false;
        entry.Acknowledged = true;
        _bytes -= entry.Length;
        var copied = entry.Copies > 1;
        if (entry.Copies > 0)
        {
            var roundTrip = time.GetElapsedTime(entry.FirstSent);
            _roundTrip.Add(roundTrip);
            if (entry.Copies == 1) _control.Add(roundTrip);
        }
        if (entry.Copies == 1) _originalAnswered = true;
        if (!entry.Writing) Release(ref entry);
        if (sequence > _highestAcknowledged) _highestAcknowledged = sequence;
        Advance();
        ResendGaps();
        LooksLost = copied && _head < _unwritten && time.GetElapsedTime(At(_head).LastSent) >= _roundTrip.ResendAfter;
        return true;
    }

    /// <summary>The path keeps order, so a message whose successors are acknowledged was lost, or its acknowledgement was.</summary>
    private void ResendGaps()
    {
        for (_gapsLookedAt = Math.Max(_gapsLookedAt, _head); _gapsLookedAt <= _highestAcknowledged - ReorderedByPath; _gapsLookedAt++)
            if (At(_gapsLookedAt) is { Acknowledged: false, Copies: 1 })
                Queue(_gapsLookedAt);
    }

    private bool Queue(long sequence)
    {
        ref var entry = ref At(sequence);
        if (entry.ResendQueued) return false;
        entry.ResendQueued = true;
        _resends.Enqueue(sequence);
        return true;
    }

    /// <summary>
    /// A copy was answered and the next message is overdue too: perhaps a whole window was lost (the peer's own connection was cut), which at one
    /// copy per timeout would take minutes. Look again after <see cref="Grace"/>: if the path is merely slow, answers to originals come in meanwhile.
    /// </summary>
    internal bool LooksLost { get; private set; }

    /// <summary>A quarter of the timeout: acknowledgements of a burst lie closer together than that, however slow the path.</summary>
    internal TimeSpan Grace => _roundTrip.ResendAfter / 4;

    /// <summary>
    /// Looks at the oldest unacknowledged message and, when its time has come, queues a copy of it; and of more behind it while nothing but copies
    /// is answered. Returns when to look again; null: when something is sent.
    /// </summary>
    internal TimeSpan? ResendIfDue(out bool queued)
    {
        queued = false;
        if (IsEmpty || _head >= _unwritten) return null;
        var wait = _roundTrip.ResendAfter;
        var left = wait - time.GetElapsedTime(At(_head).LastSent);
        if (At(_head).Acknowledged) return wait;      // still in the hands of the socket
        if (left > TimeSpan.Zero) return left;
        var slow = LooksLost && _originalAnswered;
        _round = LooksLost && !_originalAnswered ? Math.Min(_round * 2, LargestRound) : 1;
        LooksLost = _originalAnswered = false;
        if (slow) return wait;
        var copies = 0;
        for (var sequence = _head; sequence < _unwritten && copies < _round; sequence++)
        {
            if (At(sequence).Acknowledged) continue;
            if (time.GetElapsedTime(At(sequence).LastSent) < wait) break;
            queued |= Queue(sequence);
            copies++;
        }
        return wait;
    }

    /// <summary>A fresh connection: everything unacknowledged is written again, in order (protocol §6.4).</summary>
    internal void Restart()
    {
        _resends.Clear();
        for (var sequence = _head; sequence < _next; sequence++)
        {
            ref var entry = ref At(sequence);
            entry.Copies = 0;
            entry.ResendQueued = false;
        }
        _unwritten = _gapsLookedAt = _head;
        _round = 1;
        LooksLost = _originalAnswered = false;
        _highestAcknowledged = _head - 1;
    }

    /// <summary>A message that is not acknowledged.</summary>
    internal bool TryPeek(long sequence, out ReadOnlyMemory<byte> frame)
    {
        frame = default;
        if (sequence < _head || sequence >= _next || At(sequence).Acknowledged) return false;
        frame = At(sequence).Buffer.AsMemory(0, At(sequence).Length);
        return true;
    }

    /// <summary>Puts other bytes in the place of a message not yet acknowledged; it is sent again with them. False: too late, or the socket has it.</summary>
    internal bool Replace(long sequence, byte[] buffer, int length)
    {
        if (sequence < _head || sequence >= _next) return false;
        ref var entry = ref At(sequence);
        if (entry.Acknowledged || entry.Writing) return false;
        _bytes += length - entry.Length;
        buffers.Return(entry.Buffer!);
        (entry.Buffer, entry.Length) = (buffer, length);
        if (sequence < _unwritten) Queue(sequence);
        return true;
    }

    private ref Entry At(long sequence) => ref _ring[sequence & (_ring.Length - 1)];

    private void Release(ref Entry entry)
    {
        if (entry.Buffer is { } buffer) buffers.Return(buffer);
        entry.Buffer = null;
    }

    private void Advance()
    {
        while (_head < _next && At(_head) is { Acknowledged: true, Writing: false }) _head++;
        if (_unwritten < _head) _unwritten = _head;
    }

    private void Grow()
    {
        var old = _ring;
        _ring = new Entry[old.Length * 2];
        for (var sequence = _head; sequence < _next; sequence++)
            At(sequence) = old[sequence & (old.Length - 1)];
    }
}
