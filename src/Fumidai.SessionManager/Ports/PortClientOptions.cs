using System.Net.WebSockets;
using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>How a port session is run at the laptop's end.</summary>
public sealed record PortClientOptions
{
    /// <summary>Sent in the first message and the handshake; four numbers, at least 1.2.764.0 (protocol §4.2).</summary>
    public string ClientVersion { get; init; } = "1.2.835.0";

    /// <summary>How long the agent may take to finish the handshake. Default 20 s (protocol §6.2).</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long the far end may stay silent after our half-close before we close the whole connection. Session Manager has no half-close: closing at
    /// once would lose the reply's tail, never closing would keep the far connection of a dead program. Default 10 s (protocol §5.4).
    /// </summary>
    public TimeSpan HalfCloseLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Data messages sent per second at most; 0 means no limit. Default 900: the service pauses, then cuts sessions that stay above about 1000 (protocol §3.6).</summary>
    public int MessagesPerSecond { get; init; } = 900;

    /// <summary>Largest payload of a message to try under load, in bytes; 1024 or less: none. Default 32 KiB.</summary>
    public int LargestPayload { get; init; } = 32 * 1024;

    /// <summary>
    /// Whether an idle multiplexed session is kept alive: a NOP every ten seconds, which the service takes for use. Never by default: the idle
    /// timeout is the account's policy.
    /// </summary>
    public bool KeepAlive { get; init; }

    /// <summary>What sessions of one route have found that the service does not bear; give all of them the same.</summary>
    public UploadLimits Limits { get; init; } = new();

    /// <summary>How sockets are opened.</summary>
    public SocketSettings Socket { get; init; } = new();

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where to log; never payload.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>Opens the websocket; null means a signed one to the ticket's URL. Tests put their own here.</summary>
    internal Func<StreamTicket, CancellationToken, ValueTask<WebSocket>>? Connect { get; init; }

    internal ClientChannelOptions ForChannel() => new()
    {
        ClientVersion = ClientVersion,
        HandshakeTimeout = HandshakeTimeout,
        MessagesPerSecond = MessagesPerSecond,
        LargestPayload = LargestPayload,
        Limits = Limits,
        Socket = Socket,
        Time = Time,
        Logger = Logger,
        Connect = Connect,
    };
}
