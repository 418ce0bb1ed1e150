using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Fumidai.Postgres;

/// <summary>Writes messages one behind the other into one buffer; the length of each is filled in at its end.</summary>
public sealed class MessageWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private int _start = -1;
    private byte[] _patched = [];
    private readonly List<(int At, int Length)> _lengths = [];

    /// <summary>Everything written, whole messages only.</summary>
    public ReadOnlyMemory<byte> Written
    {
        get
        {
            _patched = _buffer.WrittenSpan.ToArray();
            foreach (var (at, length) in _lengths)
                BinaryPrimitives.WriteInt32BigEndian(_patched.AsSpan(at), length);
            return _patched;
        }
    }

    /// <summary>Bytes written.</summary>
    public int Length => _buffer.WrittenCount;

    /// <summary>Forgets what was written; the buffer stays.</summary>
    public void Clear()
    {
        _buffer.ResetWrittenCount();
        _lengths.Clear();
    }

    /// <summary>Begins a message of this type.</summary>
    public MessageWriter Begin(char type)
    {
        Byte(type);
        _start = _buffer.WrittenCount;
        return Int32(0);
    }

    /// <summary>Ends the message.</summary>
    public MessageWriter End()
    {
        _lengths.Add((_start, _buffer.WrittenCount - _start));
        return this;
    }

    /// <summary>One byte.</summary>
    public MessageWriter Byte(char value)
    {
        _buffer.GetSpan(1)[0] = (byte)value;
        _buffer.Advance(1);
        return this;
    }

    /// <summary>An Int16; counts above 32,767 in its unsigned form.</summary>
    public MessageWriter Int16(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_buffer.GetSpan(2), unchecked((ushort)value));
        _buffer.Advance(2);
        return this;
    }

    /// <summary>An Int32.</summary>
    public MessageWriter Int32(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(_buffer.GetSpan(4), value);
        _buffer.Advance(4);
        return this;
    }

    /// <summary>A zero-terminated text.</summary>
    public MessageWriter Text(string value)
    {
        Encoding.UTF8.GetBytes(value, _buffer);
        return Byte('\0');
    }

    /// <summary>Bytes as they are.</summary>
    public MessageWriter Bytes(ReadOnlySpan<byte> value)
    {
        _buffer.Write(value);
        return this;
    }

    /// <summary>A length and the value; -1 for null.</summary>
    public MessageWriter Value(ReadOnlyMemory<byte>? value) => value is { } bytes ? Int32(bytes.Length).Bytes(bytes.Span) : Int32(-1);
}
