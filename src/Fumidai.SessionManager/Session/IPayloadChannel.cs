namespace Fumidai.SessionManager;

/// <summary>
/// What the layers above the data channel see of it: ordered, reliable payloads in both directions. The data channel has
/// finished its handshake before anybody gets one. The data channel implements it; tests use an in-memory pair.
/// </summary>
internal interface IPayloadChannel
{
    /// <summary>
    /// Sends one payload as one message. Completes when it is numbered, kept for resending and handed to the socket's batch: waits
    /// while the window of unacknowledged messages is full or the service has paused us. The payload is lent until then. Safe to call from
    /// several tasks; calls are served in order.
    /// </summary>
    /// <exception cref="SessionEndedException">The session is over.</exception>
    ValueTask SendAsync(PayloadType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);

    /// <summary>Pushes what has piled up to the network; senders call it when they have nothing more to say for now.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The next payload in order; the memory is valid until the next call. One reader only. False: the session is over, see <see cref="Ended"/>.
    /// A reader that does not call stops the acknowledgements once the bounded receive window is full (back-pressure).
    /// </summary>
    ValueTask<bool> ReadAsync(CancellationToken cancellationToken);

    /// <summary>The payload of the last successful <see cref="ReadAsync"/>.</summary>
    ReceivedPayload Current { get; }

    /// <summary>Largest payload to put into one message, in bytes. 1024 until more is proven (protocol §3.6).</summary>
    int MaxPayload { get; }

    /// <summary>Size of a payload without meaning that the channel would like to be given to <see cref="SendProbeAsync"/> now; 0: none.</summary>
    int WantedProbe => 0;

    /// <summary>
    /// As <see cref="SendAsync"/>, but the payload may be replaced by its first <paramref name="least"/> bytes as long as it is not acknowledged: the
    /// peer does the same with either.
    /// </summary>
    ValueTask SendProbeAsync(ReadOnlyMemory<byte> payload, int least, CancellationToken cancellationToken) => SendAsync(PayloadType.Output, payload, cancellationToken);

    /// <summary>How the session ended; never faults.</summary>
    Task<SessionEnd> Ended { get; }
}

/// <summary>One payload as received, decrypted.</summary>
internal readonly record struct ReceivedPayload(PayloadType Type, ReadOnlyMemory<byte> Payload);
