using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Fumidai;

/// <summary>
/// One port of this machine, held exclusively on 127.0.0.1 and, where there is IPv6, on ::1: both or neither, because a client that says
/// <c>localhost</c> may try either, and a stranger on the other one would receive it.
/// </summary>
internal sealed class LocalListener : IDisposable
{
    private const int Backlog = 128;
    private const int Attempts = 50;

    private LocalListener(Socket v4, Socket? v6)
    {
        Sockets = v6 is null ? [v4] : [v4, v6];
        EndPoint = (IPEndPoint)v4.LocalEndPoint!;
    }

    /// <summary>The bound sockets, the one on 127.0.0.1 first.</summary>
    internal IReadOnlyList<Socket> Sockets { get; }

    /// <summary>127.0.0.1 and the port.</summary>
    internal IPEndPoint EndPoint { get; }

    /// <param name="port">0: any port that is free on both addresses.</param>
    /// <exception cref="FumidaiException">The port is held (by whom, if it can be known) or forbidden.</exception>
    internal static LocalListener Bind(int port)
    {
        for (var attempt = 0; ; attempt++)
        {
            var v4 = Listen(IPAddress.Loopback, port);
            var chosen = ((IPEndPoint)v4.LocalEndPoint!).Port;
            try
            {
                return new LocalListener(v4, ListenOnV6(chosen));
            }
            catch (FumidaiException) when (port == 0 && attempt < Attempts)
            {
                // The number that the system gave us on 127.0.0.1 is somebody's on ::1: ask for another.
                v4.Dispose();
            }
            catch
            {
                v4.Dispose();
                throw;
            }
        }
    }

    public void Dispose()
    {
        foreach (var socket in Sockets)
            socket.Dispose();
    }

    private static Socket? ListenOnV6(int port)
    {
        if (!Socket.OSSupportsIPv6)
            return null;
        try
        {
            return Listen(IPAddress.IPv6Loopback, port);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported or SocketError.ProtocolNotSupported)
        {
            return null; // a machine, or a container, without ::1
        }
    }

    private static Socket Listen(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Windows lets others share a port unless told not to. Elsewhere exclusive is what there is; never set ReuseAddress.
            if (OperatingSystem.IsWindows())
                socket.ExclusiveAddressUse = true;
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            socket.Dispose();
            throw Refused(address, port, e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static FumidaiException Refused(IPAddress address, int port, SocketException e)
    {
        var what = $"cannot listen on {new IPEndPoint(address, port)}";
        if (e.SocketErrorCode == SocketError.AccessDenied && port is > 0 and < 1024)
            return new FumidaiException(Reason.Failed, what, "ports below 1024 are for root", "Choose a higher one with --port", inner: e);
        var holder = port == 0 ? null : PortHolder.Find(address, port);
        return new FumidaiException(
            Reason.Failed, what,
            holder is null ? "somebody else holds the port" : $"the port is held by {holder}",
            string.Create(CultureInfo.InvariantCulture, $"Choose another with --port, or --port 0 for any free one"), inner: e);
    }
}
