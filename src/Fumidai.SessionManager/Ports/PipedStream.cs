using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;

namespace Fumidai.SessionManager;

/// <summary>What the sender does in one turn of a stream.</summary>
/// <param name="Data">Bytes to send; lent until <see cref="PipedStream.Sent"/>.</param>
/// <param name="HasMore">More bytes lie behind these.</param>
/// <param name="Close">These are the last: say the end after them.</param>
internal readonly record struct Outgoing(ReadOnlySequence<byte> Data, bool HasMore, bool Close);

/// <summary>
/// The two pipes and the two endings that the multiplexed and the basic stream share. Received bytes are bounded by the session's
/// <see cref="ReceiveBudget"/>, bytes to send by <see cref="MaxUnsent"/>; an idle stream holds no buffer.
/// </summary>
/// <remarks>
/// Three parties touch it at once: its user, the session's receiving loop (<see cref="Deliver"/>, <see cref="EndInput"/>) and the
/// session's sending loop (<see cref="TakeOutgoing"/>, <see cref="Sent"/>, <see cref="CloseSaid"/>). State changes under one lock; pipes call back on
/// the pool, so no foreign code runs inside it.
/// </remarks>
internal abstract partial class PipedStream : PortStream
{
    /// <summary>Bytes that may wait to be sent before the writer has to wait.</summary>
    internal const int MaxUnsent = 64 * 1024;

    /// <summary>A segment is one read from a socket, or one write to it.</summary>
    private const int SegmentSize = 16 * 1024;

    private static readonly PipeOptions ReceivePipe = new(pauseWriterThreshold: 0, minimumSegmentSize: SegmentSize, useSynchronizationContext: false);
    private static readonly PipeOptions SendPipe = new(pauseWriterThreshold: MaxUnsent, resumeWriterThreshold: MaxUnsent / 2, minimumSegmentSize: SegmentSize, useSynchronizationContext: false);

    private readonly Lock _sync = new();
    private readonly Pipe _received = new(ReceivePipe);
    private readonly Pipe _unsent = new(SendPipe);
    private readonly StreamInput _input;
    private readonly StreamOutput _output;
    private readonly ReceiveBudget _budget;
    private readonly HeldClose _held;
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Under _sync.
    private long _unread;
    private bool _inputOver;
    private bool _inputReleased;
    private bool _outputDone;
    private bool _discard;
    private bool _closing;
    private bool _closeSaid;
    private bool _peerEnded;
    private bool _cutOff;
    private Exception? _reason;

    // The sending loop's own.
    private SequencePosition _taken;
    private bool _taking;
    private bool _unsentDone;

    protected PipedStream(ReceiveBudget budget, TimeSpan holdLimit, TimeProvider time)
    {
        _budget = budget;
        _held = new HeldClose(this, holdLimit, time);
        _input = new StreamInput(this, _received.Reader);
        _output = new StreamOutput(this, _unsent.Writer);
    }

    /// <inheritdoc/>
    public sealed override PipeReader Input => _input;

    /// <inheritdoc/>
    public sealed override PipeWriter Output => _output;

    /// <inheritdoc/>
    public sealed override Task<Exception?> Ended => _ended.Task;

    /// <summary>Whether the peer ever sent bytes on it.</summary>
    internal bool HasReceived { get; private set; }

    /// <summary>Whether we have said, or are about to say, our end.</summary>
    internal bool IsClosing { get { lock (_sync) return _closing; } }

    /// <summary>Whether both ends have said so: nothing more is to come or to go.</summary>
    internal bool IsFinished { get { lock (_sync) return _closeSaid && _peerEnded; } }

    /// <summary>Puts the stream on the sending loop's list.</summary>
    /// <param name="lendsThread">The sending loop may run within the call; false where somebody waits for the caller.</param>
    protected abstract void Schedule(bool lendsThread);

    /// <inheritdoc/>
    public sealed override void Abort(Exception reason) => Fail(reason, cutOff: true);

    /// <inheritdoc/>
    public sealed override ValueTask DisposeAsync()
    {
        CompleteOutput(null);
        _input.Release();
        lock (_sync) _closing = true;
        Schedule(lendsThread: true);
        Finish(evenIfOpen: true);
        return ValueTask.CompletedTask;
    }

    // ---- the receiving loop ----

    /// <summary>Queues received bytes, or drops them when nobody will read them.</summary>
    internal void Deliver(ReadOnlySpan<byte> bytes)
    {
        lock (_sync)
        {
            HasReceived = true;
            if (_inputOver) return;
            _budget.Take(bytes.Length);
            _unread += bytes.Length;
            _received.Writer.Write(bytes);
            var flush = _received.Writer.FlushAsync(CancellationToken.None);
            Debug.Assert(flush.IsCompleted, "a pipe without a threshold never makes its writer wait; the budget bounds it");
        }
        _held.Touch();
    }

