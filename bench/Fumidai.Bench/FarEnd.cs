using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Fumidai.Bench;

/// <summary>
/// The far end all ways lead to: one command byte and eight bytes of length, then <c>D</c> sends that many bytes, <c>U</c> takes that many and
/// answers one byte, <c>E</c> echoes until the end.
/// </summary>
internal sealed class FarEnd : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TcpListener _onBastion;
    private readonly Task _accepting;

    /// <param name="bastion">Loopback address that stands for the private bastion: what its localhost is in the lab.</param>
    public FarEnd(IPAddress bastion)
    {
        _listener.Start(1024);
        _onBastion = new TcpListener(bastion, Port);
        _onBastion.Start(1024);
        _accepting = Task.WhenAll(AcceptAsync(_listener), AcceptAsync(_onBastion));
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    private static async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync();
                _ = Task.Run(() => ServeAsync(client));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The listener was stopped: the run is over.
        }
    }

    private static async Task ServeAsync(Socket client)
    {
        using var _ = client;
        client.NoDelay = true;
        var asked = new byte[9];
        try
        {
            if (!await ReadExactAsync(client, asked))
                return;
            var left = BinaryPrimitives.ReadInt64BigEndian(asked.AsSpan(1));
            var buffer = new byte[asked[0] == 'E' ? 16 * 1024 : 256 * 1024];
            switch ((char)asked[0])
            {
                case 'D':
                    for (; left > 0; left -= Math.Min(left, buffer.Length))
                        await SendAllAsync(client, buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)));
                    client.Shutdown(SocketShutdown.Send);
                    break;
                case 'U':
                    while (left > 0 && await client.ReceiveAsync(buffer) is > 0 and var read)
                        left -= read;
                    await SendAllAsync(client, buffer.AsMemory(0, 1));
                    break;
                default:
                    while (await client.ReceiveAsync(buffer) is > 0 and var echo)
                        await SendAllAsync(client, buffer.AsMemory(0, echo));
                    break;
            }
        }
        catch (SocketException)
        {
            // The near end went away in the middle, as the stalled-reader run does on purpose.
        }
    }

    public static async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes)..];
    }

    public static async Task<bool> ReadExactAsync(Socket socket, Memory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var read = await socket.ReceiveAsync(bytes);
            if (read == 0)
                return false;
            bytes = bytes[read..];
        }
        return true;
    }

    /// <summary>A connection through a local port, with its command sent.</summary>
    public static async Task<Socket> AskAsync(int port, char command, long length)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        var request = new byte[9];
        request[0] = (byte)command;
        BinaryPrimitives.WriteInt64BigEndian(request.AsSpan(1), length);
        await SendAllAsync(socket, request);
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        _onBastion.Stop();
        await _accepting;
    }
}
