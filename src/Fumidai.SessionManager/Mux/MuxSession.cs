using System.Threading.Channels;

namespace Fumidai.SessionManager;

/// <summary>Which end of smux we are: the client opens streams (3, 5, 7 …), the server accepts them.</summary>
internal enum MuxRole
{
    /// <summary>The laptop's end.</summary>
    Client,
    /// <summary>The bastion's end.</summary>
    Server,
}

/// <summary>
/// smux version 1 over the Output payloads of a data channel. The owner feeds <see cref="Receive"/> and runs <see cref="RunSenderAsync"/>;
/// nothing else runs here, so that flags and endings stay with the owner, in the order they came.
/// </summary>
internal sealed class MuxSession
{
    /// <summary>Streams that may wait to be accepted; as the stock library.</summary>
    public const int AcceptBacklog = 1024;

    private const int TurnsOnBorrowedThread = 16;

    private readonly IPayloadChannel _channel;
    private readonly MuxRole _role;
    private readonly TimeSpan _holdLimit;
    private readonly TimeProvider _time;
    private readonly ReceiveBudget _budget = new(ReceiveBudget.StockLimit);
    private readonly SendTurns _turns = new();
    private readonly Channel<MuxStream>? _accepted;
    private readonly Lock _sync = new();
    private readonly Dictionary<uint, MuxStream> _streams = [];
    private MuxFrameReader _reader;
    private uint _lastId = 1;
    private int _refusals;
    private Exception? _end;
    private long _framesReceived;

    public MuxSession(IPayloadChannel channel, MuxRole role, TimeSpan holdLimit, TimeProvider time)
    {
        (_channel, _role, _holdLimit, _time) = (channel, role, holdLimit, time);
        if (role == MuxRole.Server) _accepted = Channel.CreateBounded<MuxStream>(AcceptBacklog);
    }

    /// <summary>Streams whose user has not finished with them.</summary>
    public int OpenStreams
    {
        get { lock (_sync) return _streams.Values.Count(stream => !stream.Ended.IsCompleted); }
    }

    /// <summary>Streams known, those that wait for the peer's FIN included.</summary>
    public int KnownStreams { get { lock (_sync) return _streams.Count; } }

    /// <summary>Frames received so far, NOPs included: the sign of life that keep-alive looks at.</summary>
    public long FramesReceived => Interlocked.Read(ref _framesReceived);

    /// <summary>Unread bytes that may still arrive.</summary>
    public long BudgetLeft => _budget.Left;

    /// <summary>Opens a stream: its SYN goes out at once, data may follow without waiting.</summary>
    /// <exception cref="SessionEndedException">The session is over, or its stream numbers are used up.</exception>
    public MuxStream Open()
    {
        MuxStream stream;
        lock (_sync)
        {
            if (_end is SessionEndedException ended) throw new SessionEndedException(ended.End, ended);
            if (_lastId > uint.MaxValue - 2)
                throw new SessionEndedException(new SessionEnd(SessionEndKind.Failed, "all stream numbers of this session are used up"));
            _lastId += 2;
            stream = new MuxStream(this, _lastId, _budget, _holdLimit, _time) { OwesSyn = true };
            _streams.Add(stream.Id, stream);
        }
        Schedule(stream, lendsThread: true);
        return stream;
    }

