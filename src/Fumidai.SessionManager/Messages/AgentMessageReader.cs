using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Fumidai.SessionManager;

/// <summary>The header of a message in hand.</summary>
internal readonly struct AgentMessageHeader
{
    internal string MessageType { get; init; }
    internal int HeaderLength { get; init; }
    internal uint SchemaVersion { get; init; }
    internal ulong CreatedDate { get; init; }
    internal long SequenceNumber { get; init; }
    internal MessageFlags Flags { get; init; }
    internal Guid MessageId { get; init; }
    internal PayloadType PayloadType { get; init; }
    internal int PayloadOffset { get; init; }
}

/// <summary>Reads a whole message; what is wrong is an answer, not an exception, for one bad message must not end a connection (protocol §2.1).</summary>
internal static class AgentMessageReader
{
    internal static MessageFault Read(ReadOnlySpan<byte> frame, bool verifyDigest, out AgentMessageHeader header)
    {
        header = default;
        if (frame.Length < AgentMessageLayout.ServiceHeader + AgentMessageLayout.LengthSize) return MessageFault.TooShort;
        var declared = BinaryPrimitives.ReadUInt32BigEndian(frame);
        // Compared as unsigned and without adding: 4294967295 + 4 wraps round in the official readers.
        if (declared < AgentMessageLayout.ServiceHeader || declared > (uint)(frame.Length - AgentMessageLayout.LengthSize))
            return MessageFault.HeaderLength;
        var headerLength = (int)declared;
        var payloadOffset = headerLength + AgentMessageLayout.LengthSize;

        var type = Trim(frame.Slice(AgentMessageLayout.MessageType, AgentMessageLayout.MessageTypeSize));
        if (type.IsEmpty) return MessageFault.MessageType;
        var created = BinaryPrimitives.ReadUInt64BigEndian(frame[AgentMessageLayout.CreatedDate..]);
        if (created == 0) return MessageFault.CreatedDate;

        var name = MessageTypes.Name(type);
        // Their digests are known not to match, and their length is not reliable (protocol §2.1).
        var exempt = name is MessageTypes.StartPublication or MessageTypes.PausePublication;
        if (verifyDigest && !exempt && BinaryPrimitives.ReadUInt32BigEndian(frame[headerLength..]) != 0
            && !DigestMatches(frame[payloadOffset..], frame.Slice(AgentMessageLayout.PayloadDigest, AgentMessageLayout.DigestSize)))
            return MessageFault.Digest;

        header = new()
        {
            MessageType = name,
            HeaderLength = headerLength,
            SchemaVersion = BinaryPrimitives.ReadUInt32BigEndian(frame[AgentMessageLayout.SchemaVersion..]),
            CreatedDate = created,
            SequenceNumber = BinaryPrimitives.ReadInt64BigEndian(frame[AgentMessageLayout.SequenceNumber..]),
            Flags = (MessageFlags)BinaryPrimitives.ReadUInt64BigEndian(frame[AgentMessageLayout.Flags..]),
            MessageId = ReadId(frame[AgentMessageLayout.MessageId..]),
            PayloadType = headerLength < AgentMessageLayout.PeerHeader
                ? PayloadType.None
                : (PayloadType)BinaryPrimitives.ReadUInt32BigEndian(frame[AgentMessageLayout.PayloadType..]),
            PayloadOffset = payloadOffset,
        };
        return MessageFault.None;
    }

    /// <summary>NULs at both ends go first, then white space: a type padded with NULs and then spaces keeps its NULs and is unknown, as for the official readers.</summary>
    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> field) => field.Trim((byte)0).Trim(" \t\n\v\f\r"u8);

    private static bool DigestMatches(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> digest)
    {
        Span<byte> actual = stackalloc byte[AgentMessageLayout.DigestSize];
        SHA256.HashData(payload, actual);
        return actual.SequenceEqual(digest);
    }

    /// <summary>Bytes 0–7 on the wire are the UUID's bytes 8–15.</summary>
    private static Guid ReadId(ReadOnlySpan<byte> wire)
    {
        Span<byte> logical = stackalloc byte[16];
        wire.Slice(8, 8).CopyTo(logical);
        wire[..8].CopyTo(logical[8..]);
        return new Guid(logical, bigEndian: true);
    }
}
