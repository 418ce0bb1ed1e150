using System.Globalization;
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

    /// <summary>When no successor can be opened for a session, it is tried again after this.</summary>
    internal static readonly TimeSpan RenewalPause = TimeSpan.FromSeconds(20);

    /// <summary>A session that carries no channel for so long is ended; the service would do it at 20 minutes by default (aws-facts §2.4).</summary>
    internal static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(15);

    private readonly TunnelRequest _request;
    private readonly Func<HostPort, CancellationToken, Task<IPortSession>> _start;
    private readonly Lock _lock = new();
    private readonly int _size;
    private readonly Dictionary<HostPort, SessionPool> _destinations = [];
    private readonly HashSet<SsmSession> _sessions = [];
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private Task<SessionLife?> _life;
    private bool _disposed;

    internal SsmRoute(TunnelRequest request, string bastion, Func<HostPort, CancellationToken, Task<IPortSession>> start, int sessions = 1, SessionLife? life = null)
    {
        _size = sessions;
        _life = Task.FromResult(life);
        _request = request;
        _start = start;
        Bastion = bastion;
    }

    /// <summary>Starts the first session, so that what is wrong shows now.</summary>
    internal static async Task<IRoute> OpenAsync(TunnelRequest request, Aws.BastionInstance bastion, int? sessions, CancellationToken cancellationToken)
    {
        var route = new SsmRoute(request, bastion.Id, new StartPortSession(request, bastion).StartAsync, sessions ?? DefaultSessions);
        var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        route._life = LifeAsync();
        try
        {
            await route.Destination(request.Target.Address).StartAsync(cancellationToken).ConfigureAwait(false);
            began.SetResult();
            return route;
        }
        catch
        {
            began.TrySetCanceled(CancellationToken.None);
            await route.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        // After the first session: nothing stands between the command and its open port.
        async Task<SessionLife?> LifeAsync()
        {
            await ((Task)began.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return began.Task.IsCompletedSuccessfully ? await route.LearnLifeAsync().ConfigureAwait(false) : null;
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
            var session = await kept.TakeAsync(cancellationToken).ConfigureAwait(false);
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
        await _stop.CancelAsync().ConfigureAwait(false);
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
        _ = RenewAsync(session, _request.Time.GetTimestamp());
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
            case SsmSession.Retirement.Superseded:
                await session.Unused.ConfigureAwait(false);
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

    /// <summary>Sees to it that a session has a successor before its age ends it: new connections then go there, without a gap.</summary>
    private async Task RenewAsync(SsmSession session, long opened)
    {
        if (await _life.ConfigureAwait(false) is not { Longest: { } longest } life)
            return;
        var wait = longest - life.Lead - _request.Time.GetElapsedTime(opened);
        string? trouble = null;
        while (!session.Retired.IsCompleted)
        {
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            var due = Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, _request.Time, enough.Token);
            if (trouble is not null)
                _request.Tell("degraded", $"Session {session.Id} ends soon, and no other can be opened yet: {trouble.TrimEnd('.')}; trying on", ("session", session.Id), ("bastion", Bastion), ("reason", trouble));
            await Task.WhenAny(due, session.Retired).ConfigureAwait(false);
            if (!due.IsCompletedSuccessfully || IsDisposed)
            {
                await enough.CancelAsync().ConfigureAwait(false);
                return;
            }
            wait = RenewalPause;
            try
            {
                if (await Destination(session.Destination).RenewAsync(session).ConfigureAwait(false) && session.Load > 0)
                    _request.Tell(
                        "session_ending", string.Create(CultureInfo.InvariantCulture, $"Session {session.Id} ends {(longest - _request.Time.GetElapsedTime(opened)).TotalMinutes:0.#} minutes from now, at the account's maximum of {longest.TotalMinutes:0}; new connections have a fresh one, {session.Load} {(session.Load == 1 ? "goes" : "go")} on until then"),
                        ("session", session.Id), ("bastion", Bastion));
                return;
            }
            catch (FumidaiException e)
            {
                trouble = e.Message;
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    /// <summary>Reads the account's preferences and shows what they say. Nobody waits for it but the sessions' own ends.</summary>
    private async Task<SessionLife?> LearnLifeAsync()
    {
        var life = await SessionLife.AskAsync(_request.Access, _stop.Token).ConfigureAwait(false);
        if (life?.Text is { } text && !IsDisposed)
            _request.Tell(
                "session_life", _request.Settings.CommandLine.KeepAlive && life.Idle is not null ? text + "; kept alive" : text,
                ("idle_minutes", life.Idle?.TotalMinutes.ToString("0", CultureInfo.InvariantCulture) ?? ""), ("max_minutes", life.Longest?.TotalMinutes.ToString("0", CultureInfo.InvariantCulture) ?? ""));
        return life;
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
