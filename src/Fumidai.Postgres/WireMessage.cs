using System.Buffers.Binary;

namespace Fumidai.Postgres;

/// <summary>Typed messages: one type byte, Int32 length (itself included), body. Read whole, one at a time, and not a byte more.</summary>
internal static class WireMessage
{
    private const int HeadLength = 5;

    /// <summary>Reads one message, head included.</summary>
    /// <param name="stream">From.</param>
    /// <param name="maxLength">Most bytes a body may have here.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="PostgresProtocolException">Longer, or it ended in between.</exception>
    internal static async ValueTask<byte[]> ReadAsync(Stream stream, int maxLength, CancellationToken cancellationToken)
    {
        var head = new byte[HeadLength];
        if (await stream.ReadAtLeastAsync(head, HeadLength, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) < HeadLength)
            throw new PostgresProtocolException("the connection ended where a message was expected");
        var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1));
        if (length < 4 || length - 4 > maxLength)
            throw new PostgresProtocolException("a message of a length that does not belong there");
        var message = new byte[1 + length];
        head.CopyTo(message, 0);
        if (await stream.ReadAtLeastAsync(message.AsMemory(HeadLength), length - 4, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) < length - 4)
            throw new PostgresProtocolException("the connection ended within a message");
        return message;
    }

    /// <summary>The body of a whole message.</summary>
    internal static ReadOnlyMemory<byte> Body(byte[] message) => message.AsMemory(HeadLength);

    /// <summary>Makes one of parts.</summary>
    internal static byte[] Of(char type, params ReadOnlySpan<byte[]> parts)
    {
        var length = 4;
        foreach (var part in parts)
            length += part.Length;
        var message = new byte[1 + length];
        message[0] = (byte)type;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), length);
        var at = HeadLength;
        foreach (var part in parts)
        {
            part.CopyTo(message, at);
            at += part.Length;
        }
        return message;
    }

    internal static byte[] Int32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
