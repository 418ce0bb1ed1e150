using System.Net.WebSockets;
using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>What both ends of a data channel have in common.</summary>
internal abstract record DataChannelOptions
{
    /// <summary>Largest payload of one message, in bytes. Default 1024, which is safe; more only after a probe (protocol §3.6).</summary>
    public int MaxPayload { get; init; } = 1024;

    /// <summary>Unacknowledged messages at most. Default 1000 (protocol §9.3).</summary>
    public int WindowMessages { get; init; } = 1000;

    /// <summary>
    /// Unacknowledged bytes at most. Default 1 MiB (protocol §9.3); within it the window follows the measured round trip (<see cref="WindowControl"/>).
    /// </summary>
    public int WindowBytes { get; init; } = 1 << 20;

    /// <summary>
    /// Client: how long connecting and all handshake messages may take, 20 s by default, above the agent's own limit (protocol §6.2).
    /// Agent: how long each answer may take, 15 s by default as the official agent (protocol §4.1).
    /// </summary>
    public TimeSpan HandshakeTimeout { get; init; }

    /// <summary>Source of data keys for KMS encryption; null: encryption is refused.</summary>
    public ISessionKeySource? Keys { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where to log; never payload.</summary>
    public ILogger? Logger { get; init; }
}

/// <summary>The laptop's end.</summary>
internal sealed record ClientChannelOptions : DataChannelOptions
{
    /// <summary>Defaults.</summary>
    public ClientChannelOptions() => HandshakeTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Four numbers, at least 1.2.764.0 (protocol §4.2).</summary>
    public string ClientVersion { get; init; } = "1.2.835.0";

    /// <summary>Target as given to StartSession; part of the KMS encryption context only.</summary>
    public string Target { get; init; } = "";

    /// <summary>
    /// Data messages per second sent at most, in bursts of at most a hundred; 0 means no limit. Default 900: the service pauses and then cuts
    /// sessions that stay above about 1000 (protocol §3.6, §9.3). Acknowledgements do not count.
    /// </summary>
    public int MessagesPerSecond { get; init; } = 900;

    /// <summary>Largest payload to try under load, in bytes; <see cref="DataChannelOptions.MaxPayload"/> or less: none is tried. Default 32 KiB (protocol §3.6).</summary>
    public int LargestPayload { get; init; } = 32 * 1024;

    /// <summary>Shared by the sessions of one route.</summary>
    public UploadLimits Limits { get; init; } = new();

    /// <summary>How sockets are opened.</summary>
    public SocketSettings Socket { get; init; } = new();

    /// <summary>Opens the websocket of a ticket; null: a <see cref="BatchedWebSocket"/> with signed headers. Tests put a link in memory here.</summary>
    public Func<StreamTicket, CancellationToken, ValueTask<WebSocket>>? Connect { get; init; }
}

/// <summary>The bastion's end.</summary>
internal sealed record AgentChannelOptions : DataChannelOptions
{
    /// <summary>Defaults.</summary>
    public AgentChannelOptions() => HandshakeTimeout = TimeSpan.FromSeconds(15);

    /// <summary>The session served.</summary>
    public required string SessionId { get; init; }

    /// <summary>The instance; part of the KMS encryption context.</summary>
    public required string InstanceId { get; init; }

    /// <summary>Announced version; four numbers.</summary>
    public string AgentVersion { get; init; } = "3.3.1142.0";

    /// <summary><c>Port</c>, <c>Standard_Stream</c>, <c>InteractiveCommands</c> or <c>NonInteractiveCommands</c>.</summary>
    public string SessionType { get; init; } = "Port";

    /// <summary>Document properties after substitution; null where there are none.</summary>
    public IReadOnlyDictionary<string, string>? Properties { get; init; }

    /// <summary>Data messages sent per second at most, by time stamp and in bursts of what a timer's step is worth; 0 means no limit.</summary>
    public int MessagesPerSecond { get; init; }

    /// <summary>Asks for encryption with this key; null: none. Real agents never ask it of port sessions.</summary>
    public string? KmsKeyId { get; init; }

    /// <summary>False for shells without encryption: their first message is Output (protocol §4.1).</summary>
    public bool Handshake { get; init; } = true;

    /// <summary>Opens a websocket with the agent's first text message already sent; called again when it is lost. <see cref="SessionEndedException"/> from it is final.</summary>
    public required Func<CancellationToken, ValueTask<WebSocket>> Connect { get; init; }
}
