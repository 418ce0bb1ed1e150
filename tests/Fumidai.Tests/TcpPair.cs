using System.Net;
using System.Net.Sockets;

namespace Fumidai.Tests;

/// <summary>Two ends of one loopback connection, with small kernel buffers where a test counts bytes in flight.</summary>
internal sealed class TcpPair : IDisposable
{
    private TcpPair(Socket near, Socket far) => (Near, Far) = (near, far);

    /// <summary>The end the product holds.</summary>
    public Socket Near { get; }

    /// <summary>The client's end.</summary>
    public Socket Far { get; }

    public static async Task<TcpPair> OpenAsync(int? buffers = null)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (buffers is { } size)
            far.ReceiveBufferSize = far.SendBufferSize = size;
        await far.ConnectAsync(listener.LocalEndPoint!);
        var near = await listener.AcceptAsync();
        if (buffers is { } bytes)
            near.ReceiveBufferSize = near.SendBufferSize = bytes;
        return new TcpPair(near, far);
    }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
    }
}

internal static class Sockets
{
    public static async Task<byte[]> ReadToEndAsync(this Socket socket)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await socket.ReceiveAsync(buffer)) > 0)
            all.Write(buffer, 0, read);
        return all.ToArray();
    }

    public static async Task SendAllAsync(this Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await socket.SendAsync(bytes)..];
    }

    public static async Task<Socket> ConnectAsync(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address);
        return socket;
    }

    /// <summary>Connects and waits for a reset, which may be so quick that connecting already meets it.</summary>
    public static async Task<bool> IsResetAsync(IPEndPoint address)
    {
        try
        {
            using var client = await ConnectAsync(address);
            return await client.WasResetAsync();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return true;
        }
    }

    /// <summary>Whether the peer reset the connection, rather than ended it.</summary>
    public static async Task<bool> WasResetAsync(this Socket socket)
    {
        try
        {
            return (await socket.ReceiveAsync(new byte[1])) < 0;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return true;
        }
    }
}
