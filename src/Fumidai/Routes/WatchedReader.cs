using System.Buffers;
using System.IO.Pipelines;

namespace Fumidai;

/// <summary>A pipe reader that tells how much was consumed, and says its failures in the route's words.</summary>
internal sealed class WatchedReader(PipeReader inner, Action<long> consumedBytes, Func<Exception, Exception> explain, Action? completed = null) : PipeReader
{
    private ReadOnlySequence<byte> _lent;

    public override bool TryRead(out ReadResult result)
    {
        try
        {
            if (!inner.TryRead(out result))
                return false;
        }
        catch (Exception e) when (e is not (OperationCanceledException or FumidaiException))
        {
            throw explain(e);
        }
        _lent = result.Buffer;
        return true;
    }

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var result = await inner.ReadAsync(cancellationToken).ConfigureAwait(false);
            _lent = result.Buffer;
            return result;
        }
        catch (Exception e) when (e is not (OperationCanceledException or FumidaiException))
        {
            throw explain(e);
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        var bytes = _lent.Slice(0, consumed).Length;
        _lent = default;
        inner.AdvanceTo(consumed, examined);
        if (bytes > 0)
            consumedBytes(bytes);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        inner.Complete(exception);
        completed?.Invoke();
    }
}
