using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using Fumidai.SessionManager;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>A lab with its gateway, and raw websocket ends that share no code with the product.</summary>
internal sealed class RelayFixture : IAsyncDisposable
{
    private static readonly HttpClient s_http = new();
    private readonly LabHost _host;

    private RelayFixture(LabHost host, DataPlane plane)
    {
        _host = host;
        Plane = plane;
    }

    public LabContext Context => _host.Context;
    public LabHost Host => _host;
    public DataPlane Plane { get; }

    public static async Task<RelayFixture> StartAsync(bool empty = true, bool acceptUnsigned = false, RelayOptions? options = null)
    {
        DataPlane? plane = null;
        var host = await LabHost.StartAsync(new LabOptions { Empty = empty, AcceptUnsignedChannel = acceptUnsigned }, [context => plane = new DataPlane(context, options ?? new RelayOptions())], ServerFixture.Limit);
        return new(host, plane!);
    }

    public SigningKeys Keys
    {
        get
        {
            var environment = _host.Environment.ToDictionary();
            return new(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], null);
        }
    }

    /// <summary>A session of nobody's agent: both its ends are the test's.</summary>
    public RelaySession Session(string target = "i-0123456789abcdef0", string document = "AWS-StartPortForwardingSession")
    {
        var caller = Context.Identities.Find(Keys.AccessKeyId)!.Caller;
        return Plane.Sessions.Create(caller, LabRegions.Main, target, SessionDocuments.Fill(document, new Dictionary<string, IReadOnlyList<string>>()), null);
    }

    /// <summary>What the agent's POST answers.</summary>
    public async Task<(int Status, string Body)> PostAsync(string path, SigningKeys? keys = null)
    {
        var body = "{\"MessageSchemaVersion\":\"1.0\",\"RequestId\":\"4d1c0f0e-3f0b-4a0e-9d53-0d1c5f3f2a11\"}"u8.ToArray();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Context.ApiAddress, path)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        SigV4.Sign(request, body, keys ?? Keys, "ssmmessages", LabRegions.Main, Context.Time.GetUtcNow());
        using var answer = await s_http.SendAsync(request, ServerFixture.Limit);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(ServerFixture.Limit));
    }

    /// <summary>Upgrades and sends a first text message.</summary>
    public async Task<RawEnd> ConnectAsync(string url, string token, string clientVersion = "1.2.835.0", bool sign = true)
    {
        var socket = new ClientWebSocket();
        var plain = url.Replace("wss://", "ws://", StringComparison.Ordinal);
        if (sign)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(plain.Replace("ws://", "http://", StringComparison.Ordinal)));
            SigV4.Sign(request, [], Keys, "ssmmessages", LabRegions.Main, Context.Time.GetUtcNow());
            foreach (var (name, values) in request.Headers)
                socket.Options.SetRequestHeader(name, string.Join(',', values));
        }
        socket.Options.CollectHttpResponseDetails = true;
        try
        {
            await socket.ConnectAsync(new Uri(plain), ServerFixture.Limit);
        }
        catch (WebSocketException error)
        {
            throw new RefusedUpgradeException((int)socket.HttpStatusCode, error);
        }
        var first = $$"""{"MessageSchemaVersion":"1.0","RequestId":"4d1c0f0e-3f0b-4a0e-9d53-0d1c5f3f2a11","TokenValue":"{{token}}","ClientId":"c0ffee00-1111-4222-8333-444455556666","ClientVersion":"{{clientVersion}}"}""";
        await socket.SendAsync(Encoding.UTF8.GetBytes(first), WebSocketMessageType.Text, true, ServerFixture.Limit);
        return new RawEnd(socket);
    }

    public Task<RawEnd> ClientAsync(RelaySession session) => ConnectAsync(Plane.Sessions.StreamUrl(session), Plane.Sessions.Issue(session, RelayRole.Client));

    public async Task<RawEnd> AgentAsync(RelaySession session)
    {
        var (status, body) = await PostAsync("/v1/data-channel/" + session.Order.Id);
        Assert.Equal(201, status);
        return await ConnectAsync($"{Context.StreamAddress}/v1/data-channel/{session.Order.Id}?role=publish_subscribe", System.Xml.Linq.XDocument.Parse(body).Root!.Element("TokenValue")!.Value);
    }

    /// <summary>The first text message of an end has been taken when the service lists it.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            ServerFixture.Limit.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}

internal sealed class RefusedUpgradeException(int status, Exception inner) : Exception($"HTTP {status}", inner)
{
    public int Status => status;
}

/// <summary>A raw end.</summary>
internal sealed class RawEnd(ClientWebSocket socket) : IDisposable
{
    public ClientWebSocket Socket => socket;

    public Task SendAsync(byte[] message) => socket.SendAsync(message, WebSocketMessageType.Binary, true, ServerFixture.Limit);

    /// <summary>The next whole binary message; null: closed.</summary>
    public async Task<byte[]?> ReceiveAsync()
    {
        var all = new MemoryStream();
        var buffer = new byte[70_000];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), ServerFixture.Limit);
            if (received.MessageType == WebSocketMessageType.Close)
                return null;
            all.Write(buffer, 0, received.Count);
            if (received.EndOfMessage)
                return all.ToArray();
        }
    }

    /// <summary>The next message, parsed.</summary>
    public async Task<AgentMessage> MessageAsync()
    {
        var bytes = await ReceiveAsync() ?? throw new InvalidOperationException($"closed: {socket.CloseStatus} {socket.CloseStatusDescription}");
        Assert.True(AgentMessage.TryParse(bytes, out var message, out var fault), fault.ToString());
        return message;
    }

    public void Dispose() => socket.Dispose();
}
