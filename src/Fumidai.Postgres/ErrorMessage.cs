using System.Buffers.Binary;
using System.Text;

namespace Fumidai.Postgres;

/// <summary>An ErrorResponse of our own, in the bytes that every client knows how to show.</summary>
public static class ErrorMessage
{
    /// <summary>A fatal error: the connection ends with it.</summary>
    /// <param name="code">SQLSTATE.</param>
    /// <param name="message">One sentence.</param>
    /// <param name="hint">What to do next; null: nothing to advise.</param>
    public static byte[] Fatal(string code, string message, string? hint = null)
    {
        var fields = new List<(char, string)> { ('S', "FATAL"), ('V', "FATAL"), ('C', code), ('M', OneLine(message)) };
        if (hint is not null)
            fields.Add(('H', OneLine(hint)));
        return Of(fields);
    }

    /// <summary>An ErrorResponse, or a NoticeResponse, about a statement; the connection goes on.</summary>
    /// <param name="severity">ERROR, WARNING, NOTICE …</param>
    /// <param name="code">SQLSTATE.</param>
    /// <param name="message">As the server said it, of several lines perhaps.</param>
    /// <param name="detail">Null: none.</param>
    /// <param name="hint">Null: none.</param>
    /// <param name="position">Character in the text that the client sent, from 1; null: none.</param>
    public static byte[] Of(string severity, string code, string message, string? detail = null, string? hint = null, int? position = null)
    {
        var fields = new List<(char, string)> { ('S', severity), ('V', severity), ('C', code), ('M', message.Replace('\0', ' ')) };
        if (detail is not null)
            fields.Add(('D', detail.Replace('\0', ' ')));
        if (hint is not null)
            fields.Add(('H', hint.Replace('\0', ' ')));
        if (position is { } at)
            fields.Add(('P', at.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        var bytes = Of(fields);
        if (severity is not ("ERROR" or "FATAL" or "PANIC"))
            bytes[0] = (byte)'N';
        return bytes;
    }

    /// <summary>A server's ErrorResponse with a hint added, all else unchanged; as it is where it has a hint, or is a bare text.</summary>
    /// <param name="message">The whole message, type byte and length included.</param>
    /// <param name="hint">What to do next.</param>
    public static byte[] WithHint(ReadOnlySpan<byte> message, string hint)
    {
        if (message.Length < 7 || message[0] != (byte)'E' || message[1] != 0 || message[^1] != 0)
            return message.ToArray();
        for (var rest = message[5..]; rest.Length > 0 && rest[0] != 0;)
        {
            if (rest[0] == (byte)'H')
                return message.ToArray();
            var end = rest.IndexOf((byte)0);
            if (end < 0)
                return message.ToArray();
            rest = rest[(end + 1)..];
        }
        byte[] longer = [.. message[..^1], (byte)'H', .. Encoding.UTF8.GetBytes(OneLine(hint)), 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(longer.AsSpan(1), longer.Length - 1);
        return longer;
    }

    private static byte[] Of(List<(char Type, string Text)> fields)
    {
        var body = new List<byte>(256);
        foreach (var (type, text) in fields)
        {
            body.Add((byte)type);
            body.AddRange(Encoding.UTF8.GetBytes(text));
            body.Add(0);
        }
        body.Add(0);
        var message = new byte[5 + body.Count];
        message[0] = (byte)'E';
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length - 1);
        body.CopyTo(message, 5);
        return message;
    }

    private static string OneLine(string text) => new([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);
}
