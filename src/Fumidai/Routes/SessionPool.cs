namespace Fumidai;

/// <summary>
/// The sessions of one destination. A stock agent sends about 0.65 MiB/s in each session and dials one connection after the other in it, so
/// connections are spread: each goes to the session with the fewest, and when all sessions have one, another is opened, up to a bound.
/// A session with a dial that gives no answer is left alone. When the service does not give more sessions, those there are do, and it is asked
/// again later.
/// </summary>
internal sealed class SessionPool : IAsyncDisposable
{
    /// <summary>A new connection waits for a session on its way rather than be the third on one that there is.</summary>
    internal const int Crowded = 2;

    /// <summary>… but no longer than this.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>After a refusal the service is left alone for so long; a throttled caller gets two calls a second.</summary>
    internal static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(5);

    private readonly KeptOpen<SsmSession>[] _slots;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Task?[] _growing;
    private TimeSpan _rest = FirstRest;
    private long? _restsSince;

    /// <param name="slots">One for each session there may be. The first is the one that is reopened by itself.</param>
    /// <param name="time">The clock.</param>
    internal SessionPool(KeptOpen<SsmSession>[] slots, TimeProvider time)
    {
        (_slots, _time) = (slots, time);
        _growing = new Task?[slots.Length];
    }

    /// <summary>As <see cref="KeptOpen{T}.Ended"/> of the first.</summary>
    internal Task<Exception?> Ended => _slots[0].Ended;

    /// <summary>Opens the first session.</summary>
    internal Task StartAsync(CancellationToken cancellationToken) => _slots[0].GetAsync(cancellationToken);

    /// <summary>The session for a new connection, which is promised to it; opens one if there is none.</summary>
    internal async Task<SsmSession> TakeAsync(CancellationToken cancellationToken)
    {
        var waitUntil = _time.GetUtcNow() + Patience;
        while (true)
        {
            Task[] coming;
            TimeSpan left;
            lock (_lock)
            {
                left = waitUntil - _time.GetUtcNow();
                if (Take(static session => session is { Load: 0, IsSuspect: false }) is { } free)
                    return free;
                var isOpen = Best() is not null;
                coming = isOpen ? Grow() : [];
                // What opened at once, or was open: one or two share, more wait for what is on its way.
                var enough = (coming.Length == 0 && !RestsBriefly) || left <= TimeSpan.Zero;
                if (Take(session => enough || session is { Load: < Crowded, IsSuspect: false }) is { } shared)
                    return shared;
                if (isOpen && coming.Length == 0 && RestsBriefly)
                    coming = [Task.Delay(_rest - _time.GetElapsedTime(_restsSince!.Value), _time, cancellationToken)];
            }
            if (coming.Length == 0)
            {
                // There is none at all: the first is opened, or being reopened.
                await _slots[0].GetAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }
            try
            {
                await Task.WhenAny(coming).WaitAsync(left, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // It takes too long: the best there is.
            }
        }
    }

    /// <summary>Refused for the first time lately: throttled, most likely, which passes. A quota does not.</summary>
    private bool RestsBriefly => _restsSince is { } since && _rest == FirstRest && _time.GetElapsedTime(since) < _rest;

    private SsmSession? Take(Func<SsmSession, bool> suits)
    {
        if (Best() is not { } best || !suits(best))
            return null;
        best.Promise();
        return best;
    }

    /// <summary>As <see cref="KeptOpen{T}.Drop"/>. Only the first place is filled again by itself.</summary>
    internal void Drop(SsmSession session, bool reopen)
    {
        _slots[0].Drop(session, reopen);
        foreach (var slot in _slots.AsSpan(1))
            slot.Drop(session, reopen: false);
    }

    /// <summary>Puts another session in the place of one that will end soon. One that carries nothing, and is not the only one, is not replaced.</summary>
    /// <returns>False: it had left its place already.</returns>
    /// <exception cref="FumidaiException">None could be opened.</exception>
    internal async Task<bool> RenewAsync(SsmSession session)
    {
        foreach (var slot in _slots)
        {
            if (!ReferenceEquals(slot.OpenNow, session))
                continue;
            if (slot == _slots[0] || session.Load > 0)
                return await slot.ReplaceAsync(session, static old => old.Retire(SsmSession.Retirement.Superseded)).ConfigureAwait(false);
            session.Retire(SsmSession.Retirement.Idle);
            return true;
        }
        return false;
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(_slots.Select(slot => slot.DisposeAsync().AsTask())).ConfigureAwait(false);

    private SsmSession? Best()
    {
        SsmSession? best = null;
        foreach (var slot in _slots)
            if (slot.OpenNow is { } session && (best is null || (session.IsSuspect, session.Load).CompareTo((best.IsSuspect, best.Load)) < 0))
                best = session;
        return best;
    }

    /// <summary>Opens one more session unless it rests or is complete; what is on its way. Under the lock.</summary>
    private Task[] Grow()
    {
        if (_restsSince is null || _time.GetElapsedTime(_restsSince.Value) >= _rest)
        {
            for (var i = 1; i < _slots.Length; i++)
            {
                if (_growing[i] is { IsCompleted: false } || _slots[i].OpenNow is not null)
                    continue;
                _growing[i] = GrowAsync(_slots[i]);
                break;
            }
        }
        return [.. _growing.OfType<Task>().Where(task => !task.IsCompleted)];
    }

    private async Task GrowAsync(KeptOpen<SsmSession> slot)
    {
        try
        {
            await slot.GetAsync(CancellationToken.None).ConfigureAwait(false);
            lock (_lock)
                (_restsSince, _rest) = (null, FirstRest);
        }
        catch (Exception e) when (e is FumidaiException or OperationCanceledException or ObjectDisposedException)
        {
            // A quota, or throttled: one session does the same, only more slowly.
            lock (_lock)
            {
                _rest = _restsSince is null ? FirstRest : _rest * 2 < LongestRest ? _rest * 2 : LongestRest;
                _restsSince = _time.GetTimestamp();
            }
        }
    }
}
