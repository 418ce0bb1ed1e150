using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class GateTests
{
    [Fact]
    public async Task An_open_gate_passes_bytes_and_half_closes_both_ways()
    {
        using var server = Listener();
        await using var gate = new Gate(new(ServerFixture.FreshAddress(), 0), () => (IPEndPoint)server.LocalEndPoint!, IPAddress.Parse("127.86.7.7"));
        gate.Apply(GateRule.Open);

        using var client = await ConnectAsync(gate.At);
        using var accepted = await server.AcceptAsync(ServerFixture.Limit);
        Assert.Equal("127.86.7.7", ((IPEndPoint)accepted.RemoteEndPoint!).Address.ToString());
        await client.SendAsync("ping"u8.ToArray(), ServerFixture.Limit);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("ping"u8.ToArray(), await ToEndAsync(accepted));
        await accepted.SendAsync("pong"u8.ToArray(), ServerFixture.Limit);
        accepted.Shutdown(SocketShutdown.Send);
        Assert.Equal("pong"u8.ToArray(), await ToEndAsync(client));
    }

    [Fact]
    public async Task A_removed_rule_makes_new_connects_hang_and_lets_the_old_ones_live_until_it_comes_back()
    {
        using var server = Listener();
        await using var gate = new Gate(new(ServerFixture.FreshAddress(), 0), () => (IPEndPoint)server.LocalEndPoint!, null);
        gate.Apply(GateRule.Open);
        using var old = await ConnectAsync(gate.At);
        using var far = await server.AcceptAsync(ServerFixture.Limit);

        gate.Apply(GateRule.Dropped);
        using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var hanging = late.ConnectAsync(gate.At, ServerFixture.Limit).AsTask();
        // The kernel sends the next SYN after a second: a dropped one has not been answered by now, a refused one would have been.
        await old.SendAsync("still here"u8.ToArray(), ServerFixture.Limit);
        Assert.Equal("still here", await ReadAsync(far, 10));
        await far.SendAsync("so am I"u8.ToArray(), ServerFixture.Limit);
        Assert.Equal("so am I", await ReadAsync(old, 7));
        Assert.False(hanging.IsCompleted);

        gate.Apply(GateRule.Open);
        await hanging;
        Assert.Equal(2, await CountAsync(gate, 2));
    }

    [Fact]
    public async Task A_gate_that_does_not_listen_refuses_and_one_whose_server_is_gone_resets()
    {
        IPEndPoint? inner = null;
        await using var gate = new Gate(new(ServerFixture.FreshAddress(), 0), () => inner, null);
        var refused = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(gate.At));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);

        gate.Apply(GateRule.Open);
        // The reset may come with the connect itself.
        var reset = await Assert.ThrowsAsync<SocketException>(async () => await ReadAsync(await ConnectAsync(gate.At), 1));
        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);

        gate.Apply(GateRule.Refused);
        refused = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(gate.At));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }

    [Fact]
    public async Task Only_an_allowed_source_gets_in()
    {
        using var server = Listener();
        await using var gate = new Gate(new(ServerFixture.FreshAddress(), 0), () => (IPEndPoint)server.LocalEndPoint!, null);
        gate.Apply(new GateRule(true, [IPNetwork.Parse("127.86.50.0/24"), IPNetwork.Parse("127.86.60.9/32")]));

        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var hanging = stranger.ConnectAsync(gate.At, ServerFixture.Limit).AsTask();
        foreach (var source in (string[])["127.86.50.77", "127.86.60.9"])
        {
            using var friend = await ConnectAsync(gate.At, IPAddress.Parse(source));
            using var accepted = await server.AcceptAsync(ServerFixture.Limit);
            Assert.Equal(source, ((IPEndPoint)accepted.RemoteEndPoint!).Address.ToString());
        }
        // Without a socket filter (an ordinary user) the stranger's connect is taken, but nothing is said to him and nothing passed on.
        Assert.False(hanging.IsCompletedSuccessfully && stranger.Poll(0, SelectMode.SelectRead));
        Assert.False(server.Poll(0, SelectMode.SelectRead));
    }

    private static Socket Listener()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint to, IPAddress? source = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (source is not null)
            socket.Bind(new IPEndPoint(source, 0));
        await socket.ConnectAsync(to, ServerFixture.Limit);
        return socket;
    }

    private static async Task<string> ReadAsync(Socket from, int count)
    {
        var buffer = new byte[count];
        for (var read = 0; read < count;)
        {
            var n = await from.ReceiveAsync(buffer.AsMemory(read), SocketFlags.None, ServerFixture.Limit);
            Assert.NotEqual(0, n);
            read += n;
        }
        return System.Text.Encoding.ASCII.GetString(buffer);
    }

    private static async Task<byte[]> ToEndAsync(Socket from)
    {
        var all = new MemoryStream();
        var buffer = new byte[100];
        int n;
        while ((n = await from.ReceiveAsync(buffer, SocketFlags.None, ServerFixture.Limit)) > 0)
            all.Write(buffer, 0, n);
        return all.ToArray();
    }

    private static async Task<int> CountAsync(Gate gate, int wanted)
    {
        while (gate.Established != wanted && !ServerFixture.Limit.IsCancellationRequested)
            await Task.Yield();
        return gate.Established;
    }
}
