using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Fumidai.Postgres;

/// <summary>
/// What a signed-in client says, message by message. Its stream is read ahead, within bounds, so that a client that went away is noticed while
/// something else is being done for it.
/// </summary>
public sealed class ClientMessages : IAsyncDisposable
{
    /// <summary>Longest message taken, in bytes: far above what the Data API could pass on.</summary>
    public const int MaxLength = 64 * 1024 * 1024;

    private const int ReadAhead = 256 * 1024;

    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: ReadAhead, resumeWriterThreshold: ReadAhead / 2, useSynchronizationContext: false));
    private readonly CancellationTokenSource _gone = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;

    /// <param name="stream">Behind the start-up. Not owned.</param>
    public ClientMessages(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Gone = _gone.Token;
        _reading = ReadStreamAsync(stream);
    }

    /// <summary>Cancelled when the client has closed its connection.</summary>
    public CancellationToken Gone { get; }

    /// <summary>The next message; null: the client has gone.</summary>
    /// <exception cref="PostgresProtocolException">A length that no message has, or an end in the middle of one.</exception>
    public async ValueTask<ClientMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await _pipe.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (TryTake(read.Buffer, out var message, out var consumed))
            {
                _pipe.Reader.AdvanceTo(consumed);
                return message;
            }
            _pipe.Reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted)
                return read.Buffer.IsEmpty ? null : throw new PostgresProtocolException("the connection ended within a message");
        }
    }

    /// <summary>The next message, if all of it has arrived.</summary>
    /// <exception cref="PostgresProtocolException">As <see cref="ReadAsync"/>.</exception>
    public bool TryRead(out ClientMessage message)
    {
        message = default;
        if (!_pipe.Reader.TryRead(out var read))
            return false;
        if (TryTake(read.Buffer, out message, out var consumed))
        {
            _pipe.Reader.AdvanceTo(consumed);
            return true;
        }
        _pipe.Reader.AdvanceTo(read.Buffer.Start);
        return false;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        await _pipe.Reader.CompleteAsync().ConfigureAwait(false);
        _stop.Dispose();
        _gone.Dispose();
    }

    private static bool TryTake(ReadOnlySequence<byte> input, out ClientMessage message, out SequencePosition consumed)
    {
        (message, consumed) = (default, input.Start);
        if (input.Length < 5)
            return false;
        Span<byte> head = stackalloc byte[5];
        input.Slice(0, 5).CopyTo(head);
        var length = BinaryPrimitives.ReadInt32BigEndian(head[1..]);
        if (length < 4)
            throw new PostgresProtocolException("invalid message length");
        if (length - 4 > MaxLength)
            throw new PostgresProtocolException("a message above 64 MiB");
        if (input.Length < 1L + length)
            return false;
        message = new((char)head[0], input.Slice(5, length - 4).ToArray());
        consumed = input.GetPosition(1L + length);
        return true;
    }

    private async Task ReadStreamAsync(Stream stream)
    {
        await Task.Yield();
        try
        {
            while (true)
            {
                var got = await stream.ReadAsync(_pipe.Writer.GetMemory(16 * 1024), _stop.Token).ConfigureAwait(false);
                if (got == 0)
                    break;
                _pipe.Writer.Advance(got);
                if ((await _pipe.Writer.FlushAsync(_stop.Token).ConfigureAwait(false)).IsCompleted)
                    break;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It has gone, or we have.
        }
        await _pipe.Writer.CompleteAsync().ConfigureAwait(false);
        await _gone.CancelAsync().ConfigureAwait(false);
    }
}
