using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Tests;

public sealed class TunnelDrainTests
{
    private static readonly HostPort Destination = new("db.internal", 5432);

    private static Task<Tunnel> OpenAsync(TimeProvider time, IProgress<TunnelEvent>? events = null) => Tunnel.OpenAsync(
        Requests.To(Destination, events, time: time), 0, "eu-west-1", (_, _) => Task.FromResult<IRoute>(new MemoryRoute(MemoryRoute.EchoAsync)), TestContext.Current.CancellationToken);

    private static async Task<Socket> EchoedAsync(Tunnel tunnel)
    {
        var client = await Sockets.ConnectAsync(tunnel.Local);
        await AskAsync(client);
        return client;
    }

    private static async Task AskAsync(Socket client)
    {
        await client.SendAllAsync(new byte[1]);
        Assert.Equal(1, await client.ReceiveAsync(new byte[1]).WaitAsync(Requests.Guard));
    }

    [Fact]
    public async Task Draining_refuses_new_clients_and_ends_when_the_last_old_one_has_finished()
    {
        var time = new FakeTimeProvider();
        var heard = new Requests.Heard();
        await using var tunnel = await OpenAsync(time, heard);
        using var client = await EchoedAsync(tunnel);

        var drained = tunnel.DrainAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
        var told = await heard.FirstAsync("draining");

        Assert.Equal("1", told.Fields["connections"]);
        Assert.Equal(TunnelState.Draining, tunnel.State);
        await Assert.ThrowsAsync<SocketException>(() => Sockets.ConnectAsync(tunnel.Local));
        await AskAsync(client);
        Assert.False(drained.IsCompleted);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await drained.WaitAsync(Requests.Guard));
    }

    [Fact]
    public async Task Draining_ends_at_its_limit_with_the_number_of_those_that_are_left()
    {
        var time = new FakeTimeProvider();
        var heard = new Requests.Heard();
        await using var tunnel = await OpenAsync(time, heard);
        using var one = await EchoedAsync(tunnel);
        using var two = await EchoedAsync(tunnel);
        var drained = tunnel.DrainAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
        await heard.FirstAsync("draining");

        // The clock is told to go on until the drain has seen it: it is armed a moment after the event.
        while (!drained.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(30));
            await Task.Yield();
        }

        Assert.Equal(2, await drained);
        await AskAsync(one);
        await tunnel.DisposeAsync();
        Assert.True(await one.WasResetAsync().WaitAsync(Requests.Guard));
    }

    [Fact]
    public async Task Draining_can_be_cut_short()
    {
        var heard = new Requests.Heard();
        await using var tunnel = await OpenAsync(new FakeTimeProvider(), heard);
        using var client = await EchoedAsync(tunnel);
        using var hurry = new CancellationTokenSource();

        var drained = tunnel.DrainAsync(TimeSpan.FromHours(1), hurry.Token);
        await heard.FirstAsync("draining");
        await hurry.CancelAsync();

        Assert.Equal(1, await drained.WaitAsync(Requests.Guard));
    }

    [Fact]
    public async Task Draining_an_idle_tunnel_or_a_closed_one_takes_no_time()
    {
        await using var tunnel = await OpenAsync(new FakeTimeProvider());
        Assert.Equal(TunnelState.Open, tunnel.State);

        Assert.Equal(0, await tunnel.DrainAsync(TimeSpan.FromHours(1), CancellationToken.None).WaitAsync(Requests.Guard));
        await tunnel.DisposeAsync();

        Assert.Equal(TunnelState.Ended, tunnel.State);
        Assert.Equal(0, await tunnel.DrainAsync(TimeSpan.FromHours(1), CancellationToken.None));
    }
}
