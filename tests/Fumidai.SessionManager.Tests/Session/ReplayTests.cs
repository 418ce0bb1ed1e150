using System.Text;
using Fumidai.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>Our ends against the recorded official ones (protocol: transcripts; lab-made lines are marked there).</summary>
public sealed class ReplayTests
{
    public static TheoryData<string> Conversations =>
    [
        "mux_one_connection", "mux_three_connections", "mux_half_close", "mux_server_closes_first", "mux_refused", "mux_accept_then_reset",
        "basic_close_by_client", "basic_close_by_server", "ssh_stdio", "ssh_target_closes",
        "loss_client_message", "loss_agent_message", "loss_ack_from_client", "loss_ack_from_agent", "loss_repeated", "loss_ack_then_message",
        "duplicate_messages", "swapped_messages", "handshake_complete_repeated", "resume_idle", "service_close_bye", "agent_first",
        "shell_plain", "interactive_command", "noninteractive_separate_output", "terminate_flag", "idle_keepalive_on",
    ];

    /// <summary>Where the recorded agent is deaf or absent half the time it proves nothing of ours.</summary>
    public static TheoryData<string> AgentConversations => [.. Conversations.Select(c => (string)c.Data).Where(c => c is not "handshake_complete_repeated" and not "terminate_flag")];

    [Theory]
    [MemberData(nameof(Conversations))]
    public async Task Our_client_gets_through_a_recorded_conversation_with_the_official_agent(string name)
    {
        using var replay = new TranscriptReplay(name, client: true);
        await replay.RunAsync();
        Check(replay);
    }

    [Theory]
    [MemberData(nameof(AgentConversations))]
    public async Task Our_agent_gets_through_a_recorded_conversation_with_the_official_client(string name)
    {
        using var replay = new TranscriptReplay(name, client: false);
        await replay.RunAsync();
        Check(replay);
    }

    private static void Check(TranscriptReplay replay)
    {
        // Everything delivered was read once and in order, and acknowledged.
        Assert.Equal(Text(replay.Expected()), Text(replay.Read));
        foreach (var message in replay.Delivered.Where(m => m.MessageType == replay.ReceiveType))
            Assert.True(replay.Acknowledges(message.SequenceNumber) > 0, $"message {message.SequenceNumber} was never acknowledged");

        // What ours said is what the recorded end said: the same numbers, types, flags and payloads.
        var recorded = Distinct(replay.Recorded, replay.SendType);
        var ours = Distinct(replay.Sent, replay.SendType);
        foreach (var (sequence, said) in recorded)
        {
            var sent = ours[sequence];
            Assert.Equal(said.PayloadType, sent.PayloadType);
            Assert.Equal(said.Flags, sent.Flags);
            Assert.Equal(said.HeaderLength, sent.HeaderLength);
            if (said.PayloadType is PayloadType.HandshakeComplete or PayloadType.EncChallengeRequest or PayloadType.EncChallengeResponse) continue;   // times and random bytes
            Assert.Equal(Encoding.Latin1.GetString(said.Payload.Span), Encoding.Latin1.GetString(sent.Payload.Span));
        }
        Assert.Equal(recorded.Count, ours.Count);
        Assert.All(replay.Sent.Where(m => m.MessageType == MessageTypes.Acknowledge), a => Assert.Equal(MessageFlags.SynFin, a.Flags));
    }

    private static SortedDictionary<long, AgentMessage> Distinct(IReadOnlyList<AgentMessage> messages, string type)
    {
        var distinct = new SortedDictionary<long, AgentMessage>();
        foreach (var message in messages)
            if (message.MessageType == type)
                distinct.TryAdd(message.SequenceNumber, message);
        return distinct;
    }

    private static string Text(IEnumerable<(PayloadType Type, byte[] Payload)> payloads) =>
        string.Join('\n', payloads.Select(p => $"{p.Type} {Convert.ToHexStringLower(p.Payload)}"));

    [Fact]
    public async Task A_client_that_lost_an_acknowledgement_frees_the_official_agent_by_saying_it_again()
    {
        // The official pair stands still here for ever: message 4 is repeated, never acknowledged again, so 6 never comes.
        using var replay = new TranscriptReplay("loss_ack_then_message", client: true);
        await replay.RunAsync();
        var repeats = replay.Delivered.Count(m => m.MessageType == MessageTypes.OutputStreamData && m.SequenceNumber == 4);
        Assert.True(repeats > 10, $"{repeats}");
        Assert.Equal(repeats, replay.Acknowledges(4));
    }

    [Fact]
    public async Task HandshakeComplete_repeated_is_acknowledged_each_time_and_never_reaches_the_reader()
    {
        using var replay = new TranscriptReplay("handshake_complete_repeated", client: true);
        await replay.RunAsync();
        var complete = replay.Delivered.First(m => m.PayloadType == PayloadType.HandshakeComplete).SequenceNumber;
        var copies = replay.Delivered.Count(m => m.MessageType == MessageTypes.OutputStreamData && m.SequenceNumber == complete);
        Assert.True(copies > 1);
        Assert.True(replay.Acknowledges(complete) >= copies);
        Assert.DoesNotContain(replay.Read, r => r.Type == PayloadType.HandshakeComplete);
    }

