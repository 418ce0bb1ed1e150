using System.Threading.Tasks.Sources;

namespace Fumidai.SessionManager;

/// <summary>
/// Wakes one waiter; a signal given while nobody waits is kept, once. Waiting allocates nothing. Whoever wakes looks again at what it waited for.
/// </summary>
internal sealed class AsyncSignal : IValueTaskSource, IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private bool _set;
    private bool _waiting;

    /// <summary>
    /// The waiter goes on within <see cref="Set"/>, on the thread of whoever gives the signal, instead of the pool: no wake-up of a thread lies
    /// between. For waiters that never block and soon wait again.
    /// </summary>
    internal bool IsInline
    {
        get => !_core.RunContinuationsAsynchronously;
        set => _core.RunContinuationsAsynchronously = !value;
    }

    /// <summary>Wakes the waiter, or the next one.</summary>
    internal void Set()
    {
        if (Claim()) _core.SetResult(true);
    }

    /// <summary>As <see cref="Set"/>, but the waiter goes on in the pool even if it is <see cref="IsInline"/>: for those who have no time for it.</summary>
    internal void SetElsewhere()
    {
        if (Claim()) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _core.SetResult(true);

    private bool Claim()
    {
        lock (_gate)
        {
            _set = !_waiting;
            var claimed = _waiting;
            _waiting = false;
            return claimed;
        }
    }

    /// <summary>Waits for the next signal. One waiter at a time. Loops that end by looking at their own state need no token: who stops them calls <see cref="Set"/>.</summary>
    internal ValueTask WaitAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (_set)
            {
                _set = false;
                return ValueTask.CompletedTask;
            }
            if (_waiting) throw new InvalidOperationException("two waiters on one signal");
            _waiting = true;
            _core.Reset();
        }
        var version = _core.Version;
        // The waiter can't be back before it has the task, so nobody else writes the field meanwhile.
        if (cancellationToken.CanBeCanceled)
            _registration = cancellationToken.UnsafeRegister(static (state, token) => ((AsyncSignal)state!).Cancel(token), this);
        return new ValueTask(this, version);
    }

    private void Cancel(CancellationToken token)
    {
        lock (_gate)
        {
            if (!_waiting) return;
            _waiting = false;
        }
        _core.SetException(new OperationCanceledException(token));
    }

    void IValueTaskSource.GetResult(short token)
    {
        _registration.Dispose();
        _registration = default;
        _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags);
}
