using System.Buffers;
using System.IO.Pipelines;

namespace Fumidai.SessionManager;

internal abstract partial class PipedStream
{
    /// <summary>The user's end of the receiving pipe: gives the budget back what was read, and turns a lost stream into an exception, never into an end.</summary>
    private sealed class StreamInput(PipedStream stream, PipeReader inner) : PipeReader
    {
        private ReadOnlySequence<byte> _buffer;
        private long _examinedInVain = -1;
        private bool _reading;

        public override bool TryRead(out ReadResult result)
        {
            ThrowIfCutOff();
            _reading = true;
            if (!inner.TryRead(out result))
            {
                _reading = false;
                return false;
            }
            result = Judge(result);
            return true;
        }

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            ThrowIfCutOff();
            _reading = true;
            var read = inner.ReadAsync(cancellationToken);
            return read.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Judge(read.Result)) : AwaitAsync(read);
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            var taken = _buffer.Slice(0, consumed).Length;
            var left = _buffer.Length - taken;
            _examinedInVain = left > 0 && _buffer.Slice(examined).IsEmpty ? left : -1;
            _buffer = default;
            inner.AdvanceTo(consumed, examined);
            _reading = false;
            stream.Consumed(taken);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null)
        {
            inner.Complete();
            stream.ReleaseInput(exception);
        }

        /// <summary>As <see cref="Complete"/>, but leaves buffers alone that a reader may still be looking at.</summary>
        public void Release()
        {
            if (!_reading) inner.Complete();
            stream.ReleaseInput(null);
        }

        private async ValueTask<ReadResult> AwaitAsync(ValueTask<ReadResult> read)
        {
            try
            {
                return Judge(await read.ConfigureAwait(false));
            }
            catch
            {
                _reading = false;
                throw;
            }
        }

        private ReadResult Judge(ReadResult result)
        {
            _buffer = result.Buffer;
            if (!result.IsCompleted || stream._reason is not { } reason) return result;
            if (stream._cutOff || result.Buffer.IsEmpty || result.Buffer.Length == _examinedInVain)
            {
                inner.AdvanceTo(result.Buffer.Start);
                _reading = false;
                throw Rethrowable(reason);
            }
            return new ReadResult(result.Buffer, result.IsCanceled, isCompleted: false);
        }

        private void ThrowIfCutOff()
        {
            if (stream._cutOff && stream._reason is { } reason) throw Rethrowable(reason);
        }
    }

    /// <summary>One reason is thrown from several places at several times; each throw gets its own stack.</summary>
    private static Exception Rethrowable(Exception reason) => reason switch
    {
        SessionEndedException ended => new SessionEndedException(ended.End, ended),
        ConnectToPortException => new ConnectToPortException(),
        _ => new IOException(reason.Message, reason),
    };
}
