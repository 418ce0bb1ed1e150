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
}
