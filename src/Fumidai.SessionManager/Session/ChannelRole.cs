namespace Fumidai.SessionManager;

/// <summary>What differs between the two ends of a data channel.</summary>
internal abstract class ChannelRole
{
    /// <summary>The session.</summary>
    internal abstract string SessionId { get; }

    /// <summary>Type of the messages this end sends.</summary>
    internal abstract string SendType { get; }

    /// <summary>Type of the messages it receives and acknowledges.</summary>
    internal abstract string ReceiveType { get; }

    /// <summary>Flags of message 0 (protocol §2.3).</summary>
    internal abstract MessageFlags FirstFlags { get; }

    /// <summary>The client checks digests, the agent never does (protocol §2.1).</summary>
    internal abstract bool VerifiesDigests { get; }

    /// <summary>See <see cref="Pacing"/>.</summary>
    internal abstract int MessagesPerSecond { get; }

    /// <summary>Messages that may go at once; see <see cref="Pacing"/>.</summary>
    internal abstract int Burst { get; }

    /// <summary>Largest payload to try; that of <see cref="DataChannelOptions.MaxPayload"/> where nothing is tried.</summary>
    internal abstract int LargestPayload { get; }

    /// <summary>What other sessions have met.</summary>
    internal virtual UploadLimits Limits { get; } = new();

    /// <summary>See <see cref="Pacing"/>.</summary>
    internal abstract TimeSpan? PauseLimit { get; }

    /// <summary>The agent keeps quite still while paused; the client goes on resending its oldest message (protocol §3.6).</summary>
    internal abstract bool StopsResendingWhenPaused { get; }

    /// <summary>Any stream message ends a pause, not only an acknowledgement (agent, protocol §3.6).</summary>
    internal abstract bool DataEndsPause { get; }

    /// <summary>Opens the first connection; the first text message has been sent.</summary>
    internal abstract Task<MessageSocket> OpenAsync(FrameBuffers buffers, CancellationToken cancellationToken);

    /// <summary>Opens a connection after a loss; null: the session is over. One attempt.</summary>
    internal abstract Task<MessageSocket?> ReopenAsync(FrameBuffers buffers, CancellationToken cancellationToken);

    /// <summary>How long connecting and the handshake may take together.</summary>
    internal abstract TimeSpan StartLimit { get; }

    /// <summary>Everything before the first data.</summary>
    internal abstract Task<Handshake> ShakeHandsAsync(DataChannel channel, CancellationToken cancellationToken);
}
