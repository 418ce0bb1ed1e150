using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>The network as the bastion sees it: names resolve and connections are made there.</summary>
public interface IAgentNetwork
{
    /// <summary>Resolves a name inside the VPC. Throws <see cref="SocketException"/> (HostNotFound) when it does not resolve.</summary>
    ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken);

    /// <summary>Dials from the bastion. Hangs until cancelled when packets are dropped; throws <see cref="SocketException"/> (ConnectionRefused) when refused.</summary>
    ValueTask<Socket> ConnectAsync(IPAddress address, int port, CancellationToken cancellationToken);
}

/// <summary>How an agent serves one session.</summary>
public sealed record AgentSessionOptions
{
    /// <summary>The session served.</summary>
    public required string SessionId { get; init; }
    /// <summary>The instance it runs on.</summary>
    public required string InstanceId { get; init; }
    /// <summary>Announced version; four numbers.</summary>
    public string AgentVersion { get; init; } = "3.3.1142.0";
    /// <summary>Document properties after substitution (type, host, portNumber …).</summary>
    public required IReadOnlyDictionary<string, string> Properties { get; init; }
    /// <summary>The bastion's network.</summary>
    public required IAgentNetwork Network { get; init; }
    /// <summary>Addresses the agent refuses to forward to besides the metadata and name service addresses it knows itself (protocol §5.4): the VPC's reserved ones. Compared with each resolved one.</summary>
    public Func<IPAddress, bool> IsForbidden { get; init; } = static _ => false;
    /// <summary>Opens a websocket to the session's data channel with the agent's first text message already sent; called again when it is lost.</summary>
    public required Func<CancellationToken, ValueTask<WebSocket>> Connect { get; init; }
    /// <summary>Data messages sent per second at most, in bursts of what a timer's step is worth; 0 means no limit. The official agent sleeps a millisecond after each (protocol §9.1).</summary>
    public int MessagesPerSecond { get; init; }
    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
    /// <summary>Where to log.</summary>
    public ILogger? Logger { get; init; }
}
