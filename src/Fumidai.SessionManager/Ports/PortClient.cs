using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>How a port session is run at the laptop's end.</summary>
public sealed record PortClientOptions
{
    /// <summary>Sent in the first message and the handshake; four numbers, at least 1.2.764.0 (protocol §4.2).</summary>
    public string ClientVersion { get; init; } = "1.2.835.0";

    /// <summary>How long the agent may take to finish the handshake. Default 20 s (protocol §6.2).</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How sockets are opened.</summary>
    public SocketSettings Socket { get; init; } = new();

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where to log; never payload.</summary>
    public ILogger? Logger { get; init; }
}

/// <summary>What a running session tells about its connection.</summary>
public enum SessionHealth
{
    /// <summary>Connected.</summary>
    Up,
    /// <summary>The socket is lost; resuming.</summary>
    Resuming,
    /// <summary>Over.</summary>
    Ended,
}

/// <summary>The laptop's end of one port session, basic or multiplexed as the versions decide (protocol §5.1).</summary>
public sealed class PortClient : IAsyncDisposable
{
    private PortClient() => throw new NotImplementedException();

    /// <summary>Connects, shakes hands and is ready to open streams.</summary>
    /// <exception cref="SessionEndedException">The service or agent ended it, with their words.</exception>
    /// <exception cref="TimeoutException">No handshake within <see cref="PortClientOptions.HandshakeTimeout"/>.</exception>
    public static Task<PortClient> StartAsync(StreamTicket ticket, ISessionControl control, PortClientOptions options, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The session's id.</summary>
    public string SessionId => throw new NotImplementedException();

    /// <summary>What the agent announced, e.g. <c>3.3.1142.0</c>.</summary>
    public string AgentVersion => throw new NotImplementedException();

    /// <summary>Whether many streams run at once. In basic mode a second stream waits for the first one's end.</summary>
    public bool IsMultiplexed => throw new NotImplementedException();

    /// <summary>Streams open now.</summary>
    public int OpenStreams => throw new NotImplementedException();

    /// <summary>The connection's state now.</summary>
    public SessionHealth Health => throw new NotImplementedException();

    /// <summary>Completes at the next change of <see cref="Health"/>.</summary>
    public Task NextHealthChange() => throw new NotImplementedException();

    /// <summary>Opens one connection to the session's destination. Returns at once: the protocol has no word for "connected"; a refusal shows as <see cref="PortStream.Ended"/> with <see cref="ConnectToPortException"/>.</summary>
    /// <exception cref="SessionEndedException">The session is over.</exception>
    public ValueTask<PortStream> OpenStreamAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>How the session ended; never faults.</summary>
    public Task<SessionEnd> Ended => throw new NotImplementedException();

    /// <summary>Flag TerminateSession, a wait of at most two seconds for its acknowledgement, then TerminateSession, then close (protocol §6.3).</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
