using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Fumidai;

/// <summary>
/// The route beneath a tunnel, whichever it is now. When it is lost, or answers no more while a client waits, another is searched for without
/// end; clients wait meanwhile. Connections that a lost route carried are cut by the route itself; a replaced route that still stands keeps its
/// connections until they end.
/// </summary>
internal sealed class TunnelRoute : IAsyncDisposable
{
    /// <summary>How long a channel may take to open, and a route to show that it lives, before another is searched for beside it.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(1500);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    private readonly TunnelRequest _request;
    private readonly Func<RouteSearch, CancellationToken, Task<IRoute>> _open;
    private readonly NetworkReturn _network;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Standing> _standings = [];
    private readonly TaskCompletionSource<FumidaiException?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<Standing> _next = Next();
    private TaskCompletionSource _kick = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Standing? _current;
    private (string Name, string Bastion) _last;
    private CancellationTokenSource? _searching;
    private Task _search = Task.CompletedTask;
    private int _waiting;

    internal TunnelRoute(TunnelRequest request, IRoute first, Func<RouteSearch, CancellationToken, Task<IRoute>> open, NetworkReturn network, ILogger logger)
    {
        (_request, _open, _network, _logger) = (request, open, network, logger);
        Take(first);
    }

    /// <summary>The route's name and bastion; the last ones while there is none.</summary>
    internal (string Name, string Bastion) Last
    {
        get
        {
            lock (_lock)
                return _last;
        }
    }

    /// <summary>Whether there is a route now.</summary>
    internal bool Stands
    {
        get
        {
            lock (_lock)
                return _current is not null;
        }
    }

    /// <summary>Completes when it was given up for good (waiting cannot cure the reason), or with null when disposed.</summary>
    internal Task<FumidaiException?> Ended => _ended.Task;

    /// <summary>Opens a channel through whichever route there is; waits while there is none.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="limit">How long one route may take.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task<(RouteChannel Channel, IRoute Route)> OpenAsync(HostPort destination, TimeSpan limit, CancellationToken cancellationToken)
    {
        while (true)
        {
            var standing = await CurrentAsync(cancellationToken).ConfigureAwait(false);
            var channel = await TryAsync(standing, destination, limit, cancellationToken).ConfigureAwait(false);
            if (channel is null)
                continue;
            _ = CountAsync(standing, channel);
            return (channel, standing.Route);
        }
    }

    /// <summary>Takes a route that stands out of use, because what it resolved is no longer true: new channels wait for another one, those it carries go on.</summary>
    /// <returns>False: there was none, and nothing was done.</returns>
    internal bool Renew(string reason)
    {
        Standing? old;
        lock (_lock)
        {
            old = _current;
            if (old is null || _stop.IsCancellationRequested)
                return false;
            _current = null;
            _next = Next();
            old.Channels++; // released below, so that an unused one is closed here
            old.Replaced.TrySetResult();
            _searching?.Cancel(); // the one for a route in doubt
            Search(old, reason);
        }
        Left(old);
        return true;
    }

