namespace Fumidai;

/// <summary>
/// One thing that is opened when first needed, shared by all who need it, and opened anew after it was lost: a session, a connection.
/// The first failure to open is the caller's. After a loss the reopening goes on by itself, with growing pauses, until it succeeds, meets
/// a reason that waiting cannot cure, or has tried for <see cref="GiveUpAfter"/>: then the route ends, and the tunnel looks for any way at all.
/// </summary>
internal sealed class KeptOpen<T>(Func<CancellationToken, Task<T>> open, Func<T, bool> isOver, Action reopened, TimeProvider time) : IAsyncDisposable
    where T : class, IAsyncDisposable
{
    internal static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<T>? _current;

    /// <summary>Completes when reopening was given up (with the last reason), or with null when disposed.</summary>
    internal Task<Exception?> Ended => _ended.Task;

    /// <summary>What is open at this moment; null: nothing is.</summary>
    internal T? OpenNow
    {
        get
        {
            lock (_lock)
                return _current is { IsCompletedSuccessfully: true } && !isOver(_current.Result) ? _current.Result : null;
        }
    }

    /// <summary>What is open now; opens it if nothing is.</summary>
    internal Task<T> GetAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            // What was lost in the moment of its opening could not be dropped then.
            if (_current is null || _current.IsFaulted || _current.IsCanceled || (_current.IsCompletedSuccessfully && isOver(_current.Result)))
                _current = open(_stop.Token);
            return _current.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Takes it out of use. The caller keeps the duty to dispose it.</summary>
    /// <param name="item">What was lost; ignored if it is no longer the current one.</param>
    /// <param name="reopen">Whether to open another at once, rather than when next needed.</param>
    internal void Drop(T item, bool reopen)
    {
        lock (_lock)
        {
            if (_stop.IsCancellationRequested || _current is not { IsCompletedSuccessfully: true } || !ReferenceEquals(_current.Result, item))
                return;
            _current = reopen ? ReopenAsync() : null;
        }
    }

    /// <summary>Opens another beside it, then puts that in its place. The caller keeps the duty to dispose the old one.</summary>
    /// <param name="item">What is open now.</param>
    /// <param name="retired">Told before nobody is sent to it any more.</param>
    /// <returns>False: it is no longer the current one, and nothing was done.</returns>
    internal async Task<bool> ReplaceAsync(T item, Action<T> retired)
    {
        if (!ReferenceEquals(OpenNow, item))
            return false;
        var fresh = await open(_stop.Token).ConfigureAwait(false);
        lock (_lock)
        {
            if (!_stop.IsCancellationRequested && _current is { IsCompletedSuccessfully: true } && ReferenceEquals(_current.Result, item))
            {
                retired(item);
                _current = Task.FromResult(fresh);
                return true;
            }
        }
        await fresh.DisposeAsync().ConfigureAwait(false);
        return false;
    }

    /// <summary>Stops opening and disposes what is open.</summary>
    public async ValueTask DisposeAsync()
    {
        Task<T>? current;
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
                return;
            _stop.Cancel();
            current = _current;
        }
        if (current is not null)
        {
            await ((Task)current).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (current.IsCompletedSuccessfully)
                await current.Result.DisposeAsync().ConfigureAwait(false);
        }
        _ended.TrySetResult(null);
    }

    private async Task<T> ReopenAsync()
    {
        await Task.Yield();
        var began = time.GetTimestamp();
        var pause = FirstPause;
        while (true)
        {
            try
            {
                var item = await open(_stop.Token).ConfigureAwait(false);
                reopened();
                return item;
            }
            catch (FumidaiException e) when (e.IsTransient && time.GetElapsedTime(began) < GiveUpAfter)
            {
                // Again, after a pause.
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                _ended.TrySetResult(e);
                throw;
            }
            await Task.Delay(pause, time, _stop.Token).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }
}
