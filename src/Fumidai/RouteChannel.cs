using System.IO.Pipelines;

namespace Fumidai;

/// <summary>
/// One byte stream inside a route: one TCP connection at the far end. Completing <see cref="Output"/> is the half-close;
/// the end of <see cref="Input"/> is the far side's. A reset is not an end: it shows as an exception from <see cref="Input"/>
/// and in <see cref="Ended"/>.
/// </summary>
public abstract class RouteChannel : IDuplexPipe, IAsyncDisposable
{
    /// <summary>Bytes from the far end.</summary>
    public abstract PipeReader Input { get; }

    /// <summary>Bytes to the far end. Completing it without an error finishes writing in this direction only.</summary>
    public abstract PipeWriter Output { get; }

    /// <summary>
    /// Completes once both directions are over. The result is null for an orderly end, else the first reason,
    /// a <see cref="FumidaiException"/> where one is known (for instance that the far end refused).
    /// </summary>
    public abstract Task<Exception?> Ended { get; }

    /// <summary>Ends both directions at once; the far end sees a close or reset. The first reason wins.</summary>
    /// <param name="reason">Why; reported by <see cref="Ended"/>.</param>
    public abstract void Abort(Exception reason);

    /// <summary>Ends the channel if it has not ended, and waits until nothing of it runs any more.</summary>
    public abstract ValueTask DisposeAsync();
}
