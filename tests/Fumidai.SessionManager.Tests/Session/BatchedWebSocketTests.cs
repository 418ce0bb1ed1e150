using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Fumidai.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>Against a listener that shows the bytes as they come.</summary>
public sealed class BatchedWebSocketTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Accepts one connection, answers the websocket handshake, and hands over the request's text and the stream.</summary>
    private static async Task<(string Request, NetworkStream Stream)> AcceptAsync(TcpListener listener, string status = "101 Switching Protocols")
    {
        var stream = (await listener.AcceptTcpClientAsync(Cancel)).GetStream();
        var request = new StringBuilder();
        var one = new byte[1];
        while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one, Cancel);
            request.Append((char)one[0]);
        }
        var text = request.ToString();
        var key = text.Split("\r\n").Single(l => l.StartsWith("Sec-WebSocket-Key:", StringComparison.OrdinalIgnoreCase)).Split(": ")[1];
#pragma warning disable CA5350 // RFC 6455 wants SHA-1 here
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\nContent-Length: 0\r\n\r\n"), Cancel);
        return (text, stream);
    }

    private static TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    [Fact]
    public async Task The_stream_url_reaches_the_wire_byte_for_byte_and_with_its_signature()
    {
        using var listener = Listen();
        const string Target = "/v1/data-channel/al@ex.com+dev-0a1b2c3d?role=publish_subscribe&cell-number=A+b/c%2F==&x=~%7e";
        var accepting = AcceptAsync(listener);
        using var socket = await BatchedWebSocket.ConnectAsync($"ws://{listener.LocalEndpoint}{Target}",
            [new("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/x, SignedHeaders=host;x-amz-date, Signature=ff"), new("X-Amz-Date", "20231114T221320Z")],
            new SocketSettings(), TimeProvider.System, Cancel).Guarded();
        var (request, stream) = await accepting.Guarded();
        await using var _ = stream;
        var lines = request.Split("\r\n");
        Assert.Equal($"GET {Target} HTTP/1.1", lines[0]);
        Assert.Contains("Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/x, SignedHeaders=host;x-amz-date, Signature=ff", lines);
        Assert.Contains("X-Amz-Date: 20231114T221320Z", lines);
        Assert.Contains($"Host: {listener.LocalEndpoint}", lines);
        Assert.DoesNotContain(lines, l => l.StartsWith("Origin", StringComparison.OrdinalIgnoreCase) || l.StartsWith("Sec-WebSocket-Protocol", StringComparison.OrdinalIgnoreCase)
            || l.StartsWith("Sec-WebSocket-Extensions", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_refused_handshake_tells_the_status()
    {
        using var listener = Listen();
        var accepting = AcceptAsync(listener, "403 Forbidden");
        var thrown = await Assert.ThrowsAsync<WebSocketException>(() =>
            BatchedWebSocket.ConnectAsync($"ws://{listener.LocalEndpoint}/", [], new SocketSettings(), TimeProvider.System, Cancel).Guarded());
        Assert.Equal(403, thrown.Data["HttpStatus"]);
        await using var stream = (await accepting.Guarded()).Stream;
    }

    [Fact]
    public async Task A_silent_server_is_given_up_after_the_connect_timeout_of_the_clock()
    {
        using var listener = Listen();
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var connecting = BatchedWebSocket.ConnectAsync($"ws://{listener.LocalEndpoint}/", [], new SocketSettings(), time, Cancel);
        using var silent = await listener.AcceptTcpClientAsync(Cancel);
        time.Advance(TimeSpan.FromSeconds(16));
        await Assert.ThrowsAsync<TimeoutException>(() => connecting.Guarded());
    }

    [Fact]
    public async Task Frames_pile_up_until_pushed_and_arrive_whole()
    {
        using var listener = Listen();
        var accepting = AcceptAsync(listener);
        using var client = await BatchedWebSocket.ConnectAsync($"ws://{listener.LocalEndpoint}/", [], new SocketSettings(), TimeProvider.System, Cancel).Guarded();
        using var server = BatchedWebSocket.OverStream((await accepting.Guarded()).Stream, isServer: true, new SocketSettings());
        var buffer = new byte[4096];
        for (byte i = 0; i < 100; i++) await client.SendAsync(new byte[] { i, i }, WebSocketMessageType.Binary, true, Cancel);
        var receiving = server.ReceiveAsync(buffer.AsMemory(), Cancel).AsTask();
        Assert.False(receiving.IsCompleted);       // nothing left the pile
        await client.PushAsync(Cancel);
        Assert.Equal(2, (await receiving.Guarded()).Count);
        for (byte i = 1; i < 100; i++)
        {
            var result = await server.ReceiveAsync(buffer.AsMemory(), Cancel).AsTask().Guarded();
            Assert.True(result.EndOfMessage);
            Assert.Equal(new[] { i, i }, buffer[..result.Count]);
        }
    }

    [Fact]
    public async Task A_reader_that_has_to_wait_pushes_what_has_piled_up()
    {
        using var listener = Listen();
        var accepting = AcceptAsync(listener);
        using var client = await BatchedWebSocket.ConnectAsync($"ws://{listener.LocalEndpoint}/", [], new SocketSettings(), TimeProvider.System, Cancel).Guarded();
        using var server = BatchedWebSocket.OverStream((await accepting.Guarded()).Stream, isServer: true, new SocketSettings());
        await client.SendAsync(new byte[] { 7 }, WebSocketMessageType.Binary, true, Cancel);
        var waiting = client.ReceiveAsync(new byte[10].AsMemory(), Cancel).AsTask();
        var buffer = new byte[10];
        Assert.Equal(1, (await server.ReceiveAsync(buffer.AsMemory(), Cancel).AsTask().Guarded()).Count);
        await server.SendAsync(new byte[] { 8 }, WebSocketMessageType.Binary, true, Cancel);
        await server.PushAsync(Cancel);
        Assert.Equal(1, (await waiting.Guarded()).Count);
    }

    [Fact]
    public async Task Answers_to_little_wait_for_company_and_answers_to_much_do_not()
    {
        using var listener = Listen();
        var accepting = AcceptAsync(listener);
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var settings = new SocketSettings { PingInterval = Timeout.InfiniteTimeSpan };
        using var client = await BatchedWebSocket.ConnectAsync($"ws://{listener.LocalEndpoint}/", [], settings, time, Cancel).Guarded();
        var stream = (await accepting.Guarded()).Stream;
        using var server = BatchedWebSocket.OverStream(stream, isServer: true, settings);
        await client.SendAsync(new byte[] { 7 }, WebSocketMessageType.Binary, true, Cancel);
        var incoming = new byte[20_000];
        var waiting = client.ReceiveAsync(incoming.AsMemory(), Cancel).AsTask();
        Assert.False(stream.DataAvailable);
        time.Advance(settings.GatherTime);
        var buffer = new byte[10];
        Assert.Equal(1, (await server.ReceiveAsync(buffer.AsMemory(), Cancel).AsTask().Guarded()).Count);

        await server.SendAsync(new byte[incoming.Length], WebSocketMessageType.Binary, true, Cancel);
        await server.PushAsync(Cancel);
        for (var received = (await waiting.Guarded()).Count; received < incoming.Length;)
            received += (await client.ReceiveAsync(incoming.AsMemory(), Cancel).AsTask().Guarded()).Count;
        await client.SendAsync(new byte[] { 8 }, WebSocketMessageType.Binary, true, Cancel);
        _ = client.ReceiveAsync(incoming.AsMemory(), Cancel).AsTask();
        Assert.Equal(1, (await server.ReceiveAsync(buffer.AsMemory(), Cancel).AsTask().Guarded()).Count);
    }

    [Fact]
    public async Task A_ping_is_answered_while_everything_else_is_held_back()
    {
        using var listener = Listen();
        var accepting = AcceptAsync(listener);
        using var client = await BatchedWebSocket.ConnectAsync($"ws://{listener.LocalEndpoint}/", [], new SocketSettings(), TimeProvider.System, Cancel).Guarded();
        await using var stream = (await accepting.Guarded()).Stream;
        var receiving = client.ReceiveAsync(new byte[10].AsMemory(), Cancel);
        await stream.WriteAsync(new byte[] { 0x89, 9, (byte)'k', (byte)'e', (byte)'e', (byte)'p', (byte)'a', (byte)'l', (byte)'i', (byte)'v', (byte)'e' }, Cancel);
        var pong = new byte[2 + 4 + 9];
        await stream.ReadExactlyAsync(pong, Cancel).AsTask().Guarded();
        Assert.Equal(0x8A, pong[0]);
        client.Abort();
        await Assert.ThrowsAnyAsync<Exception>(() => receiving.AsTask().Guarded());
    }

    [Fact]
    public async Task A_message_in_pieces_is_put_together_and_one_above_the_bound_is_dropped()
    {
        using var link = new LinkSocket((_, _, _) => { });
        using var socket = new MessageSocket(link, new FrameBuffers(256, 4));
        var large = ChannelPair.Pattern(1_000_248, 5);
        link.Deliver(large);
        Assert.Equal(Received.Message, await socket.ReceiveAsync().AsTask().Guarded());
        Assert.True(socket.Message.SequenceEqual(large));
        link.Deliver(new byte[MessageSocket.MaxMessage + 1]);
        Assert.Equal(Received.TooLarge, await socket.ReceiveAsync().AsTask().Guarded());
        link.Deliver([1, 2, 3]);
        Assert.Equal(Received.Message, await socket.ReceiveAsync().AsTask().Guarded());
        Assert.Equal(3, socket.Message.Length);
    }
}
