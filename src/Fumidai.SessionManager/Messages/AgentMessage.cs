namespace Fumidai.SessionManager;

/// <summary>
/// One binary message of a data or control channel (protocol §2). <see cref="Payload"/> of a parsed message is a view of the frame it was
/// parsed from and lives as long as that.
/// </summary>
/// <param name="MessageType">One of <see cref="MessageTypes"/>, or an unknown name: log it and go on.</param>
/// <param name="SequenceNumber">Counts stream data per direction from 0; 0 in all other messages.</param>
/// <param name="Flags">Header flags.</param>
/// <param name="MessageId">The logical UUID; its halves are swapped on the wire.</param>
/// <param name="PayloadType">What the payload is; <see cref="PayloadType.None"/> where the header has no such field.</param>
/// <param name="Payload">The payload, as on the wire.</param>
public readonly record struct AgentMessage(
    string MessageType, long SequenceNumber, MessageFlags Flags, Guid MessageId, PayloadType PayloadType, ReadOnlyMemory<byte> Payload)
{
    /// <summary>1 in every message seen.</summary>
    public uint SchemaVersion { get; init; } = 1;

    /// <summary>Milliseconds since 1970-01-01 UTC; never 0.</summary>
    public ulong CreatedDate { get; init; }

    /// <summary>116, or 112 for messages made by the service: those have no payload type and pad their type with NULs.</summary>
    public int HeaderLength { get; init; } = AgentMessageLayout.PeerHeader;

    /// <summary>Bytes of the whole message.</summary>
    public int Size => HeaderLength + AgentMessageLayout.LengthSize + Payload.Length;

    /// <summary>Reads one websocket message. Never throws.</summary>
    /// <param name="frame">The whole websocket message.</param>
    /// <param name="message">The message, a view of <paramref name="frame"/>.</param>
    /// <param name="fault">Why it must be dropped.</param>
    /// <param name="verifyDigest">True as the official client, false as the official agent, which never looks (protocol §2.1).</param>
    public static bool TryParse(ReadOnlyMemory<byte> frame, out AgentMessage message, out MessageFault fault, bool verifyDigest = true)
    {
        fault = AgentMessageReader.Read(frame.Span, verifyDigest, out var header);
        if (fault != MessageFault.None)
        {
            message = default;
            return false;
        }
        message = new(header.MessageType, header.SequenceNumber, header.Flags, header.MessageId, header.PayloadType, frame[header.PayloadOffset..])
        {
            SchemaVersion = header.SchemaVersion,
            CreatedDate = header.CreatedDate,
            HeaderLength = header.HeaderLength,
        };
        return true;
    }

    /// <summary>Writes the message; returns <see cref="Size"/>.</summary>
    /// <exception cref="ArgumentException">The buffer is too small, the type longer than 32 bytes, or the header length neither 112 nor 116.</exception>
    public int WriteTo(Span<byte> destination) => AgentMessageWriter.Write(this, destination);

    /// <summary>The message as bytes.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        WriteTo(bytes);
        return bytes;
    }
}

/// <summary>Why a message was dropped (protocol §2.1). The connection lives on.</summary>
public enum MessageFault
{
    /// <summary>Nothing wrong.</summary>
    None,
    /// <summary>Shorter than its header.</summary>
    TooShort,
    /// <summary>HeaderLength is below 112 or points beyond the end.</summary>
    HeaderLength,
    /// <summary>MessageType is empty.</summary>
    MessageType,
    /// <summary>CreatedDate is 0.</summary>
    CreatedDate,
    /// <summary>The digest is not the payload's.</summary>
    Digest,
}
