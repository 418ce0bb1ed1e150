using Fumidai.Aws;

namespace Fumidai;

/// <summary>
/// Notices that an Aurora cluster has another writer. A Session Manager agent resolves the cluster's name once per session (protocol §5.4), so a
/// session opened before a failover leads to the former writer for ever. AWS is asked when a connection has ended, and when one comes after a
/// while without news; never while nothing happens. Who may not ask is left alone.
/// </summary>
internal sealed class WriterWatch
{
    /// <summary>News of this age is asked for again before a connection is opened.</summary>
    internal static readonly TimeSpan Stale = TimeSpan.FromSeconds(30);

    /// <summary>How long a client waits for that answer.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Connections that end in order are no reason to ask more often than this.</summary>
    internal static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>After a connection was cut: the service may tell of the new writer some time later.</summary>
    private static readonly TimeSpan[] s_again = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(15)];

    private readonly Func<CancellationToken, Task<string?>> _ask;
    private readonly Action<string, string> _changed;
    private readonly TimeProvider _time;
    private readonly CancellationToken _stop;
    private readonly Lock _lock = new();
    private string _writer;
    private long _asked;
    private bool _isCut;
    private bool _isRefused;
    private Task _asking = Task.CompletedTask;

    /// <param name="writer">The writer when the tunnel was opened.</param>
    /// <param name="ask">Asks AWS who it is now.</param>
    /// <param name="changed">Told once for each change: before, now.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Ends it.</param>
    internal WriterWatch(string writer, Func<CancellationToken, Task<string?>> ask, Action<string, string> changed, TimeProvider time, CancellationToken stop)
    {
        (_writer, _ask, _changed, _time, _stop) = (writer, ask, changed, time, stop);
        _asked = time.GetTimestamp();
    }

    /// <summary>Before a connection: waits a little for news where the last are old.</summary>
    internal async Task FreshAsync(CancellationToken cancellationToken)
    {
        Task asking;
        lock (_lock)
        {
            if (_isRefused || (_asking.IsCompleted && _time.GetElapsedTime(_asked) < Stale))
                return;
            asking = Ask();
        }
        await asking.WaitAsync(Patience, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>A connection has ended.</summary>
    /// <param name="wasCut">Otherwise than by its client's wish.</param>
    internal void Ended(bool wasCut)
    {
        lock (_lock)
        {
            _isCut |= wasCut;
            if (!_isRefused && (wasCut || _time.GetElapsedTime(_asked) >= Pause))
                _ = Ask();
        }
    }

    // Under the lock.
    private Task Ask() => _asking.IsCompleted ? _asking = AskAsync() : _asking;

    private async Task AskAsync()
    {
        await Task.Yield();
        if (await OnceAsync().ConfigureAwait(false))
            return;
        lock (_lock)
        {
            if (!_isCut || _isRefused)
                return;
            _isCut = false;
        }
        _ = AgainAsync();
    }

    private async Task AgainAsync()
    {
        foreach (var pause in s_again)
        {
            await Task.Delay(pause, _time, _stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested || await OnceAsync().ConfigureAwait(false))
                return;
        }
    }

    /// <summary>True: it has changed.</summary>
    private async Task<bool> OnceAsync()
    {
        string? now = null;
        try
        {
            now = await _ask(_stop).ConfigureAwait(false);
        }
        catch (AwsFailure e) when (e.Kind == AwsFailureKind.Permission)
        {
            lock (_lock)
                _isRefused = true;
        }
        catch (Exception e) when (e is AwsFailure or OperationCanceledException or HttpRequestException)
        {
            // No news; the next connection asks again.
        }
        string was;
        lock (_lock)
        {
            _asked = _time.GetTimestamp();
            was = _writer;
            if (now is null || now == was)
                return false;
            (_writer, _isCut) = (now, false);
        }
        _changed(was, now);
        return true;
    }
}
