namespace Fumidai;

/// <summary>What this machine shows of itself.</summary>
/// <param name="Port">Local port that is wanted; 0: any.</param>
/// <param name="PortHolder">Who listens there already; null: nobody.</param>
/// <param name="Client">The client program's path; null: there is none.</param>
/// <param name="ClientVersion">What it says of its version.</param>
/// <param name="Proxy">Proxy for AWS calls, without user and password.</param>
public sealed record LocalFacts(int Port, string? PortHolder, string? Client, string? ClientVersion, string? Proxy)
{
    /// <summary>Looks at this machine.</summary>
    /// <param name="settings">The port that is wanted.</param>
    /// <param name="target">The target, whose entry may name one.</param>
    /// <param name="client">The client program's path; null: there is none.</param>
    /// <param name="clientVersion">What it says of its version; null: not asked.</param>
    /// <param name="environment">Proxy variables.</param>
    public static LocalFacts Look(Settings settings, Target target, string? client, string? clientVersion, Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var port = TunnelSettings.Of(settings, target).Port;
        return new LocalFacts(port, port > 0 ? HolderOf(port) : null, client, clientVersion, ProxyOf(environment));
    }

    /// <summary>The proxy for AWS calls, without user and password; null: none.</summary>
    /// <param name="environment">Its variables.</param>
    public static string? ProxyOf(Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        return Uri.TryCreate(environment("HTTPS_PROXY") ?? environment("https_proxy"), UriKind.Absolute, out var url) ? url.GetComponents(UriComponents.SchemeAndServer, UriFormat.Unescaped) : null;
    }

    private static string? HolderOf(int port)
    {
        try
        {
            using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
            socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
            return null;
        }
        catch (System.Net.Sockets.SocketException e)
        {
            return global::Fumidai.PortHolder.Find(System.Net.IPAddress.Loopback, port) ?? e.Message;
        }
    }
}
