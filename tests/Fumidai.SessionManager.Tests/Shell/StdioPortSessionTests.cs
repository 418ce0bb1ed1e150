using System.IO.Pipelines;
using System.Net.Sockets;
using Xunit;

namespace Fumidai.SessionManager.Tests;

public sealed class StdioPortSessionTests
{
    private static readonly Dictionary<string, string> SshDocument = new() { ["portNumber"] = "22" };

    [Fact]
    public async Task Stdin_and_stdout_are_the_one_connection_of_an_ssh_session_byte_for_byte()
    {
        await using var session = await PortSession.StartAsync(SshDocument);
        Assert.True(session.Client.IsSingleConnection);
        var (stdin, stdout) = (new Pipe(), new Pipe());
        var running = StdioPortSession.RunAsync(session.Client, stdin.Reader.AsStream(), stdout.Writer.AsStream(), CancellationToken.None);
        using var target = (await session.Network.AcceptAsync()).Target;
        foreach (var text in new[] { "SSH-2.0-client\r\n", "\n", "\0" })
        {
            await stdin.Writer.SendAsync(System.Text.Encoding.ASCII.GetBytes(text));
            var buffer = new byte[100];
            Assert.Equal(text.Length, await target.ReceiveAsync(buffer, SocketFlags.None).Soon());
            await target.SendAsync(buffer.AsMemory(0, text.Length), SocketFlags.None, TestContext.Current.CancellationToken);
            Assert.Equal(text, System.Text.Encoding.ASCII.GetString(await stdout.Reader.ReadExactAsync(text.Length)));
        }
        // The target's end is the session's. Stdin stays open, as a terminal's does.
        target.Dispose();
        Assert.Equal(new SessionEnd(SessionEndKind.Local, ""), await session.Agent.Soon());
        await session.Relay.ToClientAsync(ServiceMessages.ChannelClosed("alice-0a1b2c3d4e5f60718", "client", "", Guid.NewGuid(), TimeProvider.System.GetUtcNow()).ToArray());
        Assert.Equal(SessionEndKind.Closed, (await running.Soon())!.Kind);
    }

    [Fact]
    public async Task The_end_of_stdin_lets_the_replys_tail_through_and_then_ends_by_silence()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var channel = new ReplayChannel();
        var traffic = new BasicTraffic(channel, onlyOne: true, TimeSpan.FromSeconds(10), time);
        var running = traffic.RunAsync(CancellationToken.None);
        var stream = await traffic.OpenStreamAsync(CancellationToken.None);
        await stream.Output.SendAsync("exit\n"u8.ToArray());
        await stream.Output.CompleteAsync();
        channel.Play(new ReceivedPayload(PayloadType.Output, "logout"u8.ToArray()));
        Assert.Equal("logout"u8.ToArray(), await stream.Input.ReadExactAsync(6));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Empty(await stream.Input.ReadAllAsync());
        // Nothing is said to the agent: it knows no word for it, and a flag would be written to the target's connection.
        Assert.Equal(["exit\n"], channel.Sent.Select(payload => System.Text.Encoding.ASCII.GetString(payload.Payload.Span)));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await traffic.OpenStreamAsync(CancellationToken.None));
        channel.End(new SessionEnd(SessionEndKind.Closed, ""));
        await running.Soon();
    }
}
