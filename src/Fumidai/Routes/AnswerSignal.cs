namespace Fumidai;

/// <summary>Lets somebody wait for the next of many arrivals; costs nothing while nobody does.</summary>
internal sealed class AnswerSignal
{
    private TaskCompletionSource? _waited;

    internal Task Next
    {
        get
        {
            var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (Interlocked.CompareExchange(ref _waited, fresh, null) ?? fresh).Task;
        }
    }

    internal void Set()
    {
        if (Volatile.Read(ref _waited) is not null)
            Interlocked.Exchange(ref _waited, null)?.TrySetResult();
    }
}
