using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Fumidai.SessionManager;

/// <summary>Writes messages into buffers of the caller.</summary>
internal static class AgentMessageWriter
{
    internal static int Write(in AgentMessage message, Span<byte> destination)
    {
        if (message.HeaderLength is not (AgentMessageLayout.PeerHeader or AgentMessageLayout.ServiceHeader))
            throw new ArgumentException($"header length {message.HeaderLength}: only 112 and 116 are written", nameof(message));
        if (message.MessageType.Length is 0 or > AgentMessageLayout.MessageTypeSize)
            throw new ArgumentException("a message type has 1 to 32 characters", nameof(message));
        if (destination.Length < message.Size) throw new ArgumentException("the buffer is smaller than the message", nameof(destination));

        var payloadOffset = message.HeaderLength + AgentMessageLayout.LengthSize;
        message.Payload.Span.CopyTo(destination[payloadOffset..]);
        WriteHeader(destination[..message.Size], message.HeaderLength, message.MessageType, message.SchemaVersion, message.CreatedDate,
            message.SequenceNumber, message.Flags, message.MessageId, message.PayloadType);
        return message.Size;
    }

    /// <summary>Fills in the header of a message whose payload already stands in its place: nothing is copied twice.</summary>
    /// <param name="frame">Exactly the message: header space and payload.</param>
    internal static void WriteHeader(Span<byte> frame, string messageType, ulong createdDate, long sequenceNumber, MessageFlags flags, Guid id, PayloadType payloadType)
        => WriteHeader(frame, AgentMessageLayout.PeerHeader, messageType, 1, createdDate, sequenceNumber, flags, id, payloadType);

    private static void WriteHeader(Span<byte> frame, int headerLength, string messageType, uint schemaVersion, ulong createdDate,
        long sequenceNumber, MessageFlags flags, Guid id, PayloadType payloadType)
    {
        var payload = frame[(headerLength + AgentMessageLayout.LengthSize)..];
        BinaryPrimitives.WriteUInt32BigEndian(frame, (uint)headerLength);
        var type = frame.Slice(AgentMessageLayout.MessageType, AgentMessageLayout.MessageTypeSize);
        // The two ends pad with spaces, the service with NULs.
        type.Fill(headerLength == AgentMessageLayout.ServiceHeader ? (byte)0 : (byte)' ');
        Encoding.Latin1.GetBytes(messageType, type);
        BinaryPrimitives.WriteUInt32BigEndian(frame[AgentMessageLayout.SchemaVersion..], schemaVersion);
        BinaryPrimitives.WriteUInt64BigEndian(frame[AgentMessageLayout.CreatedDate..], createdDate);
        BinaryPrimitives.WriteInt64BigEndian(frame[AgentMessageLayout.SequenceNumber..], sequenceNumber);
        BinaryPrimitives.WriteUInt64BigEndian(frame[AgentMessageLayout.Flags..], (ulong)flags);
        WriteId(frame.Slice(AgentMessageLayout.MessageId, 16), id);
        SHA256.HashData(payload, frame.Slice(AgentMessageLayout.PayloadDigest, AgentMessageLayout.DigestSize));
        if (headerLength == AgentMessageLayout.PeerHeader)
            BinaryPrimitives.WriteUInt32BigEndian(frame[AgentMessageLayout.PayloadType..], (uint)payloadType);
        BinaryPrimitives.WriteUInt32BigEndian(frame[headerLength..], (uint)payload.Length);
    }

    private static void WriteId(Span<byte> wire, Guid id)
    {
        Span<byte> logical = stackalloc byte[16];
        id.TryWriteBytes(logical, bigEndian: true, out _);
        logical[8..].CopyTo(wire);
        logical[..8].CopyTo(wire[8..]);
    }
}
