using System.Runtime.CompilerServices;

namespace Fumidai.SessionManager;

/// <summary>
/// The stream below a websocket. Once <see cref="Hold"/> is set, written frames pile up until they are pushed: by <see cref="PushAsync"/>, or by
/// the reader when it has to wait for the network: at once when much has come, for that is bulk whose sender waits for answers, else
/// after the time to gather. Control frames (ping, pong, close) leave at once. Reads take as much as there is. A write never waits; whoever
/// writes much looks at <see cref="Piled"/> and pushes.
/// </summary>
/// <param name="inner">Owned from now on.</param>
/// <param name="gather">How long answers to little may wait for company; zero: not at all.</param>
/// <param name="time">The clock.</param>
internal sealed class BatchStream(Stream inner, TimeSpan gather, TimeProvider time) : Stream
{
    private const int ReadSize = 64 * 1024;

    /// <summary>So many bytes received since the last push are bulk.</summary>
    private const int Much = 8 * 1024;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _pushing = new(1);
    private byte[] _pile = new byte[4096];
    private byte[] _spare = [];
    private int _piled;
    private bool _backgroundPush;
    private int _readSincePush;
    private bool _gathering;
    private ITimer? _timer;
    private Exception? _failure;
    private readonly byte[] _read = GC.AllocateUninitializedArray<byte>(ReadSize);
    private int _readStart;
    private int _readEnd;

    /// <summary>False while the HTTP handshake runs: everything passes through.</summary>
    internal bool Hold { get; set; }

    /// <summary>Bytes written and not pushed.</summary>
    internal int Piled
    {
        get
        {
            lock (_gate) return _piled;
        }
    }

    /// <summary>Writes out what has piled up; completes when it is with the operating system.</summary>
    internal async ValueTask PushAsync(CancellationToken cancellationToken)
    {
        await _pushing.WaitAsync(cancellationToken);
        try
        {
            int length;
            byte[] bytes;
            lock (_gate)
            {
                if (_failure is { } failure) throw new IOException(failure.Message, failure);
                (bytes, length) = (_pile, _piled);
                if (length == 0) return;
                (_pile, _spare, _piled, _readSincePush) = (_spare, bytes, 0, 0);
            }
            // Not cancelled half-way: half a frame would spoil the connection.
            await inner.WriteAsync(bytes.AsMemory(0, length), CancellationToken.None);
            await inner.FlushAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            lock (_gate) _failure ??= e;
            throw;
        }
        finally
        {
            _pushing.Release();
        }
    }

    /// <summary>The reader has to wait: what has piled up leaves now, or soon.</summary>
    private void PushBeforeWaiting()
    {
        if (gather > TimeSpan.Zero)
        {
            lock (_gate)
            {
                if (_piled == 0) return;
                if (_readSincePush < Much)
                {
                    if (_gathering) return;
                    _gathering = true;
                    _timer ??= time.CreateTimer(static stream => ((BatchStream)stream!).OnGathered(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                    _timer.Change(gather, Timeout.InfiniteTimeSpan);
                    return;
                }
            }
        }
        PushInBackground();
    }

    private void OnGathered()
    {
        lock (_gate) _gathering = false;
        PushInBackground();
    }

    /// <summary>Starts a push unless one is on its way; a failure shows at the next write or push.</summary>
    private void PushInBackground()
    {
        lock (_gate)
        {
            if (_piled == 0 || _backgroundPush) return;
            _backgroundPush = true;
        }
        _ = RunAsync();

        async Task RunAsync()
        {
            try
            {
                do await PushAsync(CancellationToken.None);
                while (More());
            }
            catch (Exception)
            {
                // Kept in _failure.
            }
        }

        bool More()
        {
            lock (_gate) return _backgroundPush = _piled > 0;
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!Hold) return inner.WriteAsync(buffer, cancellationToken);
        lock (_gate)
        {
            if (_failure is { } failure) return ValueTask.FromException(new IOException(failure.Message, failure));
            if (_pile.Length - _piled < buffer.Length) Array.Resize(ref _pile, Math.Max(_pile.Length * 2, _piled + buffer.Length));
            buffer.Span.CopyTo(_pile.AsSpan(_piled));
            _piled += buffer.Length;
        }
        // The engine writes each frame whole, so the first byte holds the opcode; 8 and above are control frames.
        if (buffer.Length > 0 && (buffer.Span[0] & 0x08) != 0) PushInBackground();
        return ValueTask.CompletedTask;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_readEnd > _readStart)
        {
            var count = Math.Min(buffer.Length, _readEnd - _readStart);
            _read.AsSpan(_readStart, count).CopyTo(buffer.Span);
            _readStart += count;
            return ValueTask.FromResult(count);
        }
        if (!Hold) return inner.ReadAsync(buffer, cancellationToken);
        PushBeforeWaiting();
        return buffer.Length == 0 || buffer.Length >= ReadSize ? inner.ReadAsync(buffer, cancellationToken) : FillAsync(buffer, cancellationToken);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> FillAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        _readStart = _readEnd = 0;
        _readEnd = await inner.ReadAsync(_read, cancellationToken);
        lock (_gate) _readSincePush += _readEnd;
        var count = Math.Min(buffer.Length, _readEnd);
        _read.AsSpan(0, count).CopyTo(buffer.Span);
        _readStart = count;
        return count;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>The engine flushes after each frame; that is what is held back.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Hold ? Task.CompletedTask : inner.FlushAsync(cancellationToken);

    public override void Flush()
    {
        if (!Hold) inner.Flush();
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        if (Hold) WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();   // never waits
        else inner.Write(buffer, offset, count);
    }

    public override int Read(byte[] buffer, int offset, int count) => Hold ? throw new NotSupportedException() : inner.Read(buffer, offset, count);

    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _timer?.Dispose();
            inner.Dispose();
        }
        base.Dispose(disposing);
    }
}
