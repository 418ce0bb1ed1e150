using Fumidai.SessionManager;

namespace Fumidai;

/// <summary>
/// The <c>ssm</c> route: connections through Session Manager sessions of one bastion. A session serves one destination, whose name the agent
/// resolves once, and dials for it one after the other without a time limit (aws-facts §2.3). So the route keeps a set of sessions per
/// destination (<see cref="SessionPool"/>); sessions out of use live on until their last channel ends.
/// </summary>
internal sealed class SsmRoute : IRoute
{
    /// <summary>
    /// A channel on which nothing was heard for so long is taken for a dial that hangs, and holds up the dials behind it. Longer than the
    /// readiness probe waits, which has more to say about a far end that is silent from the start.
    /// </summary>
    internal static readonly TimeSpan DialLimit = TimeSpan.FromSeconds(20);

    /// <summary>A channel on which nothing was heard for so long makes others avoid its session: there may be a dial that hangs.</summary>
    internal static readonly TimeSpan SuspectLimit = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Sessions to one destination at most, unless <c>--sessions</c> says otherwise: chosen by reasoning, not yet by
    /// measurement (bench/README.md has what ten reach on the stock model).
    /// </summary>
    internal const int DefaultSessions = 10;

    /// <summary>A session that carries no channel for so long is ended; the service would do it at 20 minutes by default (aws-facts §2.4).</summary>
    internal static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(15);

    private readonly TunnelRequest _request;
    private readonly Func<HostPort, CancellationToken, Task<IPortSession>> _start;
    private readonly Lock _lock = new();
    private readonly int _size;
    private readonly Dictionary<HostPort, SessionPool> _destinations = [];
    private readonly HashSet<SsmSession> _sessions = [];
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _disposed;

    internal SsmRoute(TunnelRequest request, string bastion, Func<HostPort, CancellationToken, Task<IPortSession>> start, int sessions = 1)
    {
        _size = sessions;
        _request = request;
        _start = start;
        Bastion = bastion;
    }

    /// <summary>Starts the first session, so that what is wrong shows now.</summary>
    internal static async Task<IRoute> OpenAsync(TunnelRequest request, Aws.BastionInstance bastion, int? sessions, CancellationToken cancellationToken)
    {
        var route = new SsmRoute(request, bastion.Id, new StartPortSession(request, bastion).StartAsync, sessions ?? DefaultSessions);
        try
        {
            await route.Destination(request.Target.Address).GetAsync(cancellationToken).ConfigureAwait(false);
            return route;
        }
        catch
        {
            await route.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public string Name => "ssm";

    public string Bastion { get; }

    public Task<Exception?> Ended => _ended.Task;

    public async ValueTask<RouteChannel> OpenAsync(HostPort destination, CancellationToken cancellationToken)
    {
        var kept = Destination(destination);
        for (var attempt = 0; ; attempt++)
        {
            var session = await kept.GetAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return await session.OpenAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (SessionEndedException e)
            {
                // It ended just now, before its watcher could take it out of use.
                kept.Drop(session, reopen: false);
                if (attempt > 0)
                    throw StartPortSession.Explain(e, $"{destination} was not reached through {Bastion}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        SessionPool[] destinations;
        SsmSession[] sessions;
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            destinations = [.. _destinations.Values];
            sessions = [.. _sessions];
        }
        await Task.WhenAll([.. destinations.Select(d => d.DisposeAsync().AsTask()), .. sessions.Select(s => s.DisposeAsync().AsTask())]).ConfigureAwait(false);
        _ended.TrySetResult(null);
    }

    private SessionPool Destination(HostPort destination)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_destinations.TryGetValue(destination, out var kept))
                return kept;
            kept = new SessionPool([.. Enumerable.Range(0, _size).Select(_ => Slot(destination))], _request.Time);
            _destinations.Add(destination, kept);
            _ = GiveUpAsync(kept);
            return kept;
        }
    }

    private KeptOpen<SsmSession> Slot(HostPort destination) => new(
        token => StartAsync(destination, token),
        static session => session.Retired.IsCompleted,
        () => _request.Tell("reconnected", $"A new session on {Bastion} is open", ("bastion", Bastion), ("route", Name)),
        _request.Time);

    private async Task GiveUpAsync(SessionPool kept)
    {
        if (await kept.Ended.ConfigureAwait(false) is { } reason)
            _ended.TrySetResult(reason);
    }

    private async Task<SsmSession> StartAsync(HostPort destination, CancellationToken cancellationToken)
    {
        var session = new SsmSession(await _start(destination, cancellationToken).ConfigureAwait(false), destination, Bastion, _request.Time);
        lock (_lock)
            _sessions.Add(session);
        _request.Tell("session_open", $"Session {session.Id} is open", ("session", session.Id), ("bastion", Bastion));
        _ = WatchAsync(session);
        _ = WatchHealthAsync(session);
        return session;
    }

    /// <summary>Sees a session to its end: superseded, idle, or over.</summary>
    private async Task WatchAsync(SsmSession session)
    {
        var kept = Destination(session.Destination);
        switch (await session.Retired.ConfigureAwait(false))
        {
            case SsmSession.Retirement.DialHangs:
                kept.Drop(session, reopen: false);
                _request.Tell(
                    "degraded", $"{session.Destination} has not answered for {DialLimit.TotalSeconds:0} s; new connections get a fresh session",
                    ("session", session.Id), ("bastion", Bastion));
                await session.Unused.ConfigureAwait(false);
                break;
            case SsmSession.Retirement.Idle:
                kept.Drop(session, reopen: false);
                break;
            case SsmSession.Retirement.Over:
                var end = await session.Ended.ConfigureAwait(false);
                if (end.Kind != SessionEndKind.Local && !IsDisposed)
                {
                    var words = end.Output.Length > 0 ? end.Output : "it was ended";
                    _request.Tell("degraded", $"Session {session.Id} is over: {words}", ("session", session.Id), ("bastion", Bastion), ("reason", words));
                }
                // A session that the service closed while nobody used it (its idle timeout) is opened again when somebody comes.
                kept.Drop(session, reopen: end.Kind != SessionEndKind.Local && !(end.Kind == SessionEndKind.Closed && session.WasIdle));
                break;
        }
        await session.DisposeAsync().ConfigureAwait(false);
        lock (_lock)
            _sessions.Remove(session);
    }

    private async Task WatchHealthAsync(SsmSession session)
    {
        var was = SessionHealth.Up;
        while (true)
        {
            var change = session.NextHealthChange();
            var now = session.Health;
            if (now == SessionHealth.Ended || IsDisposed)
                return;
            if (now != was)
            {
                was = now;
                if (now == SessionHealth.Resuming)
                    _request.Tell("degraded", $"Session {session.Id} lost its connection; resuming", ("session", session.Id), ("bastion", Bastion));
                else
                    _request.Tell("reconnected", $"Session {session.Id} is back", ("session", session.Id), ("bastion", Bastion));
            }
            await change.ConfigureAwait(false);
        }
    }

    private bool IsDisposed
    {
        get
        {
            lock (_lock)
                return _disposed;
        }
    }
}
