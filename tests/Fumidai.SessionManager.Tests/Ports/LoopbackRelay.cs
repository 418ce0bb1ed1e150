using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace Fumidai.SessionManager.Tests;

/// <summary>The service on a loopback port: two real websockets, binary messages passed on as they are, first texts swallowed.</summary>
internal sealed class LoopbackRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TaskCompletionSource<WebSocket>[] _sides = [new(TaskCreationOptions.RunContinuationsAsynchronously), new(TaskCreationOptions.RunContinuationsAsynchronously)];
    private readonly List<Task> _running = [];
    private readonly CancellationTokenSource _stop = new();

    public LoopbackRelay()
    {
        _listener.Start();
        _running.Add(AcceptAsync());
    }

    public string ClientUrl => $"ws://{_listener.LocalEndpoint}/v1/data-channel/session?role=publish_subscribe&cell-number=A+b/c==";

    public string AgentUrl => $"ws://{_listener.LocalEndpoint}/v1/data-channel/session?role=publish_subscribe";

    /// <summary>Puts a message of the service's own to the client.</summary>
    public async Task ToClientAsync(byte[] message)
        => await (await _sides[0].Task).SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _stop.CancelAsync();
        foreach (var side in _sides)
        {
            side.TrySetCanceled();
            if (side.Task.IsCompletedSuccessfully) (await side.Task).Dispose();
        }
        await Task.WhenAll(_running).Quietly();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var accepted = await _listener.AcceptSocketAsync(_stop.Token);
            accepted.NoDelay = true;
            var stream = new NetworkStream(accepted, ownsSocket: true);
            var (side, key) = await ReadRequestAsync(stream);
#pragma warning disable CA5350 // The websocket handshake is made so (RFC 6455 §4.2.2).
            var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"), _stop.Token);
            var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true });
            _sides[side].TrySetResult(socket);
            _running.Add(PassOnAsync(socket, _sides[1 - side].Task));
        }
    }

    private async Task PassOnAsync(WebSocket from, Task<WebSocket> to)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await from.ReceiveAsync(buffer.AsMemory(length), _stop.Token);
                length += result.Count;
            }
            while (!result.EndOfMessage);
            if (result.MessageType == WebSocketMessageType.Close) return;
            if (result.MessageType == WebSocketMessageType.Binary)
                await (await to).SendAsync(buffer.AsMemory(0, length), WebSocketMessageType.Binary, endOfMessage: true, _stop.Token);
        }
    }

    private static async Task<(int Side, string Key)> ReadRequestAsync(Stream stream)
    {
        var request = new StringBuilder();
        var one = new byte[1];
        while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one) > 0) request.Append((char)one[0]);
        var lines = request.ToString().Split("\r\n");
        var key = lines.Single(line => line.StartsWith("Sec-WebSocket-Key:", StringComparison.OrdinalIgnoreCase)).Split(':')[1].Trim();
        return (lines[0].Contains("cell-number", StringComparison.Ordinal) ? 0 : 1, key);
    }
}
