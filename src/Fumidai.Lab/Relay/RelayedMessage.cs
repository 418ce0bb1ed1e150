using System.Buffers.Binary;

namespace Fumidai.Lab;

/// <summary>What the relay does with a message.</summary>
internal enum RelayedKind
{
    /// <summary>Forwarded; counts as activity.</summary>
    Data,
    /// <summary>Forwarded; does not.</summary>
    Acknowledge,
    /// <summary>agent_session_state: for the service alone.</summary>
    State,
    /// <summary>Unknown or broken: dropped.</summary>
    Other,
}

/// <summary>The few header fields a relay looks at (protocol §2): type at 4, payload type at 112, payload at 120. Nothing else is read, nothing changed.</summary>
internal static class RelayedMessage
{
    private const int TypeOffset = 4;
    private const int TypeSize = 32;
    private const int PayloadType = 112;
    private const int Payload = 120;

    public static RelayedKind Classify(ReadOnlySpan<byte> message)
    {
        if (message.Length < Payload)
            return RelayedKind.Other;
        var type = message.Slice(TypeOffset, TypeSize).Trim((byte)0).Trim((byte)' ');
        if (type.SequenceEqual("output_stream_data"u8) || type.SequenceEqual("input_stream_data"u8))
            return RelayedKind.Data;
        if (type.SequenceEqual("acknowledge"u8))
            return RelayedKind.Acknowledge;
        return type.SequenceEqual("agent_session_state"u8) ? RelayedKind.State : RelayedKind.Other;
    }

    /// <summary>Bytes of payload in stream data of that many bytes.</summary>
    public static int PayloadLength(int message) => message - Payload;

    /// <summary>Whether stream data is the client's wish to end the session: payload type 10, flag 2.</summary>
    public static bool IsTerminateFlag(ReadOnlySpan<byte> message) =>
        message.Length == Payload + 4 && BinaryPrimitives.ReadUInt32BigEndian(message[PayloadType..]) == 10 && BinaryPrimitives.ReadUInt32BigEndian(message[Payload..]) == 2;
}
