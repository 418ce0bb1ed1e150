using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fumidai.SessionManager;

namespace Fumidai.Bench;

/// <summary>
/// The bare chain, which is the ceiling: client → TLS → relay → agent → far end, a process each. Websocket frames, the 120-byte header, SHA-256
/// written and checked, one acknowledgement a message, a window of 1,000, batched writes. No multiplexing, no resending, no rates, no service.
/// </summary>
internal static class Chain
{
    private static readonly SocketSettings s_settings = new();

    /// <summary>Runs one of the processes; prints its port and serves until it is killed.</summary>
    public static async Task RunAsync(string part, string to, int payload)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(512);
        Console.WriteLine(((IPEndPoint)listener.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture));
        var next = new IPEndPoint(IPAddress.Loopback, int.Parse(to, CultureInfo.InvariantCulture));
        using var certificate = part == "relay" ? Certificate() : null;
        while (true)
        {
            var socket = await listener.AcceptAsync();
            socket.NoDelay = true;
            _ = Task.Run(async () =>
            {
                try
                {
                    await (part switch
                    {
                        "client" => ClientAsync(socket, next, payload),
                        "relay" => RelayAsync(socket, next, certificate!),
                        _ => AgentAsync(socket, next, payload),
                    });
                }
                catch (Exception e) when (e is SocketException or IOException or WebSocketException or ObjectDisposedException or OperationCanceledException)
                {
                    // One side has hung up.
                }
                finally
                {
                    socket.Dispose();
                }
            });
        }
    }

    private static async Task<NetworkStream> DialAsync(IPEndPoint to)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(to);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static async Task ClientAsync(Socket local, IPEndPoint relay, int payload)
    {
        var tls = new SslStream(await DialAsync(relay));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.Subject == "CN=localhost" });
        using var socket = BatchedWebSocket.OverStream(tls, isServer: false, s_settings);
        using var end = new ChainEnd(local, socket, payload);
        await end.RunAsync();
    }

    private static async Task RelayAsync(Socket client, IPEndPoint agent, X509Certificate2 certificate)
    {
        var tls = new SslStream(new NetworkStream(client));
        await tls.AuthenticateAsServerAsync(certificate);
        using var one = BatchedWebSocket.OverStream(tls, isServer: true, s_settings);
        using var other = BatchedWebSocket.OverStream(await DialAsync(agent), isServer: false, s_settings);
        await Task.WhenAll(ForwardAsync(one, other), ForwardAsync(other, one));
    }

    private static async Task ForwardAsync(BatchedWebSocket from, BatchedWebSocket to)
    {
        var buffer = new byte[128 * 1024];
        while (true)
        {
            var receiving = from.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            if (!receiving.IsCompleted)
                await to.PushAsync(CancellationToken.None);
            var received = await receiving;
            if (received.MessageType == WebSocketMessageType.Close)
                return;
            await to.SendAsync(buffer.AsMemory(0, received.Count), WebSocketMessageType.Binary, received.EndOfMessage, CancellationToken.None);
        }
    }

    private static async Task AgentAsync(Socket relay, IPEndPoint far, int payload)
    {
        using var socket = BatchedWebSocket.OverStream(new NetworkStream(relay), isServer: true, s_settings);
        using var stream = await DialAsync(far);
        using var end = new ChainEnd(stream.Socket, socket, payload);
        await end.RunAsync();
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>One end of the chain: a TCP connection and a websocket.</summary>
    private sealed class ChainEnd(Socket tcp, BatchedWebSocket web, int payload) : IDisposable
    {
        private const int Header = 120;
        private const int AckPayload = 176;
        private const int Window = 1000;
        private readonly SemaphoreSlim _sending = new(1);
        private readonly SemaphoreSlim _credits = new(Window);

        public async Task RunAsync()
        {
            var (up, down) = (UpAsync(), DownAsync());
            // Acknowledgements come by the way down: after its end the way up may still wait for them, and nobody cares.
            await Task.WhenAll(up, down).WaitAsync(TimeSpan.FromSeconds(30)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            web.Abort();
        }

        public void Dispose()
        {
            _sending.Dispose();
            _credits.Dispose();
        }

        private static void Frame(Span<byte> message, long sequence, byte kind)
        {
            BinaryPrimitives.WriteUInt32BigEndian(message, 116);
            message.Slice(4, 32).Fill((byte)' ');
            message[4] = kind;
            BinaryPrimitives.WriteInt64BigEndian(message[48..], sequence);
            SHA256.HashData(message[Header..], message.Slice(80, 32));
            BinaryPrimitives.WriteInt32BigEndian(message[116..], message.Length - Header);
        }

        private async ValueTask SendAsync(ReadOnlyMemory<byte> message)
        {
            await _sending.WaitAsync();
            try
            {
                await web.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            }
            finally
            {
                _sending.Release();
            }
        }

        private async Task UpAsync()
        {
            var message = new byte[Header + payload];
            for (long sequence = 0; ; sequence++)
            {
                if (tcp.Available == 0)
                    await web.PushAsync(CancellationToken.None);
                var read = await tcp.ReceiveAsync(message.AsMemory(Header, payload));
                if (read == 0)
                {
                    Frame(message.AsSpan(0, Header), sequence, (byte)'e');
                    await SendAsync(message.AsMemory(0, Header));
                    await web.PushAsync(CancellationToken.None);
                    return;
                }
                if (_credits.CurrentCount == 0)
                    await web.PushAsync(CancellationToken.None);
                await _credits.WaitAsync();
                Frame(message.AsSpan(0, Header + read), sequence, (byte)'d');
                await SendAsync(message.AsMemory(0, Header + read));
            }
        }

        private async Task DownAsync()
        {
            var buffer = new byte[128 * 1024];
            var gathered = new byte[256 * 1024];
            var acknowledgement = new byte[Header + AckPayload];
            var digest = new byte[32];
            var held = 0;
            while (true)
            {
                var receiving = web.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (!receiving.IsCompleted && held > 0)
                {
                    await FarEnd.SendAllAsync(tcp, gathered.AsMemory(0, held));
                    held = 0;
                }
                var received = await receiving;
                if (received.MessageType == WebSocketMessageType.Close)
                    return;
                var filled = received.Count;
                while (!received.EndOfMessage)
                {
                    received = await web.ReceiveAsync(buffer.AsMemory(filled), CancellationToken.None);
                    filled += received.Count;
                }
                SHA256.HashData(buffer.AsSpan(Header, filled - Header), digest);
                if (!digest.AsSpan().SequenceEqual(buffer.AsSpan(80, 32)))
                    throw new IOException("digest");
                if (buffer[4] == (byte)'e')
                {
                    await FarEnd.SendAllAsync(tcp, gathered.AsMemory(0, held));
                    tcp.Shutdown(SocketShutdown.Send);
                    return;
                }
                if (buffer[4] == (byte)'a')
                {
                    _credits.Release();
                    continue;
                }
                Frame(acknowledgement, BinaryPrimitives.ReadInt64BigEndian(buffer.AsSpan(48)), (byte)'a');
                await SendAsync(acknowledgement);
                var bytes = buffer.AsMemory(Header, filled - Header);
                if (held + bytes.Length > gathered.Length)
                {
                    await FarEnd.SendAllAsync(tcp, gathered.AsMemory(0, held));
                    held = 0;
                }
                bytes.CopyTo(gathered.AsMemory(held));
                held += bytes.Length;
            }
        }
    }
}
