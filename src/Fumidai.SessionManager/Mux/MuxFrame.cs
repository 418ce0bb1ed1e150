using System.Buffers.Binary;

namespace Fumidai.SessionManager;

/// <summary>The second byte of an smux frame (protocol §5.5).</summary>
internal enum MuxCommand : byte
{
    /// <summary>Opens a stream.</summary>
    Syn = 0,
    /// <summary>Ends a stream; smux has no reset.</summary>
    Fin = 1,
    /// <summary>Carries bytes of a stream.</summary>
    Psh = 2,
    /// <summary>Keep-alive.</summary>
    Nop = 3,
    /// <summary>Window update of version 2; a version 1 reader swallows it.</summary>
    Upd = 4,
}

/// <summary>The header of an smux version 1 frame, all little-endian: version, command, length (2 bytes), stream id (4 bytes).</summary>
internal readonly record struct MuxFrameHeader(MuxCommand Command, ushort Length, uint StreamId)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 8;

    /// <summary>Largest payload of a frame that the stock library writes; the format would allow 65,535.</summary>
    public const int MaxPush = 32_768;

    /// <summary>What an UPD is followed by, whatever its length field says.</summary>
    public const int UpdateSize = 8;

    private const byte Version = 1;

    /// <summary>Reads one header. False: more bytes are needed, nothing was consumed.</summary>
    /// <exception cref="MuxProtocolException">Wrong version or command: nothing that follows can be understood.</exception>
    public static bool TryRead(ReadOnlySpan<byte> input, out MuxFrameHeader header)
    {
        header = default;
        if (input.Length < Size) return false;
        if (input[0] != Version || input[1] > (byte)MuxCommand.Upd)
            throw new MuxProtocolException($"smux frame with version {input[0]}, command {input[1]}");
        header = new((MuxCommand)input[1],
            BinaryPrimitives.ReadUInt16LittleEndian(input[2..]), BinaryPrimitives.ReadUInt32LittleEndian(input[4..]));
        return true;
    }

    /// <summary>Writes the eight bytes.</summary>
    public void Write(Span<byte> output)
    {
        output[0] = Version;
        output[1] = (byte)Command;
        BinaryPrimitives.WriteUInt16LittleEndian(output[2..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(output[4..], StreamId);
    }
}

/// <summary>The peer's smux bytes make no sense. The multiplexed session cannot go on.</summary>
internal sealed class MuxProtocolException(string message) : Exception(message);
