using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

public sealed class PortAgentTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ReplayChannel _channel = new();

    [Fact]
    public async Task An_old_clients_session_is_closed_at_the_first_check_without_a_frame_since_the_last()
    {
        using var network = new LoopbackNetwork();
        var serving = Serve(network, clientVersion: "1.2.0.0");
        _channel.Play(new ReceivedPayload(PayloadType.Output, TestBytes.Frame(MuxCommand.Syn, 3)));
        using var target = (await network.AcceptAsync()).Target;
        for (var second = 10; second <= 50; second += 10)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            await _channel.UntilSentAsync($"NOP at {second} s", sent => sent.Count == second / 10);
            Assert.False(serving.IsCompleted);
        }
        _time.Advance(TimeSpan.FromSeconds(10));
        // The recorded one (idle_keepalive_mismatch): closed at 60 s, failed, without a word.
        Assert.Equal(new SessionEnd(SessionEndKind.Failed, ""), await serving.Soon());
    }

    [Fact]
    public async Task A_new_clients_session_may_be_idle_for_hours_and_no_keep_alive_is_sent()
    {
        using var network = new LoopbackNetwork();
        var serving = Serve(network, clientVersion: "1.2.835.0");
        for (var minute = 0; minute < 180; minute++) _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(serving.IsCompleted);
        Assert.Empty(_channel.Sent);
        _channel.Play(new ReceivedPayload(PayloadType.Flag, ServiceMessages.WriteFlag(SessionFlag.TerminateSession)));
        Assert.Equal(SessionEndKind.Local, (await serving.Soon()).Kind);
    }

    [Fact]
    public async Task Bytes_that_are_no_smux_leave_the_agent_up_and_mute()
    {
        using var network = new LoopbackNetwork();
        var serving = Serve(network, clientVersion: "1.2.835.0");
        _channel.Play(new ReceivedPayload(PayloadType.Output, Convert.FromHexString("0200000003000000")));
        _channel.Play(new ReceivedPayload(PayloadType.Output, TestBytes.Frame(MuxCommand.Syn, 5)));
        _channel.Play(new ReceivedPayload(PayloadType.Flag, ServiceMessages.WriteFlag(SessionFlag.TerminateSession)));
        Assert.Equal(new SessionEnd(SessionEndKind.Local, ""), await serving.Soon());
        Assert.Equal(0, network.Dials);
    }

    [Fact]
    public async Task Bytes_that_are_no_smux_end_the_clients_session_and_every_stream_of_it()
    {
        var traffic = new MuxedTraffic(_channel, "3.3.1142.0", TimeSpan.Zero, _time);
        var running = traffic.RunAsync(CancellationToken.None);
        var stream = await traffic.OpenStreamAsync(CancellationToken.None);
        _channel.Play(new ReceivedPayload(PayloadType.Output, Convert.FromHexString("0105000003000000")));
        Assert.Equal(new SessionEnd(SessionEndKind.Failed, "smux frame with version 1, command 5"), await running.Soon());
        Assert.IsType<SessionEndedException>(await stream.Ended.Soon());
    }

    [Theory]
    [InlineData("1.1.70", "1.1.70", 0)]
    [InlineData("1.1.69.9", "1.1.70", -1)]
    [InlineData("1.2.331.0", "1.2.331.0", 0)]
    [InlineData("1.2.331.0.1", "1.2.331.0", 1)]
    [InlineData("1.10.0.0", "1.9.0.0", 1)]
    public void Versions_are_compared_number_by_number(string left, string right, int order)
        => Assert.Equal(order, Math.Sign(PeerVersion.TryParse(left)!.CompareTo(PeerVersion.TryParse(right))));

    [Theory]
    [InlineData("3.0.196.0", false)]
    [InlineData("3.0.197.0", true)]
    [InlineData("3.3.4851", false)]
    [InlineData("", false)]
    [InlineData("3.3.x.0", false)]
    public void An_agent_multiplexes_only_above_its_limit_and_with_four_numbers(string version, bool multiplexes)
        => Assert.Equal(multiplexes, PeerVersion.IsAgentNewerThan(version, PeerVersion.LastBasicAgent));

    private Task<SessionEnd> Serve(LoopbackNetwork network, string clientVersion)
        => PortAgent.ServeAsync(_channel, clientVersion, new AgentSessionOptions
        {
            SessionId = "session",
            InstanceId = "i-0123456789abcdef0",
            Properties = new Dictionary<string, string> { ["type"] = "LocalPortForwarding", ["portNumber"] = "5432" },
            Network = network,
            Time = _time,
            Connect = _ => throw new NotSupportedException(),
        }, CancellationToken.None);
}
