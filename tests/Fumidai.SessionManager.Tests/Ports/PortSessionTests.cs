using System.Net.Sockets;
using System.Security.Cryptography;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>Client and agent together, over real websockets to a real target. That both agree proves little about the official ones: the replays do that.</summary>
public sealed class PortSessionTests
{
    [Fact]
    public async Task Many_connections_run_over_one_session_and_it_ends_as_it_should()
    {
        var session = await PortSession.StartAsync();
        var echo = session.Network.EchoAsync();
        Assert.True(session.Client.IsMultiplexed);
        Assert.Equal("3.3.1142.0", session.Client.AgentVersion);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async number =>
        {
            await using var stream = await session.OpenAsync();
            var bytes = TestBytes.Pattern((uint)number, 40_000 + number);
            var writing = Task.Run(async () =>
            {
                foreach (var piece in bytes.Chunk(1 + (number * 97))) await stream.Output.SendAsync(piece);
            });
            Assert.Equal(bytes, await stream.Input.ReadExactAsync(bytes.Length));
            await writing;
        }));
        Assert.Equal((0, 50, 1), (session.Client.OpenStreams, session.Network.Dials, session.Network.Lookups));
        Assert.Equal(SessionHealth.Up, session.Client.Health);
        await session.DisposeAsync();
        await echo;
        Assert.Equal(1, session.Control.Terminated);
        Assert.Equal((SessionEndKind.Local, SessionEndKind.Local), ((await session.Client.Ended).Kind, (await session.Agent).Kind));
        Assert.Equal(SessionHealth.Ended, session.Client.Health);
        await Assert.ThrowsAsync<SessionEndedException>(() => session.OpenAsync());
    }

    [Fact]
    public async Task A_reply_after_a_half_close_arrives_whole()
    {
        await using var session = await PortSession.StartAsync();
        await using var stream = await session.OpenAsync();
        await stream.Output.SendAsync("request"u8.ToArray());
        await stream.Output.CompleteAsync();
        var target = (await session.Network.AcceptAsync()).Target;
        Assert.Equal(7, await target.ReceiveAsync(new byte[100], SocketFlags.None));
        var reply = TestBytes.Pattern(5, 300_000);
        var sending = Task.Run(async () =>
        {
            await target.SendAsync(reply, SocketFlags.None);
            target.Dispose();
        }, TestContext.Current.CancellationToken);
        Assert.Equal(reply, await stream.Input.ReadAllAsync());
        await sending;
        Assert.Null(await stream.Ended.Soon());
    }

    [Fact]
    public async Task A_refusal_is_told_to_its_connection_and_the_next_one_works()
    {
        await using var session = await PortSession.StartAsync(network: network => network.Refuses = true);
        var refused = await session.OpenAsync();
        // The refusal may be there before the client has said a word: then the write tells it.
        if (await Record.ExceptionAsync(() => refused.Output.SendAsync("hello?"u8.ToArray())) is { } early)
            Assert.IsType<ConnectToPortException>(early);
        Assert.IsType<ConnectToPortException>(await refused.Ended.Soon());

        session.Network.Refuses = false;
        var echo = session.Network.EchoAsync();
        await using (var stream = await session.OpenAsync())
        {
            await stream.Output.SendAsync("hello"u8.ToArray());
            Assert.Equal("hello"u8.ToArray(), await stream.Input.ReadExactAsync(5));
        }
        Assert.False(session.Client.Ended.IsCompleted);
        session.Network.Dispose();
        await echo;
    }

    [Fact]
    public async Task A_reset_by_the_target_ends_its_connection_only()
    {
        await using var session = await PortSession.StartAsync();
        await using var stream = await session.OpenAsync();
        var target = (await session.Network.AcceptAsync()).Target;
        target.LingerState = new LingerOption(true, 0);
        target.Dispose();
        Assert.Empty(await stream.Input.ReadAllAsync());
        Assert.False(session.Client.Ended.IsCompleted);
    }

    [Fact]
    public async Task A_connection_given_up_by_us_is_closed_at_the_target()
    {
        await using var session = await PortSession.StartAsync();
        var stream = await session.OpenAsync();
        await stream.Output.SendAsync("x"u8.ToArray());
        using var target = (await session.Network.AcceptAsync()).Target;
        Assert.Equal(1, await target.ReceiveAsync(new byte[10], SocketFlags.None));
        stream.Abort(new IOException("the local client was killed"));
        Assert.Equal(0, await target.ReceiveAsync(new byte[10], SocketFlags.None).Soon());
    }

    [Theory]
    [InlineData("db.example.internal")]
    [InlineData("")]
    public async Task Dials_are_serial_and_a_hanging_one_holds_up_the_next_until_it_gives_in(string host)
    {
        var properties = new Dictionary<string, string>(PortSession.ToHost) { ["host"] = host };
        var gate = new TaskCompletionSource();
        await using var session = await PortSession.StartAsync(properties, network: network => network.Gate = gate.Task);
        await using var first = await session.OpenAsync();
        await using var second = await session.OpenAsync();
        await second.Output.SendAsync("me too"u8.ToArray());
        while (session.Network.Dials == 0) await Task.Yield();
        Assert.Equal(1, session.Network.Dials);
        gate.SetResult();
        using var one = (await session.Network.AcceptAsync()).Target;
        using var two = (await session.Network.AcceptAsync()).Target;
        Assert.Equal(6, await two.ReceiveAsync(new byte[10], SocketFlags.None).Soon());
        Assert.Equal(host.Length == 0 ? 2 : 1, session.Network.Lookups);
    }

    [Theory]
    [InlineData("nowhere.example.internal", "lookup nowhere.example.internal: no such host")]
    [InlineData("169.254.169.254", "Forwarding to IP address 169.254.169.254 is forbidden.")]
    [InlineData("metadata.example.internal", "Forwarding to IP address metadata.example.internal is forbidden.")]
    public async Task A_host_that_may_not_be_reached_fails_the_session_after_the_handshake(string host, string words)
    {
        var properties = new Dictionary<string, string>(PortSession.ToHost) { ["host"] = host };
        await using var session = await PortSession.StartAsync(properties,
            network: network => network.Names["metadata.example.internal"] = [System.Net.IPAddress.Parse("fd00:ec2::254")]);
        Assert.Equal(new SessionEnd(SessionEndKind.Failed, words), await session.Agent.Soon());
    }

    [Fact]
    public async Task Sixty_four_mebibytes_cross_each_way_unharmed()
    {
        const int length = 64 * 1024 * 1024;
        await using var session = await PortSession.StartAsync();
        await using var stream = await session.OpenAsync();
        using var target = (await session.Network.AcceptAsync()).Target;
        var bytes = TestBytes.Pattern(42, length);
        var expected = SHA256.HashData(bytes);

        var up = Task.Run(async () =>
        {
            foreach (var piece in bytes.Chunk(100_000)) await stream.Output.SendAsync(piece);
        }, TestContext.Current.CancellationToken);
        var down = Task.Run(async () => await target.SendAsync(bytes, SocketFlags.None), TestContext.Current.CancellationToken);
        var atTarget = Task.Run(async () =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[64 * 1024];
            for (long left = length; left > 0;)
            {
                var count = await target.ReceiveAsync(buffer, SocketFlags.None);
                Assert.True(count > 0);
                hash.AppendData(buffer, 0, count);
                left -= count;
            }
            return hash.GetHashAndReset();
        }, TestContext.Current.CancellationToken);
        using var atClient = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long left = length; left > 0;)
        {
            var read = await stream.Input.ReadAsync(CancellationToken.None);
            Assert.False(read.IsCompleted);
            foreach (var part in read.Buffer) atClient.AppendData(part.Span);
            left -= read.Buffer.Length;
            stream.Input.AdvanceTo(read.Buffer.End);
        }
        Assert.Equal(expected, atClient.GetHashAndReset());
        Assert.Equal(expected, await atTarget);
        await Task.WhenAll(up, down);
    }

    [Fact]
    public async Task An_agent_without_multiplexing_serves_one_connection_after_the_other()
    {
        await using var session = await PortSession.StartAsync(agentVersion: "3.0.196.0");
        Assert.False(session.Client.IsMultiplexed);
        var echo = session.Network.EchoAsync();
        var first = await session.OpenAsync();
        var second = session.Client.OpenStreamAsync(CancellationToken.None).AsTask();
        await first.Output.SendAsync("\n"u8.ToArray());
        Assert.Equal("\n"u8.ToArray(), await first.Input.ReadExactAsync(1));
        Assert.False(second.IsCompleted);
        await first.DisposeAsync();
        await using var next = await second.Soon();
        await next.Output.SendAsync("second"u8.ToArray());
        Assert.Equal("second"u8.ToArray(), await next.Input.ReadExactAsync(6));
        Assert.Equal(2, session.Network.Dials);
        session.Network.Dispose();
        await echo;
    }

    [Fact]
    public async Task What_a_server_says_first_waits_for_the_first_connection_in_basic_mode()
    {
        await using var session = await PortSession.StartAsync(agentVersion: "3.0.196.0");
        using var target = (await session.Network.AcceptAsync()).Target;
        await target.SendAsync("220 greeting"u8.ToArray(), SocketFlags.None);
        await using var stream = await session.OpenAsync();
        Assert.Equal("220 greeting"u8.ToArray(), await stream.Input.ReadExactAsync(12));
    }

    [Fact]
    public async Task A_start_that_is_cancelled_still_terminates_the_session()
    {
        await using var relay = new LoopbackRelay();
        var control = new Fumidai.Testing.FakeSessionControl { Ticket = new StreamTicket("s", "token", relay.ClientUrl) };
        using var cancel = new CancellationTokenSource();
        var starting = PortClient.StartAsync(control.Ticket, control, new PortClientOptions(), cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting.Soon());
        Assert.Equal(1, control.Terminated);
    }
}
