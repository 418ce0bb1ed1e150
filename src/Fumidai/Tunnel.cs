using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Fumidai.Aws;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fumidai;

/// <summary>
/// One local listener bound to one target over one route, whichever stands: when a route is lost, the listener stays, connections it carried are
/// reset, and new ones wait for the next route. The tunnel ends by itself only for a reason that waiting cannot cure.
/// </summary>
public sealed partial class Tunnel : IAsyncDisposable
{
    /// <summary>How long a client's channel may take to open; longer than a dial's own limits, so that those speak first.</summary>
    private static readonly TimeSpan OpenLimit = TimeSpan.FromSeconds(75);

    /// <summary>
    /// How long an ending waits for channels and route; then they are left to the process's end. A session needs up to two seconds to hear
    /// its end acknowledged, and one call to be terminated.
    /// </summary>
    private static readonly TimeSpan DisposeLimit = TimeSpan.FromSeconds(5);

    private readonly TunnelRequest _request;
    private readonly LocalListener _listener;
    private readonly TunnelRoute _route;
    private readonly WriterWatch? _writer;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<FumidaiException?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<Task> _connections = [];
    private readonly Lock _endingLock = new();
    private Task _accepting = Task.CompletedTask;
    private Task _loops = Task.CompletedTask;
    private Telemetry.TunnelCount? _count;
    private Task? _ending;