    /// <summary>The peer has closed its whole connection: the reader gets what is queued and then the end; what we have not sent has no receiver any more.</summary>
    internal void EndInput()
    {
        lock (_sync)
        {
            if (_peerEnded) return;
            _peerEnded = true;
            CloseInput();
            _discard = true;
            _closing = true;
        }
        _unsent.Writer.CancelPendingFlush();
        Schedule(lendsThread: false);
        Finish();
    }

    /// <summary>
    /// Ends the stream with a reason: at once (<paramref name="cutOff"/>), or, when the session is lost, after the reader has had what was received.
    /// </summary>
    internal void Fail(Exception reason, bool cutOff)
    {
        long unread = 0;
        lock (_sync)
        {
            if (_reason is not null || _ended.Task.IsCompleted) return;
            _reason = reason;
            _cutOff = cutOff;
            CloseInput();
            _discard = true;
            _closing = true;
            if (cutOff) (unread, _unread) = (_unread, 0);
        }
        _budget.Return(unread);
        _unsent.Writer.CancelPendingFlush();
        Schedule(lendsThread: false);
        _held.Stop();
        _ended.TrySetResult(reason);
    }

    // ---- the sending loop ----

    /// <summary>What to send in this turn, at most <paramref name="room"/> bytes. Call <see cref="Sent"/> when they are sent.</summary>
    internal Outgoing TakeOutgoing(int room)
    {
        bool discard, closing;
        lock (_sync) (discard, closing) = (_discard, _closing && !_closeSaid);
        if (discard)
        {
            EndUnsent();
            return new Outgoing(default, HasMore: false, closing);
        }
        if (_unsentDone || !_unsent.Reader.TryRead(out var read)) return default;
        var data = read.Buffer.Slice(0, Math.Min(room, read.Buffer.Length));
        (_taken, _taking) = (data.End, true);
        var more = data.Length < read.Buffer.Length;
        return new Outgoing(data, more, closing && read.IsCompleted && !more);
    }

    /// <summary>The bytes of the last <see cref="TakeOutgoing"/> are sent.</summary>
    internal void Sent()
    {
        if (!_taking) return;
        _taking = false;
        _unsent.Reader.AdvanceTo(_taken);
    }

    /// <summary>Our end has been said to the peer.</summary>
    internal void CloseSaid()
    {
        lock (_sync) _closeSaid = true;
        EndUnsent();
        Finish();
    }

    private void EndUnsent()
    {
        if (_unsentDone) return;
        _unsentDone = true;
        _unsent.Reader.Complete();
    }

    // ---- the user ----

    private void CompleteOutput(Exception? failure)
    {
        if (failure is not null) Abort(failure);
        lock (_sync)
        {
            if (_outputDone) return;
            _outputDone = true;
            _unsent.Writer.Complete();
            _closing |= _inputReleased || _held.Limit == TimeSpan.Zero;
        }
        Schedule(lendsThread: true);
        _held.Start();
        Finish();
    }

    private void ReleaseInput(Exception? failure)
    {
        if (failure is not null) Abort(failure);
        long unread;
        lock (_sync)
        {
            if (_inputReleased) return;
            _inputReleased = true;
            CloseInput();
            (unread, _unread) = (_unread, 0);
            _closing |= _outputDone;
        }
        _budget.Return(unread);
        Schedule(lendsThread: true);
        Finish();
    }

    private void Consumed(long bytes)
    {
        bool last;
        lock (_sync)
        {
            bytes = Math.Min(bytes, _unread);
            _unread -= bytes;
            last = _peerEnded && _unread == 0;
        }
        _budget.Return(bytes);
        if (last) Finish();
    }

    /// <summary>The silence after the local half-close lasted long enough (protocol §5.4).</summary>
    private void CloseAfterSilence()
    {
        lock (_sync)
        {
            if (_closing) return;
            _closing = true;
        }
        Schedule(lendsThread: false);
    }

    private void CloseInput()
    {
        if (_inputOver) return;
        _inputOver = true;
        _received.Writer.Complete();
    }

    private void Finish(bool evenIfOpen = false)
    {
        lock (_sync)
        {
            if (!evenIfOpen && !(_closeSaid && (_inputReleased || (_peerEnded && _unread == 0)))) return;
        }
        _held.Stop();
        _ended.TrySetResult(null);
    }
}
