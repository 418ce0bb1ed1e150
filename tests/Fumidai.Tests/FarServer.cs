using System.Net;
using System.Net.Sockets;

namespace Fumidai.Tests;

/// <summary>A TCP server behind the bastion: plays its part on every connection.</summary>
internal sealed class FarServer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public FarServer(Func<Socket, Task> serve)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(128);
        _ = AcceptAsync(serve);
    }

    public HostPort Address => new("127.0.0.1", ((IPEndPoint)_listener.LocalEndPoint!).Port);

    /// <summary>Sends back what it hears; ends when the client has ended.</summary>
    public static async Task EchoAsync(Socket socket)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await socket.ReceiveAsync(buffer)) > 0)
            await socket.SendAllAsync(buffer.AsMemory(0, read));
        socket.Shutdown(SocketShutdown.Send);
    }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync(Func<Socket, Task> serve)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            _ = ServeAsync(socket, serve);
        }
    }

    private static async Task ServeAsync(Socket socket, Func<Socket, Task> serve)
    {
        using (socket)
        {
            try
            {
                await serve(socket);
            }
            catch (SocketException)
            {
                // The client is gone.
            }
        }
    }
}
