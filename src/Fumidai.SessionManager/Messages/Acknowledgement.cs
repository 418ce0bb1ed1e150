using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Fumidai.SessionManager;

/// <summary>
/// The payload of an acknowledge message (protocol §3.2), written and read by hand: there is one for every message, so neither direction may
/// allocate. Only the sequence number counts for the receiver.
/// </summary>
internal static class Acknowledgement
{
    private static ReadOnlySpan<byte> BeforeType => "{\"AcknowledgedMessageType\":\""u8;
    private static ReadOnlySpan<byte> BeforeId => "\",\"AcknowledgedMessageId\":\""u8;
    private static ReadOnlySpan<byte> BeforeNumber => "\",\"AcknowledgedMessageSequenceNumber\":"u8;
    private static ReadOnlySpan<byte> Tail => ",\"IsSequentialMessage\":true}"u8;

    /// <summary>Longest payload in bytes: both type names have at most 18 characters, a number at most 20.</summary>
    internal const int MaxSize = 28 + 32 + 27 + 36 + 39 + 20 + 28;

    /// <summary>Writes the payload; returns its length.</summary>
    internal static int Write(Span<byte> destination, string messageType, Guid id, long sequenceNumber)
    {
        var at = 0;
        Put(destination, BeforeType, ref at);
        at += Encoding.Latin1.GetBytes(messageType, destination[at..]);
        Put(destination, BeforeId, ref at);
        id.TryFormat(destination[at..], out var written, "D");
        at += written;
        Put(destination, BeforeNumber, ref at);
        Utf8Formatter.TryFormat(sequenceNumber, destination[at..], out written);
        at += written;
        Put(destination, Tail, ref at);
        return at;

        static void Put(Span<byte> destination, ReadOnlySpan<byte> text, ref int at)
        {
            text.CopyTo(destination[at..]);
            at += text.Length;
        }
    }

    /// <summary>Reads the sequence number. False: not an acknowledgement; drop it.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> payload, out long sequenceNumber)
        => TryReadUsual(payload, out sequenceNumber) || TryReadAny(payload, out sequenceNumber);

    /// <summary>The form that both official ends write, without a JSON reader.</summary>
    private static bool TryReadUsual(ReadOnlySpan<byte> payload, out long sequenceNumber)
    {
        sequenceNumber = 0;
        if (!payload.StartsWith(BeforeType)) return false;
        var rest = payload[BeforeType.Length..];
        if (!Skip(ref rest, "output_stream_data"u8) && !Skip(ref rest, "input_stream_data"u8)) return false;
        if (!Skip(ref rest, BeforeId) || rest.Length < 36 || rest[..36].IndexOfAny((byte)'"', (byte)'\\') >= 0) return false;
        rest = rest[36..];
        return Skip(ref rest, BeforeNumber)
            && Utf8Parser.TryParse(rest, out sequenceNumber, out var digits)
            && (rest[0] != (byte)'0' || digits == 1)   // 007 is not JSON
            && rest[0] != (byte)'+'
            && rest[digits..].SequenceEqual(Tail);
    }

    private static bool Skip(ref ReadOnlySpan<byte> rest, ReadOnlySpan<byte> text)
    {
        if (!rest.StartsWith(text)) return false;
        rest = rest[text.Length..];
        return true;
    }

    /// <summary>Any JSON object: names match without regard to case, unknown ones are ignored, as in the official readers.</summary>
    private static bool TryReadAny(ReadOnlySpan<byte> payload, out long sequenceNumber)
    {
        sequenceNumber = 0;
        var found = false;
        try
        {
            var reader = new Utf8JsonReader(payload);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isNumber = IsSequenceNumber(ref reader);
                if (!reader.Read()) return false;
                if (!isNumber) reader.Skip();
                else if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out sequenceNumber)) found = true;
                else return false;
            }
            return found && reader.TokenType == JsonTokenType.EndObject && !reader.Read();
        }
        catch (Exception e) when (MessageJson.IsBadInput(e))
        {
            return false;
        }
    }

    private static bool IsSequenceNumber(ref Utf8JsonReader reader)
    {
        const string Name = "AcknowledgedMessageSequenceNumber";
        if (reader.ValueSpan.Length == Name.Length) return Ascii.EqualsIgnoreCase(reader.ValueSpan, Name);
        return reader.ValueIsEscaped && reader.ValueSpan.Length <= Name.Length * 6
            && string.Equals(reader.GetString(), Name, StringComparison.OrdinalIgnoreCase);
    }
}
