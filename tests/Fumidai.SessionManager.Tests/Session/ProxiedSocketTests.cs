using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Fumidai.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>TLS with roots of one's own, and an HTTP proxy in between, against servers made of sockets.</summary>
public sealed class ProxiedSocketTests : IDisposable
{
    private readonly TcpListener _server = new(IPAddress.Loopback, 0);
    private readonly TcpListener _proxy = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _leaf;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ProxiedSocketTests()
    {
        _server.Start();
        _proxy.Start();
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootRequest = new CertificateRequest("CN=test root", rootKey, HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _root = rootRequest.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        using var leafKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var leafRequest = new CertificateRequest("CN=ssmmessages.test", leafKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("ssmmessages.test");
        leafRequest.CertificateExtensions.Add(names.Build());
        using var leaf = leafRequest.Create(_root, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1), [1, 2, 3, 4]);
        using var withKey = leaf.CopyWithPrivateKey(leafKey);
        _leaf = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    public void Dispose()
    {
        _server.Dispose();
        _proxy.Dispose();
        _root.Dispose();
        _leaf.Dispose();
    }

    private static async Task<string> ReadHeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one, Cancel);
            head.Append((char)one[0]);
        }
        return head.ToString();
    }

    private async Task<WebSocket> AcceptAsync()
    {
        var stream = new SslStream((await _server.AcceptTcpClientAsync(Cancel)).GetStream());
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _leaf }, Cancel);
        var request = await ReadHeadAsync(stream);
        var key = request.Split("\r\n").Single(l => l.StartsWith("Sec-WebSocket-Key:", StringComparison.OrdinalIgnoreCase)).Split(": ")[1];
#pragma warning disable CA5350 // RFC 6455 wants SHA-1 here
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"), Cancel);
        return BatchedWebSocket.OverStream(stream, isServer: true, new SocketSettings());
    }

    /// <summary>Serves one CONNECT; every name leads to the test's server. Returns what was asked for.</summary>
    private async Task<string> TunnelAsync()
    {
        using var client = await _proxy.AcceptTcpClientAsync(Cancel);
        var from = client.GetStream();
        var asked = (await ReadHeadAsync(from)).Split("\r\n")[0];
        await from.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), Cancel);
        using var server = new TcpClient();
        await server.ConnectAsync((IPEndPoint)_server.LocalEndpoint, Cancel);
        var to = server.GetStream();
        try
        {
            await Task.WhenAny(from.CopyToAsync(to, Cancel), to.CopyToAsync(from, Cancel));
        }
        catch (IOException)
        {
            // One side is gone.
        }
        return asked;
    }

    [Fact]
    public async Task Tls_through_a_proxy_carries_batches_both_ways_and_trusts_the_given_roots()
    {
        var tunnel = TunnelAsync();
        var accepting = AcceptAsync();
        var settings = new SocketSettings { Proxy = new WebProxy($"http://{_proxy.LocalEndpoint}"), Roots = [_root] };
        using var client = await BatchedWebSocket.ConnectAsync("wss://ssmmessages.test/v1/data-channel/x?role=publish_subscribe", [], settings, TimeProvider.System, Cancel).Guarded();
        using (var server = await accepting.Guarded())
        {
            var buffer = new byte[100];
            for (byte i = 0; i < 10; i++) await client.SendAsync(new[] { i }, WebSocketMessageType.Binary, true, Cancel);
            var receiving = server.ReceiveAsync(buffer.AsMemory(), Cancel).AsTask();
            Assert.False(receiving.IsCompleted);           // piled up: the innermost stream is the one that batches
            await client.PushAsync(Cancel);
            await receiving.Guarded();
            Assert.Equal(0, buffer[0]);
            await server.SendAsync(new byte[] { 42 }, WebSocketMessageType.Binary, true, Cancel);
            await ((BatchedWebSocket)server).PushAsync(Cancel);
            var result = await client.ReceiveAsync(buffer.AsMemory(), Cancel).AsTask().Guarded();
            Assert.Equal(1, result.Count);
            Assert.Equal(42, buffer[0]);
        }
        client.Abort();
        Assert.Equal("CONNECT ssmmessages.test:443 HTTP/1.1", await tunnel.Guarded());
    }

    [Fact]
    public async Task A_certificate_of_an_unknown_root_is_refused()
    {
        var tunnel = TunnelAsync();
        var accepting = AcceptAsync();
        var settings = new SocketSettings { Proxy = new WebProxy($"http://{_proxy.LocalEndpoint}") };
        await Assert.ThrowsAsync<WebSocketException>(() =>
            BatchedWebSocket.ConnectAsync("wss://ssmmessages.test/", [], settings, TimeProvider.System, Cancel).Guarded());
        await Assert.ThrowsAnyAsync<Exception>(() => accepting.Guarded());
        await tunnel.Guarded();
    }

    [Fact]
    public async Task A_data_channel_over_real_websockets_survives_a_cut_socket()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var control = new FakeSessionControl();
        WebSocket? last = null;
        var opening = DataChannel.ConnectAsync(control.Ticket, control, new ClientChannelOptions
        {
            MessagesPerSecond = 0,
            Connect = async (_, token) =>
            {
                var tcp = new TcpClient();
                await tcp.ConnectAsync((IPEndPoint)listener.LocalEndpoint, token);
                return BatchedWebSocket.OverStream(tcp.GetStream(), isServer: false, new SocketSettings());
            },
        }, Cancel);
        var serving = DataChannel.ServeAsync(new AgentChannelOptions
        {
            SessionId = "s",
            InstanceId = "i",
            Connect = async token => last = BatchedWebSocket.OverStream((await listener.AcceptTcpClientAsync(token)).GetStream(), isServer: true, new SocketSettings()),
        }, Cancel);
        await using var client = await opening.Guarded();
        await using var agent = await serving.Guarded();
        var up = ChannelPair.Pattern(6_000_000, 1);
        var down = ChannelPair.Pattern(6_000_000, 2);
        var sending = Task.WhenAll(Task.Run(() => ChannelPair.SendAsync(client, up, 1024), Cancel), Task.Run(() => ChannelPair.SendAsync(agent, down, 1024), Cancel));
        var atAgent = ChannelPair.ReceiveAsync(agent, up.Length);
        Assert.Equal(down[..2_000_000], (await ChannelPair.ReceiveAsync(client, 2_000_000).Guarded())[..2_000_000]);
        last!.Abort();
        var rest = down.Length - (int)((2_000_000 + 1023) / 1024 * 1024);
        Assert.Equal(down[^rest..], await ChannelPair.ReceiveAsync(client, rest).Guarded());
        Assert.Equal(up, await atAgent.Guarded());
        await sending.Guarded();
        Assert.True(control.Resumed >= 1);
    }
}
