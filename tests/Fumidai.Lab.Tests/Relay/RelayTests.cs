using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json;
using Fumidai.SessionManager;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class RelayTests
{
    [Fact]
    public async Task Frames_pass_byte_for_byte_and_in_order_both_ways_and_nothing_is_acknowledged()
    {
        await using var lab = await RelayFixture.StartAsync();
        var session = lab.Session();
        using var agent = await lab.AgentAsync(session);
        Assert.Equal("pause_publication", (await agent.MessageAsync()).MessageType);
        using var client = await lab.ClientAsync(session);
        Assert.Equal("start_publication", (await agent.MessageAsync()).MessageType);

        var random = new Random(8151);
        var up = Enumerable.Range(0, 300).Select(i => Message(MessageTypes.InputStreamData, i, Bytes(random, i % 40 == 7 ? 100_000 : random.Next(1, 3000)))).ToList();
        var down = Enumerable.Range(0, 300).Select(i => i % 3 == 0 ? Message(MessageTypes.Acknowledge, 0, Bytes(random, 176)) : Message(MessageTypes.OutputStreamData, i, Bytes(random, random.Next(1, 1024)))).ToList();
        var sending = Task.WhenAll(SendAllAsync(client, up), SendAllAsync(agent, down));
        var received = await Task.WhenAll(ReceiveAllAsync(agent, up.Count), ReceiveAllAsync(client, down.Count));
        await sending;
        Assert.Equal(up.Select(Convert.ToHexString), received[0].Select(Convert.ToHexString));
        Assert.Equal(down.Select(Convert.ToHexString), received[1].Select(Convert.ToHexString));
    }

    [Fact]
    public async Task A_fragmented_message_arrives_whole_and_what_is_not_for_the_peer_is_kept()
    {
        await using var lab = await RelayFixture.StartAsync();
        var session = lab.Session();
        using var client = await lab.ClientAsync(session);
        await RelayFixture.UntilAsync(() => session.HasClient);
        using var agent = await lab.AgentAsync(session);
        await RelayFixture.UntilAsync(() => session.HasAgent);

        await agent.SendAsync(Message(MessageTypes.AgentSessionState, 0, "{\"SchemaVersion\":1,\"SessionState\":\"Connected\"}"u8.ToArray()));
        await agent.SendAsync(Message("agent_job", 0, [1, 2, 3]));
        await agent.SendAsync([1, 2, 3]);
        var message = Message(MessageTypes.OutputStreamData, 0, RandomNumberGenerator.GetBytes(5000));
        await agent.Socket.SendAsync(message.AsMemory(0, 100), WebSocketMessageType.Binary, false, ServerFixture.Limit);
        await agent.Socket.SendAsync(message.AsMemory(100, 3000), WebSocketMessageType.Binary, false, ServerFixture.Limit);
        await agent.Socket.SendAsync(message.AsMemory(3100), WebSocketMessageType.Binary, true, ServerFixture.Limit);
        Assert.Equal(message, await client.ReceiveAsync());
    }

    [Fact]
    public async Task An_unsigned_or_wrongly_signed_upgrade_is_refused_and_the_former_accepted_on_request()
    {
        await using (var lab = await RelayFixture.StartAsync())
        {
            var session = lab.Session();
            var url = lab.Plane.Sessions.StreamUrl(session);
            var token = lab.Plane.Sessions.Issue(session, RelayRole.Client);
            Assert.Equal(403, (await Assert.ThrowsAsync<RefusedUpgradeException>(() => lab.ConnectAsync(url, token, sign: false))).Status);
            lab.Context.Time.Skew = TimeSpan.FromHours(1);
            var early = lab.Context.Time.GetUtcNow();
            lab.Context.Time.Skew = TimeSpan.Zero;
            using var late = new ClientWebSocket();
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url.Replace("wss://", "http://", StringComparison.Ordinal)));
            SigV4.Sign(request, [], lab.Keys, "ssmmessages", LabRegions.Main, early);
            foreach (var (name, values) in request.Headers)
                late.Options.SetRequestHeader(name, string.Join(',', values));
            late.Options.CollectHttpResponseDetails = true;
            await Assert.ThrowsAsync<WebSocketException>(() => late.ConnectAsync(new Uri(url.Replace("wss://", "ws://", StringComparison.Ordinal)), ServerFixture.Limit));
            Assert.Equal(403, (int)late.HttpStatusCode);
            using var signed = await lab.ConnectAsync(url, token);
            await RelayFixture.UntilAsync(() => session.HasClient);
        }
        await using (var lab = await RelayFixture.StartAsync(acceptUnsigned: true))
        {
            var session = lab.Session();
            using var client = await lab.ConnectAsync(lab.Plane.Sessions.StreamUrl(session), lab.Plane.Sessions.Issue(session, RelayRole.Client), sign: false);
            await RelayFixture.UntilAsync(() => session.HasClient);
        }
    }

    [Fact]
    public async Task Stream_urls_are_wss_under_the_labs_ca_and_their_raw_characters_survive()
    {
        await using var lab = await RelayFixture.StartAsync();
        var session = lab.Session();
        var url = lab.Plane.Sessions.StreamUrl(session);
        Assert.StartsWith("wss://127.0.0.1:", url, StringComparison.Ordinal);
        Assert.Matches("cell-number=[A-Za-z0-9+/]*[+][A-Za-z0-9+/]*=", url);
        var control = new SignedControl(lab);
        using var socket = await BatchedWebSocket.ConnectAsync(url, await control.SignAsync(url, ServerFixture.Limit), new SocketSettings { Roots = [lab.Context.Authority.Certificate] }, TimeProvider.System, ServerFixture.Limit);
        await socket.SendAsync(System.Text.Encoding.UTF8.GetBytes($"{{\"TokenValue\":\"{lab.Plane.Sessions.Issue(session, RelayRole.Client)}\"}}").AsMemory(), WebSocketMessageType.Text, true, ServerFixture.Limit);
        await socket.PushAsync(ServerFixture.Limit);
        await RelayFixture.UntilAsync(() => session.HasClient);
    }

    [Fact]
    public async Task A_client_that_was_away_resumes_with_a_new_token_and_url_and_the_agent_was_paused_meanwhile()
    {
        await using var lab = await RelayFixture.StartAsync();
        var session = lab.Session();
        var oldUrl = lab.Plane.Sessions.StreamUrl(session);
        var client = await lab.ConnectAsync(oldUrl, lab.Plane.Sessions.Issue(session, RelayRole.Client));
        await RelayFixture.UntilAsync(() => session.HasClient);
        using var agent = await lab.AgentAsync(session);
        await RelayFixture.UntilAsync(() => session.HasAgent);
        client.Socket.Abort();
        client.Dispose();
        Assert.Equal("pause_publication", (await agent.MessageAsync()).MessageType);
        await agent.SendAsync(Message(MessageTypes.OutputStreamData, 0, "lost"u8.ToArray()));

        var token = lab.Plane.Sessions.Issue(session, RelayRole.Client);
        var newUrl = lab.Plane.Sessions.StreamUrl(session);
        Assert.NotEqual(oldUrl, newUrl);
        using (var stale = await lab.ConnectAsync(oldUrl, token))
        {
            Assert.Null(await stale.ReceiveAsync());
            Assert.Equal(WebSocketCloseStatus.PolicyViolation, stale.Socket.CloseStatus);
        }
        using var back = await lab.ConnectAsync(newUrl, lab.Plane.Sessions.Issue(session, RelayRole.Client));
        Assert.Equal("start_publication", (await agent.MessageAsync()).MessageType);
        var again = Message(MessageTypes.OutputStreamData, 0, "sent again"u8.ToArray());
        await agent.SendAsync(again);
        Assert.Equal(again, await back.ReceiveAsync());

        back.Socket.Abort();
        Assert.Equal("pause_publication", (await agent.MessageAsync()).MessageType);
        using var old = await lab.ConnectAsync(oldUrl, lab.Plane.Sessions.Issue(session, RelayRole.Client), "1.2.677.0");
        Assert.Equal("start_publication", (await agent.MessageAsync()).MessageType);
        agent.Socket.Abort();
        Assert.Equal("pause_publication", (await old.MessageAsync()).MessageType);
    }

    [Fact]
    public async Task A_token_opens_one_connection_of_its_own_session_within_its_life()
    {
        await using var lab = await RelayFixture.StartAsync();
        var session = lab.Session();
        var url = lab.Plane.Sessions.StreamUrl(session);
        var token = lab.Plane.Sessions.Issue(session, RelayRole.Client);
        using var first = await lab.ConnectAsync(url, token);
        await RelayFixture.UntilAsync(() => session.HasClient);
        foreach (var bad in (string[])[token, "made up", lab.Plane.Sessions.Issue(lab.Session(), RelayRole.Client)])
        {
            using var second = await lab.ConnectAsync(url, bad);
            Assert.Null(await second.ReceiveAsync());
            Assert.Equal(WebSocketCloseStatus.PolicyViolation, second.Socket.CloseStatus);
        }
        var late = lab.Plane.Sessions.Issue(session, RelayRole.Client);
        lab.Context.Time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
        using var third = await lab.ConnectAsync(url, late);
        Assert.Null(await third.ReceiveAsync());
    }

    [Fact]
    public async Task The_end_reaches_both_sides_as_channel_closed_with_a_header_of_112_bytes()
    {
        await using var lab = await RelayFixture.StartAsync();
        var session = lab.Session();
        using var client = await lab.ClientAsync(session);
        await RelayFixture.UntilAsync(() => session.HasClient);
        using var agent = await lab.AgentAsync(session);
        await RelayFixture.UntilAsync(() => session.HasAgent);
        session.End("why it ended");
        foreach (var end in (RawEnd[])[client, agent])
        {
            var bytes = (await end.ReceiveAsync())!;
            Assert.Equal(112u, BinaryPrimitives.ReadUInt32BigEndian(bytes));
            Assert.True(AgentMessage.TryParse(bytes, out var closed, out _));
            Assert.Equal("channel_closed", closed.MessageType);
            using var payload = JsonDocument.Parse(closed.Payload);
            Assert.Equal("why it ended", payload.RootElement.GetProperty("Output").GetString());
            Assert.Equal(session.Order.Id, payload.RootElement.GetProperty("SessionId").GetString());
        }
        Assert.Equal(404, (await Assert.ThrowsAsync<RefusedUpgradeException>(() => lab.ClientAsync(session))).Status);
    }

    [Fact]
    public async Task An_idle_session_ends_after_twenty_minutes_of_the_labs_clock_and_data_counts()
    {
        await using var lab = await RelayFixture.StartAsync();
        var session = lab.Session();
        using var client = await lab.ClientAsync(session);
        await RelayFixture.UntilAsync(() => session.HasClient);
        using var agent = await lab.AgentAsync(session);
        await RelayFixture.UntilAsync(() => session.HasAgent);
        lab.Context.Time.Advance(TimeSpan.FromMinutes(19));
        var data = Message(MessageTypes.InputStreamData, 0, "x"u8.ToArray());
        await client.SendAsync(data);
        Assert.Equal(data, await agent.ReceiveAsync());
        lab.Context.Time.Advance(TimeSpan.FromMinutes(19));
        Assert.False(session.IsOver);
        await client.SendAsync(Message(MessageTypes.Acknowledge, 0, "{}  "u8.ToArray()));
        Assert.Equal("acknowledge", (await agent.MessageAsync()).MessageType);
        lab.Context.Time.Advance(TimeSpan.FromMinutes(1) + TimeSpan.FromSeconds(1));
        Assert.Equal("channel_closed", (await client.MessageAsync()).MessageType);
        await session.Ended.WaitAsync(ServerFixture.Limit);
    }

    [Fact]
    public async Task A_websocket_is_closed_with_bye_after_its_life_and_the_session_goes_on()
    {
        await using var lab = await RelayFixture.StartAsync(options: new RelayOptions { SocketLife = TimeSpan.FromMinutes(10) });
        var session = lab.Session();
        using var client = await lab.ClientAsync(session);
        await RelayFixture.UntilAsync(() => session.HasClient);
        lab.Context.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(await client.ReceiveAsync());
        Assert.Equal((WebSocketCloseStatus.NormalClosure, "Bye"), (client.Socket.CloseStatus!.Value, client.Socket.CloseStatusDescription));
        await client.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", ServerFixture.Limit);
        await RelayFixture.UntilAsync(() => !session.HasClient);
        Assert.False(session.IsOver);
        using var back = await lab.ClientAsync(session);
        await RelayFixture.UntilAsync(() => session.HasClient);
    }

    [Fact]
    public async Task After_flag_2_the_going_of_an_agent_without_control_channel_ends_the_session()
    {
        await using var lab = await RelayFixture.StartAsync();
        var session = lab.Session();
        using var client = await lab.ClientAsync(session);
        await RelayFixture.UntilAsync(() => session.HasClient);
        using var agent = await lab.AgentAsync(session);
        await RelayFixture.UntilAsync(() => session.HasAgent);
        await client.SendAsync(new AgentMessage(MessageTypes.InputStreamData, 0, MessageFlags.None, Guid.NewGuid(), PayloadType.Flag, new byte[] { 0, 0, 0, 2 }) { CreatedDate = 1 }.ToArray());
        Assert.Equal(PayloadType.Flag, (await agent.MessageAsync()).PayloadType);
        agent.Socket.Abort();
        Assert.Equal("channel_closed", (await client.MessageAsync()).MessageType);
    }

    [Fact]
    public async Task A_foreign_agent_with_a_control_channel_gets_the_session_and_its_last_words_reach_the_client()
    {
        await using var lab = await RelayFixture.StartAsync();
        const string instance = "i-0fedcba9876543210";
        var (status, body) = await lab.PostAsync("/v1/control-channel/" + instance);
        Assert.Equal(201, status);
        var token = System.Xml.Linq.XDocument.Parse(body).Root!.Element("TokenValue")!.Value;
        using var control = await lab.ConnectAsync($"{lab.Context.StreamAddress}/v1/control-channel/{instance}?role=subscribe&stream=input", token);
        var asked = new SignedControl(lab);
        while ((await asked.CallAsync("GetConnectionStatus", $"{{\"Target\":\"{instance}\"}}")).Answer.GetProperty("Status").GetString() != "connected")
            ServerFixture.Limit.ThrowIfCancellationRequested();
        var started = await StartAsync(lab, instance);

        var order = await control.MessageAsync();
        Assert.Equal("interactive_shell", order.MessageType);
        using var outer = JsonDocument.Parse(order.Payload);
        Assert.Equal(started, outer.RootElement.GetProperty("TaskId").GetString());
        using var content = JsonDocument.Parse(outer.RootElement.GetProperty("Content").GetString()!);
        Assert.Equal("AWS-StartPortForwardingSessionToRemoteHost", content.RootElement.GetProperty("DocumentName").GetString());
        Assert.Equal("Port", content.RootElement.GetProperty("DocumentContent").GetProperty("sessionType").GetString());
        Assert.Equal("5432", content.RootElement.GetProperty("Parameters").GetProperty("portNumber").GetString());

        var session = lab.Plane.Sessions.Find(started)!;
        using var client = await lab.ClientAsync(session);
        await RelayFixture.UntilAsync(() => session.HasClient);
        await control.SendAsync(ServiceMessages.Unsequenced(MessageTypes.AgentTaskComplete, System.Text.Encoding.UTF8.GetBytes($$"""{"SchemaVersion":1,"TaskId":"{{started}}","Topic":"agent_task_complete","FinalTaskStatus":"Failed","Output":"its last words"}"""), Guid.NewGuid(), TimeProvider.System.GetUtcNow()).ToArray());
        Assert.Equal("agent_task_acknowledge", (await control.MessageAsync()).MessageType);
        Assert.Equal("its last words", ServiceMessages.ReadChannelClosedOutput((await client.MessageAsync()).Payload.Span));
    }

    private static async Task<string> StartAsync(RelayFixture lab, string target)
    {
        var body = System.Text.Encoding.UTF8.GetBytes($$$"""{"Target":"{{{target}}}","DocumentName":"AWS-StartPortForwardingSessionToRemoteHost","Parameters":{"host":["db.example.internal"],"portNumber":["5432"]}}""");
        using var request = new HttpRequestMessage(HttpMethod.Post, lab.Context.ApiAddress) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/x-amz-json-1.1");
        request.Headers.Add("X-Amz-Target", "AmazonSSM.StartSession");
        SigV4.Sign(request, body, lab.Keys, "ssm", LabRegions.Main, lab.Context.Time.GetUtcNow());
        using var http = new HttpClient();
        using var answer = await http.SendAsync(request, ServerFixture.Limit);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(ServerFixture.Limit));
        Assert.True(answer.IsSuccessStatusCode, json.RootElement.ToString());
        var id = json.RootElement.GetProperty("SessionId").GetString()!;
        Assert.Matches("^alice-[0-9a-z]{26}$", id);
        return id;
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Message(string type, long sequence, byte[] payload) =>
        new AgentMessage(type, sequence, MessageFlags.None, Guid.NewGuid(), PayloadType.Output, payload) { CreatedDate = 1_700_000_000_123 }.ToArray();

    private static async Task SendAllAsync(RawEnd end, List<byte[]> messages)
    {
        foreach (var message in messages)
            await end.SendAsync(message);
    }

    private static async Task<List<byte[]>> ReceiveAllAsync(RawEnd end, int count)
    {
        var all = new List<byte[]>();
        while (all.Count < count && await end.ReceiveAsync() is { } message)
            all.Add(message);
        return all;
    }
}
