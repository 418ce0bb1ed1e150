using System.Buffers;

namespace Fumidai;

/// <summary>A channel as a stream, for TLS. Disposing it leaves the channel alone: whoever opened that ends it.</summary>
internal sealed class ChannelStream(RouteChannel channel) : Stream
{
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>A read of nothing waits until there is something: so TLS holds no buffer for an idle connection.</summary>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var result = await channel.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var available = result.Buffer;
            if (buffer.IsEmpty || available.IsEmpty)
            {
                channel.Input.AdvanceTo(available.Start);
                if (buffer.IsEmpty || result.IsCompleted || result.IsCanceled)
                    return 0;
                continue;
            }
            var taken = available.Slice(0, Math.Min(available.Length, buffer.Length));
            // Counted now: what is advanced over is somebody else's.
            var count = (int)taken.Length;
            taken.CopyTo(buffer.Span);
            channel.Input.AdvanceTo(taken.End);
            return count;
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var flush = await channel.Output.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (flush.IsCompleted)
            throw new IOException("the far end reads no more");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override void Flush()
    {
        // Every write is flushed.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("asynchronous only");
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("asynchronous only");
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
