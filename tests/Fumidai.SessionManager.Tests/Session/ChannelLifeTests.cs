using System.Net.WebSockets;
using System.Text.Json;
using Fumidai.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>Beginnings, losses, pauses and ends.</summary>
public sealed class ChannelLifeTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static FakeTimeProvider Clock() => new(DateTimeOffset.UnixEpoch.AddYears(50));

    private static Task Say(DataChannel channel, byte value) => ChannelPair.SendAsync(channel, [value], 1);

    [Fact]
    public async Task The_hourly_Bye_leads_to_a_resume_with_a_fresh_token_and_the_same_client_id()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink());
        var resuming = pair.Client.NextHealthChange();
        pair.Link.CloseClient("Bye");
        await resuming.Guarded();
        await Say(pair.Client, 7);
        Assert.Equal([7], await ChannelPair.ReceiveAsync(pair.Agent, 1).Guarded());
        Assert.Equal(1, pair.Control.Resumed);
        var greetings = pair.Link.Greetings.Select(g => JsonDocument.Parse(g).RootElement).ToList();
        Assert.Equal(["token+0/==", "token+1/=="], greetings.Select(g => g.GetProperty("TokenValue").GetString()));
        Assert.Contains("\"TokenValue\":\"token+0/==\"", pair.Link.Greetings[0]);     // not \u002B
        Assert.Single(greetings.Select(g => g.GetProperty("ClientId").GetString()).Distinct());
        Assert.Equal(2, greetings.Select(g => g.GetProperty("RequestId").GetString()).Distinct().Count());
        Assert.Equal("1.2.835.0", greetings[1].GetProperty("ClientVersion").GetString());
    }

    [Fact]
    public async Task A_resume_that_fails_is_tried_for_as_long_as_it_takes()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink(), Clock());
        pair.Control.FailingResumes = 50;
        pair.Link.CutClient();
        await Say(pair.Client, 9);
        var reading = ChannelPair.ReceiveAsync(pair.Agent, 1);
        await pair.DriveAsync(reading);
        Assert.Equal([9], await reading);
        Assert.Equal(51, pair.Control.Resumed);
        Assert.Equal(SessionHealth.Up, pair.Client.Health);
    }

    [Fact]
    public async Task When_ResumeSession_says_that_the_session_is_over_it_is()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink());
        pair.Control.IsOver = true;
        pair.Link.CutClient();
        Assert.Equal(SessionEndKind.Lost, (await pair.Client.Ended.Guarded()).Kind);
        Assert.False(await pair.Client.ReadAsync(Cancel));
        await Assert.ThrowsAsync<SessionEndedException>(() => Say(pair.Client, 1));
        Assert.Equal(SessionHealth.Ended, pair.Client.Health);
    }

    [Fact]
    public async Task After_a_resume_everything_unacknowledged_is_sent_and_everything_received_is_acknowledged_again()
    {
        var sent = new List<AgentMessage>();
        using var link = new FaultyLink();
        await using var pair = await ChannelPair.OpenAsync(link, Clock());
        await ChannelPair.SendAsync(pair.Agent, ChannelPair.Pattern(300, 1), 100);
        var first = ChannelPair.ReceiveAsync(pair.Client, 300);
        await pair.DriveAsync(first);
        await pair.DriveAsync(pair.Agent.DrainAsync(TimeSpan.FromHours(1), Cancel));

        pair.Control.FailingResumes = 3;
        pair.Link.CutClient();
        await ChannelPair.SendAsync(pair.Client, ChannelPair.Pattern(500, 2), 100);     // while nobody is there
        link.Watch = (way, bytes) =>
        {
            if (way == Way.ToAgent && AgentMessage.TryParse(bytes, out var message, out MessageFault _)) sent.Add(message);
        };
        var reading = ChannelPair.ReceiveAsync(pair.Agent, 500);
        await pair.DriveAsync(reading);
        Assert.Equal(ChannelPair.Pattern(500, 2), await reading);
        var acknowledged = sent.Where(m => m.MessageType == MessageTypes.Acknowledge)
            .Select(m => Acknowledgement.TryRead(m.Payload.Span, out var of) ? of : -1).Take(5);
        Assert.Equal([0, 1, 2, 3, 4], acknowledged);                                    // handshake and three data messages, in order
        Assert.Equal([1, 2, 3, 4, 5], sent.Where(m => m.MessageType == MessageTypes.InputStreamData).Select(m => m.SequenceNumber).Take(5));
    }

    [Fact]
    public async Task Leaving_says_TerminateSession_to_the_agent_and_to_the_service()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink());
        var flag = pair.Agent.ReadAsync(Cancel).AsTask();
        await pair.Client.TerminateAsync().AsTask().Guarded();
        Assert.True(await flag.Guarded());
        Assert.Equal(PayloadType.Flag, pair.Agent.Current.Type);
        Assert.True(ServiceMessages.TryReadFlag(pair.Agent.Current.Payload.Span, out var value));
        Assert.Equal(SessionFlag.TerminateSession, value);
        Assert.Equal(1, pair.Control.Terminated);
        Assert.Equal(SessionEndKind.Local, (await pair.Client.Ended).Kind);
    }

    [Fact]
    public async Task Leaving_does_not_wait_for_an_agent_that_is_gone()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink(), Clock());
        await pair.Agent.DisposeAsync();
        pair.Link.CutAgent();
        var began = pair.FakeTime!.GetUtcNow();
        await pair.DriveAsync(pair.Client.TerminateAsync().AsTask());
        Assert.True(pair.FakeTime.GetUtcNow() - began <= TimeSpan.FromSeconds(3));
        Assert.Equal(1, pair.Control.Terminated);
    }

    [Fact]
    public async Task A_reader_that_stops_reading_stops_the_sender_and_nothing_is_lost_when_it_goes_on()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink());
        var bytes = ChannelPair.Pattern(8_000_000, 4);
        var sending = ChannelPair.SendAsync(pair.Client, bytes, 1024);
        // The other direction flows although this one stands.
        for (byte i = 0; i < 20; i++)
        {
            await Say(pair.Agent, i);
            Assert.Equal([i], await ChannelPair.ReceiveAsync(pair.Client, 1).Guarded());
        }
        Assert.False(sending.IsCompleted);
        Assert.Equal(bytes, await ChannelPair.ReceiveAsync(pair.Agent, bytes.Length).Guarded());
        await sending.Guarded();
    }

    [Fact]
    public async Task A_paused_client_goes_on_by_itself_after_two_seconds()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink(), Clock());
        await pair.DriveAsync(pair.Client.DrainAsync(TimeSpan.FromHours(1), Cancel));
        await SettleAsync(pair, ServiceMessages.PausePublication);
        var sending = Say(pair.Client, 5);
        Assert.False(sending.IsCompleted);
        pair.FakeTime!.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(sending.IsCompleted);
        pair.FakeTime.Advance(TimeSpan.FromSeconds(0.2));
        await sending.Guarded();
    }

    [Fact]
    public async Task Start_publication_ends_a_pause_at_once()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink(), Clock());
        await pair.DriveAsync(pair.Client.DrainAsync(TimeSpan.FromHours(1), Cancel));
        await SettleAsync(pair, ServiceMessages.PausePublication);
        var sending = Say(pair.Client, 5);
        Assert.False(sending.IsCompleted);
        pair.Link.Send(Way.ToClient, ServiceMessages.StartPublication(Guid.NewGuid(), DateTimeOffset.UnixEpoch.AddDays(1)));
        await sending.Guarded();
    }

    /// <summary>Gives the client a service message and waits until it has been read: a payload behind it comes out.</summary>
    private static async Task SettleAsync(ChannelPair pair, Func<Guid, DateTimeOffset, AgentMessage> message)
    {
        pair.Link.Send(Way.ToClient, message(Guid.NewGuid(), DateTimeOffset.UnixEpoch.AddDays(1)));
        await Say(pair.Agent, 1);
        Assert.Equal([1], await ChannelPair.ReceiveAsync(pair.Client, 1).Guarded());
    }

    [Fact]
    public async Task The_client_keeps_to_its_rate()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink(), Clock(), client: o => o with { MessagesPerSecond = 900 });
        var reading = ChannelPair.ReceiveAsync(pair.Agent, 1000);
        var began = pair.FakeTime!.GetUtcNow();
        var sending = ChannelPair.SendAsync(pair.Client, new byte[1000], 1);
        await pair.DriveAsync(Task.WhenAll(sending, reading));
        var took = pair.FakeTime.GetUtcNow() - began;
        Assert.True(took >= TimeSpan.FromSeconds(0.99), $"{took}");       // 900 beyond the burst of 100
    }

    [Fact]
    public async Task An_acknowledgement_that_comes_before_the_write_has_returned_is_not_missed()
    {
        // The official ends list a message only after writing it and repeat it for ever then (protocol §3.5).
        var clock = Clock();
        var copies = 0;
        LinkSocket? socket = null;
        var control = new FakeSessionControl();
        using var link = socket = new LinkSocket((self, bytes, type) =>
        {
            if (type == WebSocketMessageType.Text || !AgentMessage.TryParse(bytes, out var message, out MessageFault _) || message.MessageType != MessageTypes.InputStreamData) return;
            copies++;
            self.Deliver(Acknowledge(message));
            // Let the reader take it while the writer is still in this very call.
            for (var i = 0; i < 1000; i++) Thread.Yield();
        });
        var connecting = DataChannel.ConnectAsync(control.Ticket, control, new ClientChannelOptions { Connect = (_, _) => ValueTask.FromResult<WebSocket>(socket), Time = clock }, Cancel);
        socket.Deliver(Output(0, PayloadType.Output, "shell"u8.ToArray()));
        await using var channel = await connecting.Guarded();
        await Say(channel, 1);
        Assert.True(await channel.DrainAsync(ChannelPair.Guard, Cancel).Guarded());
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, copies);
    }

    private static byte[] Acknowledge(AgentMessage message)
    {
        var payload = new byte[Acknowledgement.MaxSize];
        var length = Acknowledgement.Write(payload, message.MessageType, message.MessageId, message.SequenceNumber);
        return new AgentMessage(MessageTypes.Acknowledge, 0, MessageFlags.SynFin, Guid.NewGuid(), PayloadType.None, payload.AsMemory(0, length)) { CreatedDate = 1 }.ToArray();
    }

    private static byte[] Output(long sequence, PayloadType type, byte[] payload, string messageType = MessageTypes.OutputStreamData) =>
        new AgentMessage(messageType, sequence, MessageFlags.None, Guid.NewGuid(), type, payload) { CreatedDate = 1 }.ToArray();

    [Fact]
    public async Task A_session_without_a_handshake_is_a_shell_and_its_first_bytes_are_not_lost()
    {
        var control = new FakeSessionControl();
        using var socket = new LinkSocket((_, _, _) => { });
        var connecting = DataChannel.ConnectAsync(control.Ticket, control, new ClientChannelOptions { Connect = (_, _) => ValueTask.FromResult<WebSocket>(socket) }, Cancel);
        socket.Deliver(Output(0, PayloadType.Output, "sh-5.2$ "u8.ToArray()));
        await using var channel = await connecting.Guarded();
        Assert.Equal("Standard_Stream", channel.Handshake.SessionType);
        Assert.Equal("sh-5.2$ "u8.ToArray(), await ChannelPair.ReceiveAsync(channel, 8).Guarded());
    }

    [Fact]
    public async Task An_unmet_demand_is_answered_with_status_3()
    {
        var control = new FakeSessionControl();
        AgentMessage? response = null;
        using var socket = new LinkSocket((_, bytes, type) =>
        {
            if (type == WebSocketMessageType.Binary && AgentMessage.TryParse(bytes, out var message, out MessageFault _) && message.PayloadType == PayloadType.HandshakeResponse) response = message;
        });
        var connecting = DataChannel.ConnectAsync(control.Ticket, control, new ClientChannelOptions { Connect = (_, _) => ValueTask.FromResult<WebSocket>(socket) }, Cancel);
        socket.Deliver(Vectors.Message("agent_handshake_request_unknown_action").Bytes! is { } bytes ? Renumbered(bytes, 0) : []);
        socket.Deliver(Renumbered(Vectors.Message("agent_handshake_complete").Bytes!, 1));
        await using var channel = await connecting.Guarded();
        var action = Assert.Single(MessageJson.TryRead(response!.Value.Payload.Span, MessageJson.Relaxed.HandshakeResponse)!.ProcessedClientActions!);
        Assert.Equal(ActionStatus.Unsupported, action.ActionStatus);
    }

    private static byte[] Renumbered(byte[] frame, long sequence)
    {
        Assert.True(AgentMessage.TryParse(frame, out var message, out _));
        return (message with { SequenceNumber = sequence }).ToArray();
    }

    [Fact]
    public async Task The_agent_acknowledges_and_discards_data_that_comes_before_the_handshake_is_complete()
    {
        var acknowledged = new List<long>();
        using var socket = new LinkSocket((_, bytes, _) =>
        {
            if (AgentMessage.TryParse(bytes, out var message, out MessageFault _) && message.MessageType == MessageTypes.Acknowledge && Acknowledgement.TryRead(message.Payload.Span, out var of))
                lock (acknowledged) acknowledged.Add(of);
        });
        var serving = DataChannel.ServeAsync(new AgentChannelOptions { SessionId = "s", InstanceId = "i", Connect = _ => ValueTask.FromResult<WebSocket>(socket) }, Cancel);
        var response = JsonSerializer.SerializeToUtf8Bytes(new HandshakeResponse("1.2.764.0", [new(ActionTypes.SessionType, ActionStatus.Success, null, "")], null), MessageJson.Relaxed.HandshakeResponse);
        socket.Deliver(Output(0, PayloadType.Output, "early"u8.ToArray(), MessageTypes.InputStreamData));
        socket.Deliver(Output(1, PayloadType.HandshakeResponse, response, MessageTypes.InputStreamData));
        await using var agent = await serving.Guarded();
        socket.Deliver(Output(2, PayloadType.Output, "late"u8.ToArray(), MessageTypes.InputStreamData));
        Assert.Equal("late"u8.ToArray(), await ChannelPair.ReceiveAsync(agent, 4).Guarded());
        lock (acknowledged) Assert.Equal([0, 1, 2], acknowledged);
    }

    [Fact]
    public async Task An_unanswered_HandshakeRequest_is_repeated_byte_for_byte_and_given_up_after_fifteen_seconds()
    {
        var clock = Clock();
        var requests = new List<string>();
        using var socket = new LinkSocket((_, bytes, _) =>
        {
            if (AgentMessage.TryParse(bytes, out var message, out MessageFault _) && message.PayloadType == PayloadType.HandshakeRequest)
                lock (requests) requests.Add(Convert.ToHexString(bytes));
        });
        var serving = DataChannel.ServeAsync(new AgentChannelOptions { SessionId = "s", InstanceId = "i", Connect = _ => ValueTask.FromResult<WebSocket>(socket), Time = clock }, Cancel);
        for (var i = 0; i < 160; i++)
        {
            await Task.Yield();
            clock.Advance(TimeSpan.FromMilliseconds(100));
        }
        var thrown = await Assert.ThrowsAsync<SessionEndedException>(() => serving.Guarded());
        Assert.Contains("Handshake timed out.", thrown.End.Output);
        Assert.InRange(requests.Count, 20, 82);      // every 0.2 s at most
        Assert.Single(requests.Distinct());
    }

    [Fact]
    public async Task A_silent_agent_is_given_up_and_the_session_terminated()
    {
        var clock = Clock();
        var control = new FakeSessionControl();
        using var socket = new LinkSocket((_, _, _) => { });
        var connecting = DataChannel.ConnectAsync(control.Ticket, control, new ClientChannelOptions { Connect = (_, _) => ValueTask.FromResult<WebSocket>(socket), Time = clock }, Cancel);
        clock.Advance(TimeSpan.FromSeconds(21));
        await Assert.ThrowsAsync<TimeoutException>(() => connecting.Guarded());
        Assert.Equal(1, control.Terminated);
    }

    [Fact]
    public async Task A_first_connection_that_is_not_reached_is_tried_again_with_the_same_token_and_no_ResumeSession()
    {
        var clock = Clock();
        using var link = new FaultyLink();
        var control = new FakeSessionControl();
        var attempts = 0;
        var connecting = DataChannel.ConnectAsync(control.Ticket, control, new ClientChannelOptions
        {
            Connect = (ticket, token) => ++attempts < 4 ? throw new WebSocketException("refused") : link.ConnectClientAsync(token),
            Time = clock,
        }, Cancel);
        await using var agent = await StartAgentAsync(link, clock, connecting);
        await using var client = await connecting;
        Assert.Equal(4, attempts);
        Assert.Equal(0, control.Resumed);
        Assert.Contains("token+0/==", Assert.Single(link.Greetings));
    }

    private static async Task<DataChannel> StartAgentAsync(FaultyLink link, FakeTimeProvider clock, Task<DataChannel> connecting)
    {
        var serving = DataChannel.ServeAsync(new AgentChannelOptions { SessionId = "s", InstanceId = "i", Connect = link.ConnectAgentAsync, HandshakeTimeout = TimeSpan.FromHours(1), Time = clock }, Cancel);
        await ChannelPair.DriveAsync(clock, link, Task.WhenAll(serving, connecting));
        return await serving;
    }

    [Fact]
    public async Task A_refused_handshake_is_not_tried_again()
    {
        var control = new FakeSessionControl();
        var attempts = 0;
        var thrown = await Assert.ThrowsAsync<SessionEndedException>(() => DataChannel.ConnectAsync(control.Ticket, control, new ClientChannelOptions
        {
            Connect = (_, _) =>
            {
                attempts++;
                throw new WebSocketException("refused") { Data = { ["HttpStatus"] = 403 } };
            },
        }, Cancel).Guarded());
        Assert.Equal(1, attempts);
        Assert.Contains("HTTP 403", thrown.Message);
        Assert.Equal(1, control.Terminated);
    }

    [Fact]
    public async Task Garbage_is_dropped_and_the_session_goes_on()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink());
        foreach (var way in (Way[])[Way.ToClient, Way.ToAgent])
            foreach (var vector in Vectors.Messages.Where(v => !v.IsSmux && v.Name.StartsWith("odd_", StringComparison.Ordinal) && v.Bytes is not null))
                if (way == Way.ToClient ? vector.HeaderAcceptedBy("plugin") == false : vector.HeaderAcceptedBy("agent") == false)
                    pair.Link.Send(way, vector.Bytes!);
        pair.Link.Send(Way.ToClient, ServiceMessages.Unsequenced("something_new", "{}"u8.ToArray(), Guid.NewGuid(), DateTimeOffset.UnixEpoch.AddDays(1)));
        await Say(pair.Client, 1);
        await Say(pair.Agent, 2);
        Assert.Equal([1], await ChannelPair.ReceiveAsync(pair.Agent, 1).Guarded());
        Assert.Equal([2], await ChannelPair.ReceiveAsync(pair.Client, 1).Guarded());
    }

    [Fact]
    public async Task What_arrived_before_channel_closed_can_still_be_read()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink());
        await ChannelPair.SendAsync(pair.Agent, ChannelPair.Pattern(5000, 6), 500);
        Assert.True(await pair.Agent.DrainAsync(ChannelPair.Guard, Cancel));
        pair.Link.Send(Way.ToClient, ServiceMessages.ChannelClosed(pair.Client.SessionId, "", "bye now", Guid.NewGuid(), DateTimeOffset.UnixEpoch.AddDays(1)));
        Assert.Equal(new SessionEnd(SessionEndKind.Closed, "bye now"), await pair.Client.Ended.Guarded());
        Assert.Equal(ChannelPair.Pattern(5000, 6), await ChannelPair.ReceiveAsync(pair.Client, 5001).Guarded());
        Assert.False(await pair.Client.ReadAsync(Cancel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task With_a_key_every_payload_is_sealed_on_the_wire_and_arrives(bool faults)
    {
        var keys = new RecordedKeys(ChannelPair.Pattern(64, 8), "blob"u8.ToArray());
        var clear = "top secret, top secret, top secret"u8.ToArray();
        var seen = false;
        using var link = faults ? FaultyLink.Random(3, sparing: 0) : new FaultyLink();
        link.Watch = (_, bytes) => seen |= bytes.AsSpan().IndexOf("top secret"u8) >= 0;
        await using var pair = await ChannelPair.OpenAsync(link, Clock(), client: o => o with { Keys = keys, Target = "i-0123456789abcdef0" },
            agent: o => o with { Keys = keys, KmsKeyId = "arn:aws:kms:us-east-1:123456789012:key/1", SessionType = "Standard_Stream" });
        await ChannelPair.SendAsync(pair.Client, clear, 10);
        await ChannelPair.SendAsync(pair.Agent, clear, 7);
        var both = Task.WhenAll(ChannelPair.ReceiveAsync(pair.Agent, clear.Length), ChannelPair.ReceiveAsync(pair.Client, clear.Length));
        await pair.DriveAsync(both);
        Assert.All(await both, received => Assert.Equal(clear, received));
        Assert.False(seen);
        Assert.Equal(keys.Contexts[0], keys.Contexts[1]);
    }
}
