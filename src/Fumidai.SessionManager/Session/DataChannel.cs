namespace Fumidai.SessionManager;

/// <summary>
/// One end of a session's data channel: numbered, acknowledged, resent, resumed over as many websockets as it takes. The handshake is over
/// when anybody gets one.
/// </summary>
internal sealed class DataChannel : IPayloadChannel, IAsyncDisposable
{
    private DataChannel() => throw new NotImplementedException();

    /// <summary>
    /// Client role: connects, shakes hands. The first connection is tried again as the official client does (protocol §6.4). When it fails, the
    /// session is terminated (<see cref="ISessionControl.TerminateAsync"/>) before the exception leaves.
    /// </summary>
    /// <exception cref="SessionEndedException">The service or agent ended it, with their words; or the service refused the websocket.</exception>
    /// <exception cref="TimeoutException">No handshake within <see cref="DataChannelOptions.HandshakeTimeout"/>.</exception>
    public static Task<DataChannel> ConnectAsync(StreamTicket ticket, ISessionControl control, ClientChannelOptions options, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Agent role: connects, announces itself, asks for the handshake and waits until it is complete.</summary>
    /// <exception cref="SessionEndedException">The session ended, or the client did not answer or refused; its words are what the agent reports.</exception>
    public static Task<DataChannel> ServeAsync(AgentChannelOptions options, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The session's id.</summary>
    public string SessionId => throw new NotImplementedException();

    /// <summary>What was agreed.</summary>
    public Handshake Handshake => throw new NotImplementedException();

    /// <summary>The connection's state now.</summary>
    public SessionHealth Health => throw new NotImplementedException();

    /// <summary>Completes at the next change of <see cref="Health"/>.</summary>
    public Task NextHealthChange() => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask SendAsync(PayloadType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<bool> ReadAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ReceivedPayload Current => throw new NotImplementedException();

    /// <inheritdoc/>
    public int MaxPayload => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task<SessionEnd> Ended => throw new NotImplementedException();

    /// <summary>Waits until everything sent is acknowledged, the session is over, or the limit has passed. True: all acknowledged.</summary>
    public Task<bool> DrainAsync(TimeSpan limit, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>
    /// Client role, the orderly end (protocol §6.3): Flag TerminateSession, a wait of at most two seconds for its acknowledgement or channel_closed,
    /// TerminateSession, then as <see cref="DisposeAsync"/>. Does nothing to a session that is over.
    /// </summary>
    public ValueTask TerminateAsync() => throw new NotImplementedException();

    /// <summary>Closes the socket and stops all loops; says nothing to the peer. <see cref="Ended"/> becomes Local unless it had ended before.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
