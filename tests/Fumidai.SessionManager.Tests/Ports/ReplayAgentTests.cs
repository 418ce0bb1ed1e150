using System.Net.Sockets;
using System.Text.Json.Nodes;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>The recorded plugin against our agent end, with a real target.</summary>
public sealed class ReplayAgentTests
{
    [Theory]
    [InlineData("mux_one_connection")]
    [InlineData("mux_three_connections")]
    [InlineData("mux_half_close")]
    [InlineData("mux_server_closes_first")]
    [InlineData("mux_refused")]
    [InlineData("mux_accept_then_reset")]
    [InlineData("bulk_download_1mib")]
    [InlineData("bulk_upload_1mib")]
    [InlineData("terminate_flag")]
    public async Task Our_agent_says_on_each_stream_what_the_official_one_said(string name)
    {
        var transcript = Transcript.Load(name);
        var (channel, end) = await PlayAsync(transcript, smux: true);

        var expected = new SmuxLog();
        var ours = new SmuxLog();
        foreach (var payload in transcript.PayloadsFrom("agent").Where(payload => payload.Type == PayloadType.Output)) expected.Add(payload.Payload.Span);
        foreach (var payload in channel.Sent.Where(payload => payload.Type == PayloadType.Output)) ours.Add(payload.Payload.Span);
        Assert.Equal(expected.Streams.Order(), ours.Streams.Order());
        foreach (var stream in expected.Streams)
        {
            Assert.Equal(expected.EventsOf(stream), ours.EventsOf(stream));
            Assert.Equal(expected.BytesOf(stream), ours.BytesOf(stream));
        }
        Assert.Equal(FlagsAndEnds(transcript.PayloadsFrom("agent")), FlagsAndEnds(channel.Sent));
        Assert.Equal(new SessionEnd(SessionEndKind.Local, ""), end);
    }

    [Theory]
    [InlineData("basic_close_by_client")]
    [InlineData("basic_close_by_server")]
    [InlineData("ssh_stdio")]
    [InlineData("ssh_target_closes")]
    public async Task Our_agent_serves_basic_and_ssh_sessions_as_the_official_one(string name)
    {
        var transcript = Transcript.Load(name);
        var (channel, end) = await PlayAsync(transcript, smux: false);
        Assert.Equal(Bytes(transcript.PayloadsFrom("agent")), Bytes(channel.Sent));
        Assert.All(channel.Sent, payload => Assert.Equal(PayloadType.Output, payload.Type));
        Assert.Equal("", end.Output);
        Assert.Equal(name == "ssh_stdio" ? SessionEndKind.Closed : SessionEndKind.Local, end.Kind);
    }

    [Theory]
    [InlineData("basic_refused", "Unable to connect to specified port: dial tcp 127.0.0.1:59913: connect: connection refused")]
    [InlineData("ssh_refused", "")]
    [InlineData("channel_closed_output", "Port number is empty in session properties. map[localPortNumber:0 portNumber: type:LocalPortForwarding]")]
    public async Task A_session_that_cannot_be_served_fails_with_the_official_words(string name, string words)
    {
        var transcript = Transcript.Load(name);
        using var network = new LoopbackNetwork { Refuses = true };
        var end = await ServeAsync(transcript, new ReplayChannel(), network).Soon();
        Assert.Equal(new SessionEnd(SessionEndKind.Failed, words), end);

        var closed = transcript.Lines.Single(line => (string?)line["messageType"] == "channel_closed");
        Assert.Equal(words, (string)JsonNode.Parse(Convert.FromHexString((string)closed["hex"]!))!["Output"]!);
    }

    private static Task<SessionEnd> ServeAsync(Transcript transcript, ReplayChannel channel, LoopbackNetwork network)
        => PortAgent.ServeAsync(channel, transcript.ClientVersion, new AgentSessionOptions
        {
            SessionId = "session",
            InstanceId = "i-0123456789abcdef0",
            AgentVersion = transcript.AgentVersion,
            Properties = transcript.Properties,
            Network = network,
            Connect = _ => throw new NotSupportedException(),
        }, CancellationToken.None);