    private Tunnel(TunnelRequest request, LocalListener listener, IRoute first, Func<RouteSearch, CancellationToken, Task<IRoute>> open)
    {
        _request = request;
        _listener = listener;
        _logger = (request.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Fumidai.Tunnel");
        _route = new TunnelRoute(request, first, open, new NetworkReturn(request.Time), _logger);
        if (request.DataApi is null && request.Target.Database is { Kind: DatabaseKind.Cluster, Writer: { } writer } database && request.Target.Address.Host == database.Endpoint)
            _writer = new WriterWatch(writer, request.AskWriter ?? (token => FindTargets.WriterAsync(request.Access, database.Id, token)), WriterChanged, request.Time, _stop.Token);
    }

    /// <summary>
    /// Binds the local port first (exclusively, 127.0.0.1 and ::1), then finds the bastion, opens the route and proves it once: the far end
    /// answered (TCP; for PostgreSQL an SSLRequest). On failure nothing is left: no listener, no session.
    /// </summary>
    /// <exception cref="FumidaiException">With the reason and next step.</exception>
    public static Task<Tunnel> OpenAsync(TunnelRequest request, CancellationToken cancellationToken)
    {
        var settings = TunnelSettings.Of(request.Settings, request.Target);
        if (request.DataApi is not null)
            return OpenAsync(request, settings.Port, request.Access.Region, static (_, _) => Task.FromResult<IRoute>(new DataApiRoute()), cancellationToken, () => request.DataApi.Merit);
        var choice = new RouteChoice(request, settings);
        return OpenAsync(request, settings.Port, request.Access.Region, choice.OpenAsync, cancellationToken, () => choice.Merit);
    }

    internal static async Task<Tunnel> OpenAsync(TunnelRequest request, int port, string region, Func<RouteSearch, CancellationToken, Task<IRoute>> openRoute, CancellationToken cancellationToken, Func<string?>? merit = null)
    {
        LocalListener? listener = null;
        try
        {
            listener = LocalListener.Bind(port);
            request.Tell("starting", $"Opening a tunnel to {request.Target.Name}", ("port", listener.EndPoint.Port.ToString(CultureInfo.InvariantCulture)));
            var route = await Telemetry.TraceAsync("fumidai.tunnel.open", request.Target, () => openRoute(new RouteSearch(true, true), cancellationToken)).ConfigureAwait(false);
            var tunnel = new Tunnel(request, listener, route, openRoute);
            tunnel._count = Telemetry.CountTunnel(request.Target.Name);
            request.Endpoint?.Listen(listener.EndPoint.Port, tunnel._logger);
            Socket[] unix = request.Endpoint?.Listener is { } socket ? [socket] : [];
            tunnel._accepting = Task.WhenAll([.. listener.Sockets.Concat(unix).Select(tunnel.AcceptAsync)]);
            tunnel._loops = Task.WhenAll(tunnel._accepting, tunnel.WatchRouteAsync());
            request.Tell(
                "ready",
                $"Listening on {listener.EndPoint} → {request.Target.Name} via {route.Name} {route.Bastion} ({region}){(merit?.Invoke() is { } best ? $", the best way: {best}" : "")}",
                ("address", listener.EndPoint.Address.ToString()),
                ("port", listener.EndPoint.Port.ToString(CultureInfo.InvariantCulture)),
                ("route", route.Name), ("bastion", route.Bastion), ("region", region), ("reason", merit?.Invoke() ?? ""));
            request.Endpoint?.Tell(listener.EndPoint);
            return tunnel;
        }
        catch
        {
            listener?.Dispose();
            if (request.Endpoint is { } proxy)
                await proxy.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Where clients connect.</summary>
    public IPEndPoint Local => _listener.EndPoint;

    /// <summary>The target.</summary>
    public Target Target => _request.Target;

    /// <summary>The route that stands now: ssm, ssh or eice.</summary>
    public string RouteName => _route.Last.Name;

    /// <summary>The id of its bastion.</summary>
    public string Bastion => _route.Last.Bastion;

    /// <summary>Completes when the tunnel is lost for good (with the reason) or was disposed (null).</summary>
    public Task<FumidaiException?> Ended => _ended.Task;

    /// <summary>Stops listening, ends channels, terminates the session, closes the route; waits for it all.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_endingLock)
            return new ValueTask(_ending ??= EndAsync());
    }

    private async Task EndAsync()
    {
        _request.Tell("closing", $"Closing the tunnel to {Target.Name}");
        _listener.Dispose();
        _count?.Dispose();
        if (_request.Endpoint is { } proxy)
            await proxy.DisposeAsync().ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        Task[] running;
        lock (_connections)
            running = [.. _connections];
        // Channels and route end side by side: a channel on a dead route must not hold back the session's termination.
        var ending = Task.WhenAll([_loops, .. running, _route.DisposeAsync().AsTask()]);
        try
        {
            await ending.WaitAsync(DisposeLimit, _request.Time).ConfigureAwait(false);
            _stop.Dispose();
        }
        catch (Exception e)
        {
            _logger.EndedBadly(Target.Name, e);
        }
        _ownAccess?.Dispose();
        _ended.TrySetResult(null);
    }

    private async Task WatchRouteAsync()
    {
        var lost = await _route.Ended.ConfigureAwait(false);
        if (lost is null || _stop.IsCancellationRequested)
            return;
        _listener.Dispose();
        _request.Endpoint?.StopListening();
        _count?.Dispose();
        _ended.TrySetResult(lost);
    }

    private async Task AcceptAsync(Socket listener)
    {
        await Task.Yield();
        // What the opener was doing is not what connections are part of, hours later.
        Activity.Current = null;
        while (true)
        {
            try
            {
                Keep(ServeAsync(await listener.AcceptAsync(_stop.Token).ConfigureAwait(false)));
                continue;
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException || _stop.IsCancellationRequested || _ended.Task.IsCompleted || _isDraining)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors, or a client that gave up in the queue: the next one may fare better.
                _logger.AcceptFailed(e.SocketErrorCode);
            }
            await Task.Delay(AcceptPause, _request.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Keep(Task connection)
    {
        lock (_connections)
            _connections.Add(connection);
        _ = connection.ContinueWith(
            static (done, set) =>
            {
                var connections = (HashSet<Task>)set!;
                lock (connections)
                    connections.Remove(done);
            },
            _connections, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task ServeAsync(Socket client)
    {
        await Task.Yield();
        var numbers = Telemetry.NumbersOf(Target.Name, RouteName);
        try
        {
            if (client.AddressFamily != AddressFamily.Unix)
                client.NoDelay = true;
            if (_request.Endpoint is { } proxy)
            {
                if (await proxy.ServeAsync(client, TraceChannelAsync, numbers, _stop.Token).ConfigureAwait(false) is not { } copied)
                    return;
                if (copied.Blame == CopySide.Channel)
                    numbers.AddFailed();
                _logger.ConnectionEnded(copied.Up, copied.Down, copied.Blame);
                LearnFrom(copied);
                if (copied is { Blame: CopySide.Channel, Reason: FumidaiException cut })
                    TellCut(cut, _route.Last);
                return;
            }
            var (channel, route) = await OpenChannelAsync(_stop.Token).ConfigureAwait(false);
            numbers = Telemetry.NumbersOf(Target.Name, route.Name);
            using var counted = numbers.CountOpen();
            var result = await CopyLoop.RunAsync(client, channel, _stop.Token, numbers).ConfigureAwait(false);
            if (result.Blame == CopySide.Channel)
                numbers.AddFailed();
            _logger.ConnectionEnded(result.Up, result.Down, result.Blame);
            LearnFrom(result);
            if (result is { Blame: CopySide.Channel, Reason: FumidaiException reason })
                TellCut(reason, (route.Name, route.Bastion));
        }
        catch (FumidaiException e) when (!_stop.IsCancellationRequested)
        {
            CopyLoop.Reset(client);
            numbers.AddFailed();
            TellCut(e, _route.Last);
        }
        catch (Exception e)
        {
            // One client's trouble is never the tunnel's.
            CopyLoop.Reset(client);
            if (!_stop.IsCancellationRequested)
                _logger.ConnectionFailed(e);
        }
        finally
        {
            client.Dispose();
        }
    }

    private void TellCut(FumidaiException reason, (string Name, string Bastion) route)
    {
        if (reason.Reason == Reason.RouteLost)
            _request.Tell("channel_lost", $"A connection was cut: {reason.Message}", ("reason", reason.Message), ("route", route.Name), ("bastion", route.Bastion));
        else if (reason.Reason == Reason.NoRoute)
            _request.Tell("channel_refused", $"A connection was refused: {reason.Message}", ("reason", reason.Message), ("route", route.Name), ("bastion", route.Bastion));
    }

    /// <summary>For the auth proxy, which asks for a channel once it knows whom it serves.</summary>
    private async Task<RouteChannel> TraceChannelAsync(CancellationToken cancellationToken)
    {
        var (channel, _) = await OpenChannelAsync(cancellationToken).ConfigureAwait(false);
        return channel;
    }

    private async Task<(RouteChannel Channel, IRoute Route)> OpenChannelAsync(CancellationToken cancellationToken)
    {
        if (_writer is not null && ResolvesOnce)
            await _writer.FreshAsync(cancellationToken).ConfigureAwait(false);
        return await Telemetry.TraceAsync("fumidai.channel.open", Target, () => _route.OpenAsync(Target.Address, OpenLimit, cancellationToken)).ConfigureAwait(false);
    }

    // The other routes ask for the name at each connection.
    private bool ResolvesOnce => RouteName == "ssm";

    private void LearnFrom(CopyResult result)
    {
        if (_writer is not null && ResolvesOnce && result.Blame != CopySide.Stopped)
            _writer.Ended(wasCut: result.Blame == CopySide.Channel || result.Down == 0);
    }

    private void WriterChanged(string was, string now)
    {
        var reason = $"the writer of {Target.Name} is {now} now, no longer {was}";
        if (ResolvesOnce && _route.Renew(reason))
            _request.Tell("writer_changed", $"The writer of {Target.Name} is {now} now, no longer {was}; new connections get a session of their own", ("from", was), ("to", now));
    }

    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);
}