    /// <summary>The next stream the peer opened; null when the session is over.</summary>
    public async ValueTask<MuxStream?> AcceptAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _accepted!.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    /// <summary>Takes in the next bytes of the smux stream, in order. Never waits; <see cref="WhenRoomAsync"/> does before the next call.</summary>
    /// <exception cref="MuxProtocolException">The peer broke the protocol; the session cannot go on.</exception>
    public void Receive(ReadOnlySpan<byte> bytes)
    {
        while (_reader.TryRead(ref bytes, out var part))
        {
            Interlocked.Increment(ref _framesReceived);
            switch (part.Command)
            {
                case MuxCommand.Syn:
                    ReceiveSyn(part.StreamId);
                    break;
                case MuxCommand.Psh:
                    Find(part.StreamId)?.Deliver(part.Data);
                    break;
                case MuxCommand.Fin:
                    ReceiveFin(part.StreamId);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>Waits while 4 MiB lie unread. A lone reader, the receiving loop.</summary>
    public ValueTask WhenRoomAsync() => _budget.WhenRoomAsync();

    /// <summary>From now on <see cref="WhenRoomAsync"/> does not wait.</summary>
    public void StopWaitingForReaders() => _budget.End();

    /// <summary>
    /// Flag ConnectToPortError has come. It names no stream; the agent sends it just before the FIN of the stream whose dial failed, so
    /// the next FIN of a stream that never got a byte is that one (protocol §5.4). A stream we have given up meanwhile stays known until
    /// its FIN, so that it uses its refusal up instead of leaving it to another.
    /// </summary>
    public void ExpectRefusal() => _refusals++;

    /// <summary>Asks the sending loop for a NOP.</summary>
    public void SendKeepAlive() => _turns.AskForKeepAlive();

    /// <summary>Ends every stream; what they received is still read. The sending loop ends when it next looks.</summary>
    public void End(SessionEndedException reason)
    {
        List<MuxStream> streams;
        lock (_sync)
        {
            if (_end is not null) return;
            _end = reason;
            streams = [.. _streams.Values];
            _streams.Clear();
        }
        _accepted?.Writer.TryComplete();
        foreach (var stream in streams) stream.Fail(reason, cutOff: false);
        _budget.End();
        _turns.End();
    }

    /// <summary>Gives a stream a turn.</summary>
    internal void Schedule(MuxStream stream, bool lendsThread) => _turns.Add(stream, lendsThread);

    /// <summary>Sends in turns until the session is over.</summary>
    /// <exception cref="SessionEndedException">The channel is over.</exception>
    public async Task RunSenderAsync(CancellationToken cancellationToken)
    {
        var message = new MessageFiller(_channel);
        var borrowed = 0;
        while (!_turns.HaveEnded)
        {
            // Whoever woke this loop lends it its thread for a lone message, not for everybody's bulk.
            if (++borrowed == TurnsOnBorrowedThread) await Task.Yield();
            // Only between frames; and all frames are whole here.
            if (_role == MuxRole.Client && !message.HasBytes && _channel.WantedProbe is > 0 and var size)
                await ProbeAsync(size, cancellationToken).ConfigureAwait(false);
            if (_turns.TryTakeKeepAlive())
                await message.AddAsync(new MuxFrameHeader(MuxCommand.Nop, 0, 0), cancellationToken).ConfigureAwait(false);
            if (_turns.TryTake(out var stream))
            {
                if (await TakeTurnAsync(stream, message, cancellationToken).ConfigureAwait(false)) _turns.Add(stream, lendsThread: false);
                continue;
            }
            if (message.HasBytes)
            {
                // Nothing more to say: this one goes as it is. Sending may have waited, so look again before flushing.
                await message.SendAsync(cancellationToken).ConfigureAwait(false);
                if (_turns.HasSome) continue;
            }
            await _channel.FlushAsync(cancellationToken).ConfigureAwait(false);
            var some = _turns.WhenSomeAsync();
            if (!some.IsCompleted) borrowed = 0;
            await some.ConfigureAwait(false);
        }
    }

    /// <summary>A message of NOPs alone, which mean nothing (protocol §5.5): one of them does as well as all.</summary>
    private ValueTask ProbeAsync(int size, CancellationToken cancellationToken)
    {
        var nops = new byte[size / MuxFrameHeader.Size * MuxFrameHeader.Size];
        for (var at = 0; at < nops.Length; at += MuxFrameHeader.Size)
            new MuxFrameHeader(MuxCommand.Nop, 0, 0).Write(nops.AsSpan(at));
        return _channel.SendProbeAsync(nops, MuxFrameHeader.Size, cancellationToken);
    }

    // One frame a turn, and a frame ends where its message ends (or the next one, when only a scrap is left): so nobody's bulk
    // stands before another stream's bytes for longer than a message.
    private async ValueTask<bool> TakeTurnAsync(MuxStream stream, MessageFiller message, CancellationToken cancellationToken)
    {
        if (stream.OwesSyn)
        {
            if (stream.IsClosing && stream.Ended is { IsCompleted: true, Result: not null })
            {
                // Cut off before anybody heard of it.
                stream.OwesSyn = false;
                stream.CloseSaid();
                Forget(stream);
                return false;
            }
            stream.OwesSyn = false;
            await message.AddAsync(new MuxFrameHeader(MuxCommand.Syn, 0, stream.Id), cancellationToken).ConfigureAwait(false);
        }

        var outgoing = stream.TakeOutgoing(FrameRoom(message));
        if (!outgoing.Data.IsEmpty)
        {
            var header = new MuxFrameHeader(MuxCommand.Psh, (ushort)outgoing.Data.Length, stream.Id);
            await message.AddAsync(header, cancellationToken).ConfigureAwait(false);
            await message.AddAsync(outgoing.Data, cancellationToken).ConfigureAwait(false);
        }
        stream.Sent();
        if (outgoing.Close)
        {
            await message.AddAsync(new MuxFrameHeader(MuxCommand.Fin, 0, stream.Id), cancellationToken).ConfigureAwait(false);
            stream.CloseSaid();
            if (stream.IsFinished) Forget(stream);
        }
        return outgoing.HasMore;
    }

    private static int FrameRoom(MessageFiller message)
    {
        const int scrap = 64;
        var room = message.Room - MuxFrameHeader.Size;
        if (room < scrap) room += message.Capacity;
        return Math.Min(room, MuxFrameHeader.MaxPush);
    }

    private void ReceiveSyn(uint id)
    {
        // A real agent opens none; nobody would accept it.
        if (_role == MuxRole.Client) return;
        MuxStream stream;
        lock (_sync)
        {
            if (_end is not null || _streams.ContainsKey(id)) return;
            stream = new MuxStream(this, id, _budget, _holdLimit, _time);
            _streams.Add(id, stream);
        }
        // The stock library would block its only reader here; a full backlog is a refusal instead.
        if (!_accepted!.Writer.TryWrite(stream)) stream.Abort(new IOException("too many connections wait to be accepted"));
    }

    private void ReceiveFin(uint id)
    {
        if (Find(id) is not { } stream) return;
        if (_refusals > 0 && !stream.HasReceived)
        {
            _refusals--;
            stream.Fail(new ConnectToPortException(), cutOff: true);
        }
        stream.EndInput();
        if (stream.IsFinished) Forget(stream);
    }

    private MuxStream? Find(uint id)
    {
        lock (_sync) return _streams.GetValueOrDefault(id);
    }

    private void Forget(MuxStream stream)
    {
        lock (_sync) _streams.Remove(stream.Id);
    }
}
