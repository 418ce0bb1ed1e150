using System.Globalization;

namespace Fumidai;

/// <content>An end that lets connections finish first.</content>
public sealed partial class Tunnel
{
    private volatile bool _isDraining;

    /// <summary>Client connections that are open or being opened now.</summary>
    public int Connections
    {
        get
        {
            lock (_connections)
                return _connections.Count;
        }
    }

    /// <summary>What can be said of the tunnel now.</summary>
    public TunnelState State =>
        _ended.Task.IsCompleted || _ending is not null ? TunnelState.Ended
        : _isDraining ? TunnelState.Draining
        : _route.Stands ? TunnelState.Open
        : TunnelState.Reconnecting;

    /// <summary>
    /// Stops accepting and waits until every connection has ended by itself. Dispose the tunnel afterwards: that cuts what is left and ends
    /// the session.
    /// </summary>
    /// <param name="limit">How long to wait at most; zero: not at all.</param>
    /// <param name="cancellationToken">Waits no longer; that is no error.</param>
    /// <returns>How many connections are still open: 0 when all have finished.</returns>
    public async Task<int> DrainAsync(TimeSpan limit, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, TimeSpan.Zero);
        if (State == TunnelState.Ended)
            return 0;
        _isDraining = true;
        _listener.Dispose();
        _request.Endpoint?.StopListening();
        // A connection whose accept had completed before the listener closed is one of those that may finish.
        await _accepting.ConfigureAwait(false);
        if (Connections is not (> 0 and var open) || limit == TimeSpan.Zero)
            return Connections;
        _request.Tell(
            "draining",
            string.Create(CultureInfo.InvariantCulture, $"No new connections to {Target.Name}; {open} may finish within {limit.TotalSeconds:0.#} s"),
            ("connections", open.ToString(CultureInfo.InvariantCulture)));
        using var deadline = new CancellationTokenSource(limit, _request.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        Task[] running;
        lock (_connections)
            running = [.. _connections];
        try
        {
            await Task.WhenAll(running).WaitAsync(both.Token).ConfigureAwait(false);
            return 0;
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            return running.Count(r => !r.IsCompleted);
        }
    }
}
