using System.Net;
using System.Net.Sockets;

namespace Fumidai.SessionManager;

/// <summary>The official agent's error texts are Go's; tools and people look for them.</summary>
internal static class DialError
{
    /// <summary>E.g. <c>dial tcp 127.0.0.1:5432: connect: connection refused</c>.</summary>
    public static string Connect(IPEndPoint address, SocketException failure) => $"dial tcp {address}: connect: {Reason(failure)}";

    /// <summary>E.g. <c>lookup db.example.internal: no such host</c>.</summary>
    public static string Lookup(string host, SocketException failure) => failure.SocketErrorCode switch
    {
        SocketError.HostNotFound or SocketError.NoData => $"lookup {host}: no such host",
        SocketError.TryAgain => $"lookup {host}: server misbehaving",
        _ => $"lookup {host}: {Reason(failure)}",
    };

    private static string Reason(SocketException failure) => failure.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.TimedOut => "connection timed out",
        SocketError.HostUnreachable => "no route to host",
        SocketError.NetworkUnreachable => "network is unreachable",
        SocketError.ConnectionReset => "connection reset by peer",
        SocketError.AccessDenied => "permission denied",
        _ => failure.Message,
    };
}
