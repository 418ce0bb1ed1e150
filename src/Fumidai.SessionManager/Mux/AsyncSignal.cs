using System.Threading.Tasks.Sources;

namespace Fumidai.SessionManager;

/// <summary>Wakes one waiting loop. A signal given while nobody waits is kept, once. One waiter at a time.</summary>
internal sealed class AsyncSignal : IValueTaskSource
{
    private readonly Lock _sync = new();
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private bool _waiting;
    private bool _set;

    /// <summary>Wakes the waiter, or the next one.</summary>
    public void Set()
    {
        lock (_sync)
        {
            if (!_waiting)
            {
                _set = true;
                return;
            }
            _waiting = false;
        }
        _core.SetResult(true);
    }

    /// <summary>Waits for the next <see cref="Set"/>. Who cancels calls <see cref="Set"/>: the loops here end by looking at their own state.</summary>
    public ValueTask WaitAsync()
    {
        lock (_sync)
        {
            if (_waiting) throw new InvalidOperationException("one waiter at a time");
            if (_set)
            {
                _set = false;
                return ValueTask.CompletedTask;
            }
            _core.Reset();
            _waiting = true;
            return new ValueTask(this, _core.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags);
}
