using System.Buffers.Binary;
using System.Text;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>Reads a message's body from its start to its end.</summary>
internal ref struct BodyReader(ReadOnlyMemory<byte> body)
{
    private static readonly UTF8Encoding s_utf8 = new(false, throwOnInvalidBytes: true);

    private ReadOnlyMemory<byte> _rest = body;

    public readonly bool IsAtEnd => _rest.Length == 0;

    public byte Byte() => Take(1).Span[0];

    public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Take(2).Span);

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(4).Span);

    /// <summary>A count, which is never negative.</summary>
    public int Count() => BinaryPrimitives.ReadUInt16BigEndian(Take(2).Span);

    public string Text()
    {
        var end = _rest.Span.IndexOf((byte)0);
        if (end < 0)
            throw new PostgresProtocolException("invalid string in message");
        var text = s_utf8.GetString(Take(end).Span);
        Take(1);
        return text;
    }

    /// <summary>A value with its length before it; null for SQL null.</summary>
    public ReadOnlyMemory<byte>? Value() => Int32() is >= 0 and var length ? Take(length) : default(ReadOnlyMemory<byte>?); // a bare null would be an empty value

    /// <exception cref="PostgresProtocolException">Bytes are left.</exception>
    public readonly void End()
    {
        if (_rest.Length > 0)
            throw new PostgresProtocolException("invalid message format");
    }

    private ReadOnlyMemory<byte> Take(int length)
    {
        if (length > _rest.Length)
            throw new PostgresProtocolException("insufficient data left in message");
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
