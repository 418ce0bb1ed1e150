using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using Renci.SshNet.Messages.Connection;

namespace Fumidai;

/// <summary>
/// One direct-tcpip channel (RFC 4254 §5). Both ends of its life are kept apart: our EOF is the half-close, theirs the end of
/// <see cref="Input"/>; CLOSE goes out once both are said. Arrivals come on the connection's one reading thread and never wait: what may
/// come is bounded by the window we granted, and the window grows only as the reader consumes.
/// </summary>
internal sealed class SshChannel : RouteChannel
{
    /// <summary>Granted to the far end, in bytes, and so the most a channel whose reader stalls may hold. OpenSSH grants the same.</summary>
    internal const int Window = 2 * 1024 * 1024;

    /// <summary>Largest message either way, in bytes; what OpenSSH uses.</summary>
    internal const int MaxPacket = 32 * 1024;

    private readonly SshConnection _connection;
    private readonly Pipe _inbound = new(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 2 * MaxPacket, useSynchronizationContext: false));
    private readonly Pipe _outbound = new(new PipeOptions(pauseWriterThreshold: 128 * 1024, resumeWriterThreshold: 64 * 1024, minimumSegmentSize: MaxPacket, useSynchronizationContext: false));
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _windowGrew = new(0);
    private Task _pump = Task.CompletedTask;
    private uint _remoteNumber;
    private int _remotePacket;
    private long _remoteWindow;
    private long _granted = Window;
    private long _consumed;
    private Exception? _reason;
    private bool _abandoned;
    private bool _eofReceived;
    private bool _closeReceived;
    private bool _eofSent;
    private bool _inputDone;

    internal SshChannel(SshConnection connection, uint number, HostPort destination)
    {
        _connection = connection;
        Number = number;
        Destination = destination;
        Input = new WatchedReader(_inbound.Reader, Consumed, static e => e, InputDone);
    }

    /// <summary>Our number for it, never used twice on one connection.</summary>
    internal uint Number { get; }

    internal HostPort Destination { get; }

    /// <summary>Set by the connection, under its sending turn, when CLOSE goes out: nothing may follow it.</summary>
    internal bool CloseSent { get; set; }

    /// <summary>Whether the server knows this channel: only then it may be told anything.</summary>
    internal bool IsConfirmed { get; private set; }

    /// <summary>The server's number for it.</summary>
    internal uint RemoteNumber => _remoteNumber;

    /// <summary>Completes when the bastion has connected; faults when it could not.</summary>
    internal Task Opened => _opened.Task;

    public override PipeReader Input { get; }

    public override PipeWriter Output => _outbound.Writer;

    public override Task<Exception?> Ended => _ended.Task;

    public override void Abort(Exception reason) => End(reason, sayClose: true);

    public override async ValueTask DisposeAsync()
    {
        if (!_ended.Task.IsCompleted)
            Abort(new OperationCanceledException("the channel was closed"));
        await _pump.ConfigureAwait(false);
    }

    /// <summary>The connection is gone: nothing can be said any more.</summary>
    internal void Lost(Exception reason) => End(reason, sayClose: false);

    /// <summary>Nobody waits for the opening any more; a confirmation that still comes is answered by CLOSE.</summary>
    internal void Abandon()
    {
        bool isOpen;
        lock (_lock)
        {
            _abandoned = true;
            isOpen = _opened.Task.IsCompletedSuccessfully;
        }
        if (isOpen)
            Abort(new OperationCanceledException("the channel was given up"));
    }

    // Arrivals, on the connection's reading thread.

    internal void Confirmed(ChannelOpenConfirmationMessage message)
    {
        lock (_lock)
        {
            _remoteNumber = message.RemoteChannelNumber;
            IsConfirmed = true;
            _remotePacket = (int)Math.Clamp(message.MaximumPacketSize, 1, MaxPacket);
            _remoteWindow = message.InitialWindowSize;
            if (!_abandoned)
                _pump = PumpAsync();
        }
        if (_abandoned)
            Abort(new OperationCanceledException("the channel was given up"));
        else
            _opened.TrySetResult();
    }

    internal void Refused(FumidaiException reason)
    {
        _opened.TrySetException(reason);
        Lost(reason);
        _connection.Forget(this);
    }

    internal void DataArrived(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (_reason is not null || _eofReceived || _inputDone)
                return;
            _granted -= bytes.Length;
            if (_granted >= 0)
            {
                _inbound.Writer.Write(bytes);
                // Without a pause threshold a flush never waits; the window is the bound.
                var flush = _inbound.Writer.FlushAsync(CancellationToken.None);
                if (flush.IsCompleted)
                    flush.GetAwaiter().GetResult();
                return;
            }
        }
        Abort(new IOException("the ssh server sent more than it was granted"));
    }

    internal void WindowGrew(uint bytes)
    {
        Interlocked.Add(ref _remoteWindow, bytes);
        _windowGrew.Release();
    }

    internal void EofArrived()
    {
        lock (_lock)
        {
            if (_reason is not null || _eofReceived)
                return;
            _eofReceived = true;
            _inbound.Writer.Complete();
        }
        FinishIfDone();
    }

    internal void CloseArrived()
    {
        bool cut, early;
        lock (_lock)
        {
            _closeReceived = true;
            early = !_eofReceived;
            cut = !_eofSent;
        }
        // CLOSE before we had finished writing: the far end reset its connection. With an EOF before it there may still be bytes to
        // read, so the reason waits until the reader has come to their end.
        if (early)
            End(new IOException("the far end reset the connection"), sayClose: true);
        else if (cut)
            _outbound.Reader.CancelPendingRead();
        _windowGrew.Release();
        _ = _connection.SendCloseAsync(this);
        FinishIfDone();
        _connection.Forget(this);
    }

    /// <summary>Answers the server's keepalive, which OpenSSH sends as a request on any open channel.</summary>
    internal void RequestArrived(ChannelRequestMessage message)
    {
        if (message.RequestData is [not 0, ..])
            _ = _connection.SendOnAsync(this, remote => new ChannelFailureMessage(remote));
    }

    private void Consumed(long bytes)
    {
        uint grant;
        lock (_lock)
        {
            _consumed += bytes;
            if (_consumed < Window / 4 || _eofReceived)
                return;
            grant = (uint)_consumed;
            _granted += _consumed;
            _consumed = 0;
        }
        _ = _connection.SendOnAsync(this, remote => new ChannelWindowAdjustMessage(remote, grant));
    }

    private void InputDone()
    {
        lock (_lock)
            _inputDone = true;
        FinishIfDone();
    }

    private async Task PumpAsync()
    {
        await Task.Yield();
        Exception? failure = null;
        try
        {
            await SendAllAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e;
            End(e, sayClose: true);
        }
        await _outbound.Reader.CompleteAsync(failure).ConfigureAwait(false);
        FinishIfDone();
    }

    private async Task SendAllAsync()
    {
        var reader = _outbound.Reader;
        while (true)
        {
            var result = await reader.ReadAsync().ConfigureAwait(false);
            var rest = result.Buffer;
            while (!rest.IsEmpty && !IsOver)
            {
                var window = Interlocked.Read(ref _remoteWindow);
                if (window <= 0)
                {
                    await _windowGrew.WaitAsync().ConfigureAwait(false);
                    continue;
                }
                var chunk = rest.First;
                chunk = chunk[..(int)Math.Min(Math.Min(chunk.Length, _remotePacket), window)];
                Interlocked.Add(ref _remoteWindow, -chunk.Length);
                await _connection.SendOnAsync(this, remote => Data(remote, chunk)).ConfigureAwait(false);
                rest = rest.Slice(chunk.Length);
            }
            reader.AdvanceTo(IsOver ? result.Buffer.End : rest.Start);
            if (IsOver)
                return;
            if (result.IsCompleted)
                break;
        }
        await _connection.SendOnAsync(this, remote => new ChannelEofMessage(remote)).ConfigureAwait(false);
        lock (_lock)
            _eofSent = true;
    }

    private bool IsOver
    {
        get
        {
            lock (_lock)
                return _reason is not null || _closeReceived;
        }
    }

    private static ChannelDataMessage Data(uint remote, ReadOnlyMemory<byte> chunk) =>
        MemoryMarshal.TryGetArray(chunk, out var array)
            ? new ChannelDataMessage(remote, array.Array!, array.Offset, array.Count)
            : new ChannelDataMessage(remote, chunk.ToArray());

    private void FinishIfDone()
    {
        bool close;
        lock (_lock)
        {
            if (_reason is not null || !_eofReceived || !_inputDone || !(_eofSent || _closeReceived))
                return;
            close = !_closeReceived;
            if (!_eofSent)
                _reason = new IOException("the far end reset the connection");
        }
        if (close)
            _ = _connection.SendCloseAsync(this);
        _ended.TrySetResult(_reason);
    }

    private void End(Exception reason, bool sayClose)
    {
        lock (_lock)
        {
            if (_reason is not null || _ended.Task.IsCompleted)
                return;
            _reason = reason;
            if (!_eofReceived)
                _inbound.Writer.Complete(reason);
        }
        _opened.TrySetException(reason);
        _ = _opened.Task.Exception; // observed: an abandoned opening has no other reader
        _outbound.Reader.CancelPendingRead();
        _windowGrew.Release();
        if (sayClose)
            _ = _connection.SendCloseAsync(this);
        _ended.TrySetResult(reason);
    }
}