    [Fact]
    public async Task Our_agent_acknowledges_HandshakeResponse_before_it_completes_the_handshake_and_is_silent_then()
    {
        // The official client goes deaf when anything reaches it within a millisecond after HandshakeComplete (protocol §3.3).
        using var replay = new TranscriptReplay("mux_one_connection", client: false);
        await replay.RunAsync();
        var sent = replay.Sent.Where(m => m.MessageType != MessageTypes.AgentSessionState).ToList();
        var complete = sent.FindIndex(m => m.PayloadType == PayloadType.HandshakeComplete);
        Assert.Equal(MessageTypes.Acknowledge, sent[complete - 1].MessageType);
        Assert.Equal(PayloadType.HandshakeRequest, sent[complete - 2].PayloadType);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_encrypted_shell_is_read_and_written_with_the_recorded_key(bool client)
    {
        var transcript = Recording.Load("shell_kms");
        var key = Convert.FromHexString(transcript.Meta.GetProperty("kms").GetProperty("dataKeyPlaintextHex").GetString()!);
        var keys = new RecordedKeys(key, Convert.FromBase64String("bGFiLWttcy1ibG9iOmggoqHgTxRL1+VQLb1ydWGaRuoGFS3KRnCfhB5kiw93"));
        using var replay = new TranscriptReplay("shell_kms", client) { Keys = keys };
        if (!client)
        {
            // The client's recorded answer seals another agent's challenge; ours must refuse it.
            var thrown = await Assert.ThrowsAsync<SessionEndedException>(replay.RunAsync);
            Assert.Contains("challenge", thrown.Message);
            return;
        }
        await replay.RunAsync();
        Assert.Equal(Text(replay.Expected()), Text(replay.Read));
        Assert.Contains(replay.Read, r => r.Type == PayloadType.Output);
        var recorded = Distinct(replay.Recorded, replay.SendType);
        foreach (var (sequence, sent) in Distinct(replay.Sent, replay.SendType))
        {
            if (sent.PayloadType is PayloadType.EncChallengeResponse) continue;
            Assert.Equal(replay.Unseal(recorded[sequence]).Payload, replay.Unseal(sent).Payload);
            if (sent.PayloadType == PayloadType.Output) Assert.NotEqual(recorded[sequence].Payload.ToArray(), sent.Payload.ToArray());
        }
        var context = Assert.Single(keys.Contexts);
        Assert.Equal(transcript.SessionId, context["aws:ssm:SessionId"]);
        Assert.Equal("i-0123456789abcdef0", context["aws:ssm:TargetId"]);
        Assert.Equal(2, context.Count);
        Assert.Equal("This session is encrypted using AWS KMS.", replay.Channel!.Handshake.CustomerMessage);
    }

    [Theory]
    [InlineData("channel_closed_empty")]
    [InlineData("channel_closed_output")]
    public async Task Channel_closed_ends_our_client_with_the_words_of_the_service(string name)
    {
        using var replay = new TranscriptReplay(name, client: true);
        await replay.RunAsync();
        var end = await replay.Channel!.Ended;
        Assert.Equal(SessionEndKind.Closed, end.Kind);
        var words = ServiceMessages.ReadChannelClosedOutput(replay.Delivered.Last(m => m.MessageType == MessageTypes.ChannelClosed).Payload.Span);
        Assert.Equal(words, end.Output);
        Assert.Equal(name == "channel_closed_empty", words.Length == 0);
        Assert.Equal(0, replay.Control.Resumed);
    }

    [Fact]
    public async Task A_refused_key_is_told_the_agent_and_its_words_come_back_as_the_reason()
    {
        using var replay = new TranscriptReplay("handshake_kms_refused", client: true);      // no source of keys
        var thrown = await Assert.ThrowsAsync<SessionEndedException>(replay.RunAsync);
        Assert.Contains("KMSEncryption failed on client with status 2", thrown.End.Output);
        var response = MessageJson.TryRead(replay.Sent.Single(m => m.PayloadType == PayloadType.HandshakeResponse).Payload.Span, MessageJson.Relaxed.HandshakeResponse)!;
        Assert.Equal([ActionStatus.Success, ActionStatus.Failed], response.ProcessedClientActions!.Select(a => a.ActionStatus));
        Assert.Single(response.Errors!);
    }

    [Fact]
    public async Task Nothing_is_lost_where_the_official_client_went_deaf()
    {
        using var replay = new TranscriptReplay("startup_race_deaf", client: true);
        await replay.RunAsync();
        Assert.Equal(Text(replay.Expected()), Text(replay.Read));
        foreach (var message in replay.Delivered.Where(m => m.MessageType == replay.ReceiveType))
            Assert.True(replay.Acknowledges(message.SequenceNumber) > 0);
    }
}
