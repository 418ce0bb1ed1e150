using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Xunit;

namespace Fumidai.Tests;

public sealed class TunnelTests
{
    private static readonly HostPort Destination = new("db.internal", 5432);

    private static Task<Tunnel> OpenAsync(IRoute route, IProgress<TunnelEvent>? events = null, int port = 0) => Tunnel.OpenAsync(
        Requests.To(Destination, events), port, "eu-west-1", (_, _) => Task.FromResult(route), TestContext.Current.CancellationToken);

    [Fact]
    public async Task The_ready_line_is_the_promised_one()
    {
        var heard = new Requests.Heard();
        await using var tunnel = await OpenAsync(new MemoryRoute(MemoryRoute.EchoAsync), heard);
        var ready = await heard.FirstAsync("ready");
        Assert.Equal($"Listening on 127.0.0.1:{tunnel.Local.Port} → host/db.internal:5432 via memory i-0memory (eu-west-1)", ready.Text);
        Assert.Equal(tunnel.Local.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), ready.Fields["port"]);
    }

    [Fact]
    public async Task Fifty_clients_at_once_each_get_their_own_bytes_back()
    {
        await using var tunnel = await OpenAsync(new MemoryRoute(MemoryRoute.EchoAsync));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            using var client = await Sockets.ConnectAsync(i % 2 == 0 || !Socket.OSSupportsIPv6 ? tunnel.Local : new IPEndPoint(IPAddress.IPv6Loopback, tunnel.Local.Port));
            var said = RandomNumberGenerator.GetBytes(100_000 + i);
            var heard = client.ReadToEndAsync();
            await client.SendAllAsync(said);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(SHA256.HashData(said), SHA256.HashData(await heard.WaitAsync(Requests.Guard)));
        }));
    }

    [Fact]
    public async Task A_refused_far_end_resets_that_client_tells_why_and_leaves_the_tunnel_working()
    {
        var heard = new Requests.Heard();
        var route = new MemoryRoute(MemoryRoute.EchoAsync)
        {
            Refuse = _ => new FumidaiException(Reason.NoRoute, "i-0memory could not connect to db.internal:5432", "Connection refused"),
        };
        await using var tunnel = await OpenAsync(route, heard);
        Assert.True(await Sockets.IsResetAsync(tunnel.Local).WaitAsync(Requests.Guard));
        Assert.Contains("Connection refused", (await heard.FirstAsync("channel_refused")).Text, StringComparison.Ordinal);

        route.Refuse = _ => null;
        using var next = await Sockets.ConnectAsync(tunnel.Local);
        await next.SendAllAsync("hello"u8.ToArray());
        next.Shutdown(SocketShutdown.Send);
        Assert.Equal("hello"u8.ToArray(), await next.ReadToEndAsync().WaitAsync(Requests.Guard));
    }

    [Fact]
    public async Task A_refusal_that_comes_after_the_opening_is_told_too()
    {
        var heard = new Requests.Heard();
        var route = new MemoryRoute(channel =>
        {
            channel.Far.Fail(new FumidaiException(Reason.NoRoute, "i-0memory could not connect to db.internal:5432", "Connection refused"));
            return Task.CompletedTask;
        });
        await using var tunnel = await OpenAsync(route, heard);
        Assert.True(await Sockets.IsResetAsync(tunnel.Local).WaitAsync(Requests.Guard));
        await heard.FirstAsync("channel_refused");
    }

    [Fact]
    public async Task A_taken_port_names_its_holder_and_opens_no_route()
    {
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        holder.Listen(1);
        var port = ((IPEndPoint)holder.LocalEndPoint!).Port;
        var route = new MemoryRoute(MemoryRoute.EchoAsync);
        var opened = false;
        var e = await Assert.ThrowsAsync<FumidaiException>(() => Tunnel.OpenAsync(
            Requests.To(Destination), port, "eu-west-1",
            (_, _) =>
            {
                opened = true;
                return Task.FromResult<IRoute>(route);
            },
            TestContext.Current.CancellationToken));
        Assert.Equal(Reason.Failed, e.Reason);
        Assert.Contains($"127.0.0.1:{port}", e.Message, StringComparison.Ordinal);
        if (OperatingSystem.IsLinux())
            Assert.Contains($"(pid {Environment.ProcessId})", e.Message, StringComparison.Ordinal);
        Assert.False(opened);
    }

    [Fact]
    public async Task A_port_held_on_one_address_alone_is_taken()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "no IPv6 on this machine");
        using var holder = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        holder.Listen(1);
        var port = ((IPEndPoint)holder.LocalEndPoint!).Port;
        var e = await Assert.ThrowsAsync<FumidaiException>(() => OpenAsync(new MemoryRoute(MemoryRoute.EchoAsync), port: port));
        Assert.Contains($"[::1]:{port}", e.Message, StringComparison.Ordinal);
        // Neither: the other address was given back.
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, port));
    }

    [Fact]
    public async Task Closing_leaves_no_listener_ends_clients_and_closes_the_route()
    {
        var route = new MemoryRoute(MemoryRoute.EchoAsync);
        var tunnel = await OpenAsync(route);
        using var client = await Sockets.ConnectAsync(tunnel.Local);
        await client.SendAllAsync(new byte[1]);
        Assert.Equal(1, await client.ReceiveAsync(new byte[1]).WaitAsync(Requests.Guard));
        await tunnel.DisposeAsync().AsTask().WaitAsync(Requests.Guard);
        await tunnel.DisposeAsync().AsTask().WaitAsync(Requests.Guard);
        Assert.True(route.IsDisposed);
        Assert.Null(await tunnel.Ended);
        Assert.True(await client.WasResetAsync().WaitAsync(Requests.Guard));
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => Sockets.ConnectAsync(tunnel.Local))).SocketErrorCode);
    }

    [Fact]
    public async Task A_reason_that_no_waiting_cures_ends_the_tunnel()
    {
        var route = new MemoryRoute(MemoryRoute.EchoAsync);
        var searches = 0;
        await using var tunnel = await Tunnel.OpenAsync(
            Requests.To(Destination), 0, "eu-west-1",
            (_, _) => searches++ == 0 ? Task.FromResult<IRoute>(route) : throw new FumidaiException(Reason.NotFound, "cannot find a bastion", "instance i-0memory is terminated"),
            TestContext.Current.CancellationToken);
        route.Lose(new FumidaiException(Reason.NoRoute, "cannot start a session", "TargetNotConnected"));
        var ended = await tunnel.Ended.WaitAsync(Requests.Guard);
        Assert.Equal(Reason.RouteLost, ended!.Reason);
        Assert.Contains("i-0memory is terminated", ended.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SocketException>(() => Sockets.ConnectAsync(tunnel.Local));
    }

    [Fact]
    public async Task A_lost_route_leaves_the_listener_and_new_clients_wait_for_the_next_one()
    {
        var heard = new Requests.Heard();
        var (first, second) = (new MemoryRoute(MemoryRoute.EchoAsync), new MemoryRoute(MemoryRoute.EchoAsync) { Bastion = "i-0other" });
        var found = new TaskCompletionSource<IRoute>();
        var searches = new List<RouteSearch>();
        await using var tunnel = await Tunnel.OpenAsync(
            Requests.To(Destination, heard), 0, "eu-west-1",
            (search, _) =>
            {
                searches.Add(search);
                return search.IsFirst ? Task.FromResult<IRoute>(first) : found.Task;
            },
            TestContext.Current.CancellationToken);
        first.Lose(new FumidaiException(Reason.RouteLost, "the ssh connection to i-0memory was lost", "it closed"));
        Assert.Contains("it closed", (await heard.FirstAsync("degraded")).Fields["reason"], StringComparison.Ordinal);

        using var client = await Sockets.ConnectAsync(tunnel.Local);
        await client.SendAllAsync("hello"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        var answer = client.ReadToEndAsync();
        found.SetResult(second);

        Assert.Equal("hello"u8.ToArray(), await answer.WaitAsync(Requests.Guard));
        var switched = await heard.FirstAsync("switched");
        Assert.Equal(("memory", "i-0memory", "i-0other"), (switched.Fields["from"], switched.Fields["from_bastion"], switched.Fields["bastion"]));
        Assert.Equal("i-0other", tunnel.Bastion);
        Assert.False(tunnel.Ended.IsCompleted);
        Assert.True(first.IsDisposed);
    }

    [Fact]
    public async Task The_search_goes_on_until_the_same_bastion_is_back()
    {
        var heard = new Requests.Heard();
        var (first, again) = (new MemoryRoute(MemoryRoute.EchoAsync), new MemoryRoute(MemoryRoute.EchoAsync));
        var time = new PassingPauses();
        var searches = 0;
        await using var tunnel = await Tunnel.OpenAsync(
            Requests.To(Destination, heard, time: time), 0, "eu-west-1",
            (_, _) => searches++ switch
            {
                0 => Task.FromResult<IRoute>(first),
                < 40 => throw new FumidaiException(Reason.NoRoute, "no route could be opened", "the network is gone"),
                _ => Task.FromResult<IRoute>(again),
            },
            TestContext.Current.CancellationToken);
        first.Lose(new IOException("gone"));
        await heard.FirstAsync("reconnected");
        Assert.Equal(41, searches);
        // The same trouble is told once.
        Assert.Single(heard.All, e => e.Text.StartsWith("Still no way", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_route_that_answers_no_more_is_replaced_while_a_client_waits()
    {
        var heard = new Requests.Heard();
        var dead = new MemoryRoute(MemoryRoute.EchoAsync) { Answers = false, Hangs = true };
        var other = new MemoryRoute(MemoryRoute.EchoAsync) { Bastion = "i-0other" };
        await using var tunnel = await Tunnel.OpenAsync(
            Requests.To(Destination, heard, time: new PassingPauses()), 0, "eu-west-1",
            (search, _) => Task.FromResult<IRoute>(search.IsFirst ? dead : other), TestContext.Current.CancellationToken);
        using var client = await Sockets.ConnectAsync(tunnel.Local);
        await client.SendAllAsync("hello"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("hello"u8.ToArray(), await client.ReadToEndAsync().WaitAsync(Requests.Guard));
        Assert.Contains("does not answer", (await heard.FirstAsync("switched")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_with_another_writer_gets_new_connections_by_a_fresh_session_and_the_old_ones_go_on()
    {
        var heard = new Requests.Heard();
        var (stale, fresh) = (new MemoryRoute(MemoryRoute.EchoAsync) { Name = "ssm" }, new MemoryRoute(MemoryRoute.EchoAsync) { Name = "ssm" });
        var database = Requests.Cluster() with { Writer = "app-1" };
        var request = Requests.To(new(database.Endpoint!, 5432), heard, database) with { AskWriter = _ => Task.FromResult<string?>("app-2") };
        await using var tunnel = await Tunnel.OpenAsync(
            request, 0, "eu-west-1", (search, _) => Task.FromResult<IRoute>(search.IsFirst ? stale : fresh), TestContext.Current.CancellationToken);
        using var old = await Sockets.ConnectAsync(tunnel.Local);
        await old.SendAllAsync("a"u8.ToArray());
        Assert.Equal(1, await old.ReceiveAsync(new byte[1]));
        using (var cut = await Sockets.ConnectAsync(tunnel.Local))
            cut.Shutdown(SocketShutdown.Send); // ends without an answer, as one whose server is gone

        var told = await heard.FirstAsync("writer_changed");

        Assert.Equal(("app-1", "app-2"), (told.Fields["from"], told.Fields["to"]));
        using var client = await Sockets.ConnectAsync(tunnel.Local);
        await client.SendAllAsync("hello"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("hello"u8.ToArray(), await client.ReadToEndAsync().WaitAsync(Requests.Guard));
        Assert.Single(fresh.Opened);
        await old.SendAllAsync("b"u8.ToArray());
        Assert.Equal(1, await old.ReceiveAsync(new byte[1]).WaitAsync(Requests.Guard));
        Assert.False(stale.IsDisposed);
    }

    [Fact]
    public async Task A_connection_cut_by_a_lost_route_is_told_with_its_reason()
    {
        var heard = new Requests.Heard();
        var cut = new FumidaiException(Reason.RouteLost, "the ssh connection to i-0memory was lost", "it closed");
        await using var tunnel = await OpenAsync(
            new MemoryRoute(channel =>
            {
                channel.Far.Fail(cut);
                return Task.CompletedTask;
            }),
            heard);
        Assert.True(await Sockets.IsResetAsync(tunnel.Local).WaitAsync(Requests.Guard));
        Assert.Contains("it closed", (await heard.FirstAsync("channel_lost")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_no_route_opens_nothing_is_left()
    {
        var port = 0;
        await Assert.ThrowsAsync<FumidaiException>(() => Tunnel.OpenAsync(
            Requests.To(Destination, new Said(e => port = int.Parse(e.Fields["port"], System.Globalization.CultureInfo.InvariantCulture))), 0, "eu-west-1",
            (_, _) => throw new FumidaiException(Reason.NoRoute, "no route"), TestContext.Current.CancellationToken));
        Assert.NotEqual(0, port);
        await Assert.ThrowsAsync<SocketException>(() => Sockets.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)));
    }

    [Fact]
    public async Task Fifty_idle_connections_cost_less_than_20_MB()
    {
        await using var tunnel = await OpenAsync(new MemoryRoute(MemoryRoute.EchoAsync));
        async Task<Socket> OneAsync()
        {
            var client = await Sockets.ConnectAsync(tunnel.Local);
            await client.SendAllAsync(new byte[1]);
            await client.ReceiveAsync(new byte[1]);
            return client;
        }
        (await OneAsync()).Dispose();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var clients = new List<Socket>();
        for (var i = 0; i < 50; i++)
            clients.Add(await OneAsync());
        var cost = GC.GetTotalMemory(forceFullCollection: true) - before;
        foreach (var client in clients)
            client.Dispose();
        // Both ends of every connection live in this process, so this is an upper bound.
        Assert.True(cost < 5 * 1024 * 1024, $"{cost} bytes");
    }

    private sealed class Said(Action<TunnelEvent> say) : IProgress<TunnelEvent>
    {
        public void Report(TunnelEvent value) => say(value);
    }

    /// <summary>A clock on which whatever is waited for passes, except limits of a minute and more.</summary>
    private sealed class PassingPauses : Microsoft.Extensions.Time.Testing.FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime > TimeSpan.Zero && dueTime < TimeSpan.FromSeconds(30))
                ThreadPool.QueueUserWorkItem(_ => Advance(dueTime));
            return timer;
        }
    }
}
