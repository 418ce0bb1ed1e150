using System.Net.WebSockets;
using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>How an agent serves one shell or command session.</summary>
public sealed record AgentShellOptions
{
    /// <summary>The session served.</summary>
    public required string SessionId { get; init; }
    /// <summary>The instance it runs on; part of the KMS encryption context.</summary>
    public required string InstanceId { get; init; }
    /// <summary>Announced version; four numbers.</summary>
    public string AgentVersion { get; init; } = "3.3.1142.0";
    /// <summary>One of <see cref="SessionTypes"/> other than Port.</summary>
    public string SessionType { get; init; } = SessionTypes.Shell;
    /// <summary>The command after substitution; null for a shell.</summary>
    public string? Command { get; init; }
    /// <summary>The document's <c>separateOutputStream</c>: standard error and the exit code as messages of their own. Commands only.</summary>
    public bool SeparateOutput { get; init; }
    /// <summary>Asks for encryption with this key; null: none.</summary>
    public string? KmsKeyId { get; init; }
    /// <summary>Opens the data key when encryption is asked for.</summary>
    public ISessionKeySource? Keys { get; init; }
    /// <summary>Starts the process.</summary>
    public required IAgentShell Shell { get; init; }
    /// <summary>Opens a websocket to the session's data channel with the agent's first text message already sent; called again when it is lost.</summary>
    public required Func<CancellationToken, ValueTask<WebSocket>> Connect { get; init; }
    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
    /// <summary>Where to log.</summary>
    public ILogger? Logger { get; init; }
}
