using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>The recorded agent against our client end.</summary>
public sealed class ReplayClientTests
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
    public async Task Our_client_says_on_each_stream_what_the_official_one_said(string name)
    {
        var transcript = Transcript.Load(name);
        var channel = new ReplayChannel();
        Assert.True(PeerVersion.IsAgentNewerThan(transcript.AgentVersion, PeerVersion.LastBasicAgent));
        var traffic = new MuxedTraffic(channel, transcript.AgentVersion, TimeSpan.FromSeconds(10), new FakeTimeProvider());
        var expected = await PlayAsync(transcript, channel, traffic, smux: true);

        var ours = new SmuxLog();
        foreach (var payload in channel.Sent.Where(payload => payload.Type == PayloadType.Output)) ours.Add(payload.Payload.Span);
        Assert.Equal(expected.Streams.Order(), ours.Streams.Order());
        foreach (var stream in expected.Streams)
        {
            Assert.Equal(expected.EventsOf(stream), ours.EventsOf(stream));
            Assert.Equal(expected.BytesOf(stream), ours.BytesOf(stream));
        }
        Assert.DoesNotContain(channel.Sent, payload => payload.Type == PayloadType.Flag);
    }

    [Theory]
    [InlineData("basic_close_by_client")]
    [InlineData("basic_close_by_server")]
    public async Task Our_client_serves_an_agent_without_multiplexing_and_leaves_a_lone_newline_alone(string name)
    {
        var transcript = Transcript.Load(name);
        var channel = new ReplayChannel();
        Assert.False(PeerVersion.IsAgentNewerThan(transcript.AgentVersion, PeerVersion.LastBasicAgent));
        await PlayAsync(transcript, channel, new BasicTraffic(channel, onlyOne: false, TimeSpan.FromSeconds(1), new FakeTimeProvider()), smux: false);

        // The official client makes 0D of a lone 0A here, which corrupts it (protocol §2.4).
        Assert.Equal(
            Epochs(transcript.PayloadsFrom("client").Where(IsNoTerminate)).Select(epoch => epoch.Replace("0d", "0a", StringComparison.Ordinal)),
            Epochs(channel.Sent).Select(epoch => epoch.Replace("0d", "0a", StringComparison.Ordinal)));
        if (name == "basic_close_by_client") Assert.Contains(channel.Sent, payload => payload.Payload.Span.SequenceEqual("\n"u8));
    }

    [Fact]
    public async Task Keep_alive_is_sent_every_ten_seconds_to_agents_that_want_it_and_never_to_others()
    {
        var transcript = Transcript.Load("idle_keepalive_on");
        var time = new FakeTimeProvider();
        foreach (var (version, nops) in new[] { (transcript.AgentVersion, 3), ("3.1.1512.0", 0), ("3.3.1142.0", 0) })
        {
            var channel = new ReplayChannel();
            var running = new MuxedTraffic(channel, version, TimeSpan.Zero, time).RunAsync(CancellationToken.None);
            for (var i = 1; i <= 3; i++)
            {
                time.Advance(TimeSpan.FromSeconds(10));
                if (nops > 0) await channel.UntilSentAsync("NOP", sent => sent.Count == i);
            }
            channel.End(new SessionEnd(SessionEndKind.Closed, ""));
            await running.Soon();
            Assert.Equal(nops, channel.Sent.Count);
            Assert.All(channel.Sent, payload => Assert.Equal("0103000000000000", Convert.ToHexStringLower(payload.Payload.Span)));
        }
    }

    [Fact]
    public async Task A_refusal_is_blamed_on_the_refused_stream_and_the_session_lives_on()
    {
        var transcript = Transcript.Load("mux_refused");
        var channel = new ReplayChannel();
        var traffic = new MuxedTraffic(channel, transcript.AgentVersion, TimeSpan.FromSeconds(10), new FakeTimeProvider());
        var running = traffic.RunAsync(CancellationToken.None);
        var streams = new List<PortStream>();
        foreach (var payload in transcript.PayloadsFrom("agent"))
        {
            if (payload.Type == PayloadType.Flag) streams.Add(await traffic.OpenStreamAsync(CancellationToken.None));
            channel.Play(payload);
            if (payload.Type == PayloadType.Flag) continue;
            Assert.IsType<ConnectToPortException>(await streams[^1].Ended.Soon());
            await Assert.ThrowsAsync<ConnectToPortException>(async () => await streams[^1].Input.ReadAsync(CancellationToken.None));
        }
        Assert.Equal(2, streams.Count);
        Assert.Equal(0, traffic.OpenStreams);
        Assert.False(running.IsCompleted);
        channel.End(new SessionEnd(SessionEndKind.Closed, "over"));
        Assert.Equal("over", (await running.Soon()).Output);
    }

    [Fact]
    public async Task A_refusal_of_a_stream_we_gave_up_meanwhile_is_not_blamed_on_the_next_one()
    {
        var channel = new ReplayChannel();
        var traffic = new MuxedTraffic(channel, "3.3.1142.0", TimeSpan.FromSeconds(10), new FakeTimeProvider());
        var running = traffic.RunAsync(CancellationToken.None);
        var given = await traffic.OpenStreamAsync(CancellationToken.None);
        await channel.UntilSentAsync("SYN", sent => sent.Count > 0);
        given.Abort(new IOException("the local client has gone"));
        var good = await traffic.OpenStreamAsync(CancellationToken.None);

        channel.Play(new ReceivedPayload(PayloadType.Flag, ServiceMessages.WriteFlag(SessionFlag.ConnectToPortError)));
        channel.Play(new ReceivedPayload(PayloadType.Output, TestBytes.Frame(MuxCommand.Fin, 3)));
        channel.Play(new ReceivedPayload(PayloadType.Output, TestBytes.Frame(MuxCommand.Fin, 5)));

        Assert.Empty(await good.Input.ReadAllAsync());
        Assert.Null(await good.Ended.Soon());
        channel.End(new SessionEnd(SessionEndKind.Closed, ""));
        await running.Soon();
    }

    [Theory]
    [InlineData("channel_closed_output", "Port number is empty in session properties. map[localPortNumber:0 portNumber: type:LocalPortForwarding]")]
    [InlineData("basic_refused", "Unable to connect to specified port: dial tcp 127.0.0.1:59913: connect: connection refused")]
    public async Task The_agents_words_at_the_sessions_end_reach_every_stream(string name, string words)
    {
        var transcript = Transcript.Load(name);
        var closed = transcript.Lines.Single(line => (string?)line["messageType"] == "channel_closed");
        var output = (string)JsonNode.Parse(Convert.FromHexString((string)closed["hex"]!))!["Output"]!;
        Assert.Equal(words, output);

        var channel = new ReplayChannel();
        IPortTraffic traffic = name.StartsWith("basic", StringComparison.Ordinal)
            ? new BasicTraffic(channel, onlyOne: false, TimeSpan.Zero, TimeProvider.System)
            : new MuxedTraffic(channel, transcript.AgentVersion, TimeSpan.Zero, TimeProvider.System);
        var running = traffic.RunAsync(CancellationToken.None);
        var stream = await traffic.OpenStreamAsync(CancellationToken.None);
        channel.End(new SessionEnd(SessionEndKind.Closed, output));
        Assert.Equal(words, (await running.Soon()).Output);
        Assert.Equal(words, (await stream.Ended.Soon())!.Message);
        Assert.Equal(words, (await Assert.ThrowsAsync<SessionEndedException>(async () => await traffic.OpenStreamAsync(CancellationToken.None))).Message);
    }

    private static bool IsNoTerminate(ReceivedPayload payload)
        => payload.Type != PayloadType.Flag || !payload.Payload.Span.SequenceEqual(ServiceMessages.WriteFlag(SessionFlag.TerminateSession));

    // Basic mode: bytes up to each Flag 1.
    private static List<string> Epochs(IEnumerable<ReceivedPayload> payloads)
    {
        var epochs = new List<string> { "" };
        foreach (var payload in payloads)
        {
            if (payload.Type == PayloadType.Flag) epochs.Add("");
            else epochs[^1] += Convert.ToHexStringLower(payload.Payload.Span);
        }
        return epochs;
    }

    /// <summary>
    /// Plays the file: local events are done, the agent's payloads are played once the client has sent as much as it had in the recording
    /// (its FINs excepted: ours may come later, and does after a half-close). Returns what the recorded client said.
    /// </summary>
    private static async Task<SmuxLog> PlayAsync(Transcript transcript, ReplayChannel channel, IPortTraffic traffic, bool smux)
    {
        var running = traffic.RunAsync(CancellationToken.None);
        var apps = new Dictionary<string, Task<PortStream>>();
        var recorded = new SmuxLog();
        long recordedBytes = 0;
        var heard = new HashSet<long>();
        foreach (var line in transcript.Lines)
        {
            if (Transcript.IsPayload(line))
            {
                if (!heard.Add(((string)line["from"]! == "client" ? 1L << 40 : 0) + (long)line["sequenceNumber"]!)) continue;
                var payload = Transcript.PayloadOf(line);
                if ((string)line["from"]! == "agent")
                {
                    var bytes = recordedBytes;
                    // SYNs too: an answer to a stream that was not announced yet is not in any recording.
                    var opened = smux ? recorded.Events.Count(IsOpening) : 0;
                    await channel.UntilSentAsync($"{bytes} bytes and {opened} SYNs before n {line["n"]}", sent => DataBytes(sent, smux) >= bytes && (!smux || Openings(sent) >= opened));
                    channel.Play(payload);
                }
                else if (payload.Type == PayloadType.Output)
                {
                    if (smux) recorded.Add(payload.Payload.Span);
                    recordedBytes = smux ? recorded.Streams.Sum(stream => recorded.BytesOf(stream).Length) : recordedBytes + payload.Payload.Length;
                }
                continue;
            }
            if ((string?)line["side"] != "app") continue;
            var connection = (string)line["conn"]!;
            if ((string)line["event"]! == "connected")
            {
                apps[connection] = traffic.OpenStreamAsync(CancellationToken.None).AsTask();
                await apps[connection].Soon();
            }
            else
            {
                apps[connection] = DoAsync(apps[connection], line, transcript);
            }
        }
        foreach (var app in apps.Values) await app.Soon();
        if (smux) await channel.UntilSentAsync("the last SYN or FIN", sent => Signs(sent) >= recorded.Events.Count(IsSign));
        else await channel.UntilSentAsync("the last flag", sent => Flags(sent) >= Flags(transcript.PayloadsFrom("client").Where(IsNoTerminate)));
        channel.End(new SessionEnd(SessionEndKind.Closed, ""));
        await running.Soon();
        return recorded;
    }

    private static int Flags(IEnumerable<ReceivedPayload> payloads) => payloads.Count(payload => payload.Type == PayloadType.Flag);

    private static async Task<PortStream> DoAsync(Task<PortStream> before, JsonObject line, Transcript transcript)
    {
        var stream = await before;
        switch ((string)line["event"]!)
        {
            case "send":
                await stream.Output.SendAsync(transcript.BytesOf(line));
                break;
            case "received":
                Assert.Equal((string)line["sha256"]!, TestBytes.Sha256(await stream.Input.ReadExactAsync((int)line["length"]!)));
                break;
            case "eof after" when transcript.Name == "mux_refused":
                await Assert.ThrowsAsync<ConnectToPortException>(() => stream.Input.ReadAllAsync());
                break;
            case "eof after":
                var rest = await stream.Input.ReadAllAsync();
                Assert.Equal(((int)line["length"]!, (string)line["sha256"]!), (rest.Length, TestBytes.Sha256(rest)));
                break;
            case "shutdown(SHUT_WR)":
                await stream.Output.CompleteAsync();
                break;
            case "close":
                await stream.DisposeAsync();
                break;
            default:
                break;
        }
        return stream;
    }

    private static long DataBytes(List<ReceivedPayload> sent, bool smux)
    {
        if (!smux) return sent.Where(payload => payload.Type == PayloadType.Output).Sum(payload => payload.Payload.Length);
        var log = new SmuxLog();
        foreach (var payload in sent) log.Add(payload.Payload.Span);
        return log.Streams.Sum(stream => log.BytesOf(stream).Length);
    }

    private static int Signs(List<ReceivedPayload> sent) => EventsOf(sent).Count(IsSign);

    private static int Openings(List<ReceivedPayload> sent) => EventsOf(sent).Count(IsOpening);

    private static IEnumerable<string> EventsOf(List<ReceivedPayload> sent)
    {
        var log = new SmuxLog();
        foreach (var payload in sent) log.Add(payload.Payload.Span);
        return log.Events;
    }

    private static bool IsOpening(string smuxEvent) => smuxEvent.StartsWith("SYN", StringComparison.Ordinal);

    private static bool IsSign(string smuxEvent) => !smuxEvent.StartsWith("DATA", StringComparison.Ordinal);
}