    private static async Task<(ReplayChannel Channel, SessionEnd End)> PlayAsync(Transcript transcript, bool smux)
    {
        using var network = new LoopbackNetwork { Refuses = transcript.Name.EndsWith("refused", StringComparison.Ordinal) };
        var channel = new ReplayChannel();
        var serving = ServeAsync(transcript, channel, network);
        var targets = new Dictionary<int, Task<(Socket Target, Socket Agent)>>();
        var said = new List<ReceivedPayload>();
        foreach (var line in transcript.Lines)
        {
            if (Transcript.IsPayload(line))
            {
                var payload = Transcript.PayloadOf(line);
                if ((string)line["from"]! == "agent")
                {
                    said.Add(payload);
                    // These do not tell what the target sent: it can be seen from what the agent made of it.
                    if (transcript.Name is "terminate_flag" or "bulk_upload_1mib" or "ssh_target_closes")
                        targets[1] = SayAsync(targets[1], smux ? payload.Payload[MuxFrameHeader.Size..] : payload.Payload);
                    continue;
                }
                var (bytes, flags) = Amount(said, smux);
                await channel.UntilSentAsync($"{bytes} bytes, {flags} flags before n {line["n"]}", sent => Amount(sent, smux) is var now && now.Bytes >= bytes && now.Flags >= flags);
                if (payload.Type == PayloadType.Flag && smux)
                    await channel.UntilSentAsync("FINs", sent => Ends(sent) >= Ends(said));
                if (!smux || payload.Type == PayloadType.Flag) foreach (var target in targets.Values) await target.Soon();
                channel.Play(payload);
            }
            else if ((string?)line["messageType"] == "channel_closed")
            {
                foreach (var target in targets.Values) await target.Soon();
                await channel.UntilSentAsync("all of it", sent => Amount(sent, smux).Bytes >= Amount(said, smux).Bytes);
                if ((string)line["to"]! == "agent") channel.End(new SessionEnd(SessionEndKind.Closed, ""));
            }
            else if ((string?)line["side"] == "target")
            {
                var connection = (int)line["conn"]!;
                // A target that speaks after the agent has closed must not be heard.
                if (smux) await channel.UntilSentAsync("FINs", sent => Ends(sent) >= Ends(said));
                targets[connection] = (string)line["event"]! == "accepted" ? network.AcceptAsync() : DoAsync(targets[connection], line, transcript);
                // The loop waits for acceptances so that connection numbers mean the same.
                if ((string)line["event"]! == "accepted") await targets[connection];
            }
        }
        var end = await serving.Soon();
        foreach (var target in targets.Values) (await target.Soon()).Target.Dispose();
        return (channel, end);
    }

    private static async Task<(Socket Target, Socket Agent)> SayAsync(Task<(Socket Target, Socket Agent)> before, ReadOnlyMemory<byte> bytes)
    {
        var both = await before;
        if (!bytes.IsEmpty) await both.Target.SendAsync(bytes, SocketFlags.None);
        return both;
    }

    private static async Task<(Socket Target, Socket Agent)> DoAsync(Task<(Socket Target, Socket Agent)> before, JsonObject line, Transcript transcript)
    {
        var (socket, agent) = await before;
        switch ((string)line["event"]!)
        {
            case "received" or "received up to eof":
                var received = new byte[(int)line["length"]!];
                for (var at = 0; at < received.Length;)
                {
                    var count = await socket.ReceiveAsync(received.AsMemory(at), SocketFlags.None);
                    Assert.True(count > 0, $"{transcript.Name} n {line["n"]}: ended after {at} of {received.Length} bytes");
                    at += count;
                }
                Assert.Equal((string)line["sha256"]!, TestBytes.Sha256(received));
                LastReceived.AddOrUpdate(socket, received);
                if ((string)line["event"]! == "received up to eof") Assert.Equal(0, await socket.ReceiveAsync(new byte[1], SocketFlags.None));
                break;
            case "send":
                // Some recordings tell only the hash of a piece of an echo.
                var bytes = LastReceived.TryGetValue(socket, out var last) && TestBytes.Sha256(last) == (string)line["sha256"]! ? last : transcript.BytesOf(line);
                try
                {
                    await socket.SendAsync(bytes, SocketFlags.None);
                }
                catch (SocketException)
                {
                    // The agent has closed meanwhile, as in the recording.
                }
                break;
            case "eof":
                Assert.Equal(0, await socket.ReceiveAsync(new byte[1], SocketFlags.None));
                break;
            case "reset (RST)":
                socket.LingerState = new LingerOption(true, 0);
                socket.Dispose();
                break;
            case "close":
                socket.Dispose();
                // The recording has a second before the next line; here the agent is given until it has seen the close.
                while (!agent.SafeHandle.IsClosed && !transcript.Name.StartsWith("ssh", StringComparison.Ordinal)) await Task.Yield();
                break;
            default:
                break;
        }
        return (socket, agent);
    }

    private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<Socket, byte[]> LastReceived = [];

    private static (long Bytes, int Flags) Amount(List<ReceivedPayload> payloads, bool smux)
    {
        var flags = payloads.Count(payload => payload.Type == PayloadType.Flag);
        if (!smux) return (payloads.Where(payload => payload.Type == PayloadType.Output).Sum(payload => payload.Payload.Length), flags);
        var log = new SmuxLog();
        foreach (var payload in payloads.Where(payload => payload.Type == PayloadType.Output)) log.Add(payload.Payload.Span);
        return (log.Streams.Sum(stream => log.BytesOf(stream).Length), flags);
    }

    private static int Ends(List<ReceivedPayload> payloads)
    {
        var log = new SmuxLog();
        foreach (var payload in payloads.Where(payload => payload.Type == PayloadType.Output)) log.Add(payload.Payload.Span);
        return log.Events.Count(each => each.StartsWith("FIN", StringComparison.Ordinal));
    }

    // Flag 3 stands before the FIN it explains.
    private static List<string> FlagsAndEnds(IEnumerable<ReceivedPayload> payloads)
    {
        var all = new List<string>();
        var log = new SmuxLog();
        foreach (var payload in payloads)
        {
            var known = log.Events.Count;
            if (payload.Type == PayloadType.Flag) all.Add($"flag {Convert.ToHexStringLower(payload.Payload.Span)}");
            else log.Add(payload.Payload.Span);
            if (all.Count > 0) all.AddRange(log.Events.Skip(known));
        }
        return all;
    }

    private static string Bytes(IEnumerable<ReceivedPayload> payloads)
        => string.Concat(payloads.Where(payload => payload.Type == PayloadType.Output).Select(payload => Convert.ToHexStringLower(payload.Payload.Span)));
}