    /// <summary>Closes every route; waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        Task search;
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
                return;
            _stop.Cancel();
            _next.TrySetCanceled(_stop.Token);
            search = _search;
        }
        await search.ConfigureAwait(false);
        Standing[] all;
        lock (_lock)
            all = [.. _standings];
        await Task.WhenAll(all.Select(s => s.Route.DisposeAsync().AsTask())).ConfigureAwait(false);
        _ended.TrySetResult(null);
    }

    private static TaskCompletionSource<Standing> Next()
    {
        var next = new TaskCompletionSource<Standing>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = next.Task.ContinueWith(static t => t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return next;
    }

    private async Task<Standing> CurrentAsync(CancellationToken cancellationToken)
    {
        Task<Standing> next;
        lock (_lock)
        {
            if (_current is { } current)
            {
                current.Channels++;
                return current;
            }
            _waiting++;
            next = _next.Task;
            _kick.TrySetResult();
        }
        try
        {
            var standing = await next.WaitAsync(cancellationToken).ConfigureAwait(false);
            lock (_lock)
                standing.Channels++;
            return standing;
        }
        finally
        {
            lock (_lock)
                _waiting--;
        }
    }

    /// <summary>Null: this route did not do; there is another, or will be.</summary>
    private async Task<RouteChannel?> TryAsync(Standing standing, HostPort destination, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(limit, _request.Time);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var opening = standing.Route.OpenAsync(destination, giveUp.Token).AsTask();
        try
        {
            while (!opening.IsCompleted)
            {
                Task either = Task.WhenAny(opening, standing.Replaced.Task);
                await either.WaitAsync(Patience, _request.Time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (opening.IsCompleted)
                    break;
                if (standing.Replaced.Task.IsCompleted)
                {
                    await giveUp.CancelAsync().ConfigureAwait(false);
                    await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    break;
                }
                if (!await AnswersAsync(standing.Route, giveUp.Token).ConfigureAwait(false))
                    Doubt(standing);
            }
            var channel = await opening.ConfigureAwait(false);
            Recovered(standing);
            return channel;
        }
        catch (OperationCanceledException) when (standing.Replaced.Task.IsCompleted && !cancellationToken.IsCancellationRequested)
        {
            Left(standing);
            return null;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            Left(standing);
            throw new FumidaiException(
                Reason.NoRoute, $"{_request.Target.Name} was not reached through {standing.Route.Name} {standing.Route.Bastion}",
                string.Create(CultureInfo.InvariantCulture, $"no answer within {limit.TotalSeconds:0} s"), retry: true);
        }
        catch (Exception e) when (standing.Replaced.Task.IsCompleted || standing.Route.Ended.IsCompleted || e is FumidaiException { Reason: Reason.RouteLost })
        {
            Lost(standing, e);
            Left(standing);
            _stop.Token.ThrowIfCancellationRequested();
            return null;
        }
        catch
        {
            Left(standing);
            throw;
        }
    }

    private static async ValueTask<bool> AnswersAsync(IRoute route, CancellationToken cancellationToken)
    {
        try
        {
            return route is not IAnsweringRoute answering || await answering.AnswersAsync(Patience, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return true; // the client is gone; nothing was learned
        }
    }

    private async Task CountAsync(Standing standing, RouteChannel channel)
    {
        await channel.Ended.ConfigureAwait(false);
        Left(standing);
    }

    private void Left(Standing standing)
    {
        lock (_lock)
        {
            if (--standing.Channels > 0 || !standing.Replaced.Task.IsCompleted || !_standings.Contains(standing) || _stop.IsCancellationRequested)
                return;
        }
        _ = EndAsync(standing);
    }

    private async Task EndAsync(Standing standing)
    {
        try
        {
            await standing.Route.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _logger.EndedBadly(_request.Target.Name, e);
        }
        lock (_lock)
            _standings.Remove(standing);
    }

    private void Take(IRoute route)
    {
        Standing? old;
        var standing = new Standing(route);
        lock (_lock)
        {
            old = _current;
            _standings.Add(standing);
            _current = standing;
            _last = (route.Name, route.Bastion);
            _searching = null;
            _next.TrySetResult(standing);
            old?.Replaced.TrySetResult();
            if (old is not null)
                old.Channels++; // released below, so that an unused one is closed here
        }
        if (old is not null)
            Left(old);
        _ = WatchAsync(standing);
    }

    private async Task WatchAsync(Standing standing)
    {
        if (await standing.Route.Ended.ConfigureAwait(false) is not { } reason)
            return;
        Lost(standing, reason);
        await EndAsync(standing).ConfigureAwait(false);
    }

    /// <summary>It is gone: nobody is sent there any more.</summary>
    private void Lost(Standing standing, Exception reason)
    {
        lock (_lock)
        {
            if (_current != standing || _stop.IsCancellationRequested)
                return;
            _current = null;
            _next = Next();
            standing.Replaced.TrySetResult();
            Search(standing, reason.Message);
        }
        var cause = reason.Message.TrimEnd('.');
        _request.Tell(
            "degraded", $"The route {standing.Route.Name} {standing.Route.Bastion} to {_request.Target.Name} was lost: {cause}; looking for another way, new connections wait",
            ("route", standing.Route.Name), ("bastion", standing.Route.Bastion), ("reason", reason.Message));
    }

    /// <summary>It may be gone: the first that answers serves.</summary>
    private void Doubt(Standing standing)
    {
        lock (_lock)
        {
            if (_current != standing || _stop.IsCancellationRequested || _searching is not null)
                return;
            Search(standing, $"{standing.Route.Name} {standing.Route.Bastion} does not answer");
        }
        _request.Tell(
            "degraded", $"{standing.Route.Name} {standing.Route.Bastion} does not answer; looking for another way",
            ("route", standing.Route.Name), ("bastion", standing.Route.Bastion), ("reason", "it does not answer"));
    }

    private void Recovered(Standing standing)
    {
        lock (_lock)
        {
            if (_current == standing)
                _searching?.Cancel();
        }
    }

    // Under the lock.
    private void Search(Standing from, string reason)
    {
        if (_searching is { IsCancellationRequested: false } || _stop.IsCancellationRequested)
            return;
        var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        _searching = stop;
        _search = SearchAsync(_search, from, reason, stop);
    }

    private async Task SearchAsync(Task before, Standing from, string reason, CancellationTokenSource stop)
    {
        await before.ConfigureAwait(false);
        await Task.Yield();
        var (pause, told) = (FirstPause, "");
        try
        {
            while (true)
            {
                Task? kick;
                bool awaited;
                lock (_lock)
                {
                    awaited = _waiting > 0 || from == _current;
                    if (_kick.Task.IsCompleted)
                        _kick = new(TaskCreationOptions.RunContinuationsAsynchronously);
                    // Somebody who comes now must not wait out a pause; one more who waits already changes nothing.
                    kick = awaited ? null : _kick.Task;
                }
                try
                {
                    var route = await _open(new RouteSearch(false, awaited), stop.Token).ConfigureAwait(false);
                    TellFound(from, route, reason);
                    Take(route);
                    return;
                }
                catch (FumidaiException e) when (IsFinal(e))
                {
                    GiveUp(e);
                    return;
                }
                catch (FumidaiException e)
                {
                    if (e.Message != told)
                    {
                        told = e.Message;
                        _request.Tell("degraded", $"Still no way to {_request.Target.Name}: {e.Message.TrimEnd('.')}; trying on", ("reason", e.Message));
                    }
                }
                await PauseAsync(Jittered(pause), kick, stop.Token).ConfigureAwait(false);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
        catch (OperationCanceledException)
        {
            // Closing, or the route that was doubted has answered.
        }
        catch (Exception e)
        {
            GiveUp(new FumidaiException(Reason.Failed, "the search for a route failed", e.Message, inner: e));
        }
        finally
        {
            lock (_lock)
            {
                if (_searching == stop)
                    _searching = null;
            }
            stop.Dispose();
        }
    }

    private async Task PauseAsync(TimeSpan pause, Task? kick, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (passing, network) = (Task.Delay(pause, _request.Time, over.Token), _network.NextAsync(over.Token));
        await Task.WhenAny(kick is null ? [passing, network] : [kick, passing, network]).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await network.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private void TellFound(Standing from, IRoute route, string reason)
    {
        var (was, now) = ($"{from.Route.Name} {from.Route.Bastion}", $"{route.Name} {route.Bastion}");
        if (was == now)
        {
            _request.Tell("reconnected", $"{now} serves {_request.Target.Name} again", ("route", route.Name), ("bastion", route.Bastion));
        }
        else
        {
            _request.Tell(
                "switched", $"New connections to {_request.Target.Name} go through {now} instead of {was}: {reason.TrimEnd('.')}",
                ("from", from.Route.Name), ("from_bastion", from.Route.Bastion), ("to", route.Name), ("bastion", route.Bastion), ("reason", reason));
        }
    }

    /// <summary>What no waiting cures: what was named is not there, or the settings are wrong.</summary>
    private static bool IsFinal(FumidaiException e) => e.Reason is Reason.NotFound or Reason.Usage or Reason.Configuration;

    private void GiveUp(FumidaiException reason)
    {
        FumidaiException lost;
        lock (_lock)
        {
            if (_current is not null)
                return; // it was only doubted; it may still serve
            lost = new FumidaiException(Reason.RouteLost, $"the tunnel to {_request.Target.Name} was lost", reason.Message, inner: reason);
            _next.TrySetException(lost);
        }
        _ended.TrySetResult(lost);
    }

    // A third up or down, so that a thousand laptops do not come back together.
    private static TimeSpan Jittered(TimeSpan pause) => pause * (0.67 + (Random.Shared.NextDouble() * 0.66));

    private sealed class Standing(IRoute route)
    {
        internal IRoute Route { get; } = route;

        internal int Channels { get; set; }

        /// <summary>Completes when it is no longer the one for new channels.</summary>
        internal TaskCompletionSource Replaced { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
