using System.IO.Pipelines;

namespace Fumidai.SessionManager;

internal abstract partial class PipedStream
{
    /// <summary>The user's end of the sending pipe: wakes the sending loop at each flush.</summary>
    private sealed class StreamOutput(PipedStream stream, PipeWriter inner) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => stream.CompleteOutput(exception);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            var flush = inner.FlushAsync(cancellationToken);
            stream.Schedule(lendsThread: true);
            return flush.IsCompletedSuccessfully ? new ValueTask<FlushResult>(Judge(flush.Result)) : AwaitAsync(flush);
        }

        private async ValueTask<FlushResult> AwaitAsync(ValueTask<FlushResult> flush) => Judge(await flush.ConfigureAwait(false));

        private FlushResult Judge(FlushResult result)
        {
            if (stream._reason is { } reason) throw Rethrowable(reason);
            return stream._discard ? new FlushResult(isCanceled: false, isCompleted: true) : result;
        }
    }
}
