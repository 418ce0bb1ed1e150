namespace Fumidai.Lab;

/// <summary>
/// What goes on after a call was answered: an instance that is pending comes to run, an endpoint becomes available. Lab only: states change after a
/// quarter of a second of the lab's clock where AWS takes minutes.
/// </summary>
internal sealed class Transitions(TimeProvider time, CallLog calls) : IAsyncDisposable
{
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly CancellationTokenSource _end = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _running = [];

    /// <summary>Does the work after a pause, beside the caller. A failure is told on the call log.</summary>
    public void Start(string what, Func<CancellationToken, Task> work)
    {
        lock (_gate)
        {
            var task = RunAsync(what, work);
            if (!task.IsCompleted)
            {
                _running.Add(task);
                _ = task.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    /// <summary>Changes the model after a pause.</summary>
    public void Start(string what, Action change) => Start(what, _ =>
    {
        change();
        return Task.CompletedTask;
    });

    private void Forget(Task task)
    {
        lock (_gate)
            _running.Remove(task);
    }

    private async Task RunAsync(string what, Func<CancellationToken, Task> work)
    {
        try
        {
            await Task.Delay(Pause, time, _end.Token).ConfigureAwait(false);
            await work(_end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception e)
        {
            calls.Report($"lab:{what}", null, $"failed: {e.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        Task[] left;
        lock (_gate)
            left = [.. _running];
        await Task.WhenAll(left).ConfigureAwait(false);
        _end.Dispose();
    }
}
