using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Fumidai.SessionManager;

/// <summary>How websockets are opened: proxy, extra roots, timings. Same rules as for API calls.</summary>
public sealed record SocketSettings
{
    /// <summary>Proxy for the websocket; null means none.</summary>
    public IWebProxy? Proxy { get; init; }

    /// <summary>Roots to trust instead of the system's (<c>AWS_CA_BUNDLE</c>); null means the system's.</summary>
    public X509Certificate2Collection? Roots { get; init; }

    /// <summary>How long one connection attempt may take. Default 15 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Time between pings. Default 30 s (protocol §12.1; the official client's 5 min and the agent's 54 s notice a dead path late).</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a few acknowledgements of ours may wait for company, or for data to travel with; none wait when much has come. Default 3 ms. A
    /// write, a TLS record and a wake-up of the relay for each message would cost more than the message.
    /// </summary>
    public TimeSpan GatherTime { get; init; } = TimeSpan.FromMilliseconds(3);

    /// <summary>How long a pong may take before the connection counts as lost. Default 20 s.</summary>
    public TimeSpan PongTimeout { get; init; } = TimeSpan.FromSeconds(20);
}
