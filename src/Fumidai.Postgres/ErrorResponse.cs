using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Fumidai.Postgres;

/// <summary>
/// What a server says when it refuses: severity, SQLSTATE and a sentence. Fields a client does not know are skipped.
/// </summary>
/// <remarks>
/// Layout: <c>E</c>, Int32 length (itself included), then fields of one type byte and a zero-terminated text, closed by a zero byte.
/// Before the protocol version is agreed a server may also answer <c>E</c> and one bare zero-terminated text ("Message Flow", "Start-up").
/// </remarks>
public sealed record ErrorResponse
{
    /// <summary>Largest error read, in bytes: a server's text is a few hundred; more is not an error message.</summary>
    public const int MaxLength = 16 * 1024;

    /// <summary>FATAL, ERROR, PANIC, untranslated where the server says so; empty for a bare text.</summary>
    public required string Severity { get; init; }

    /// <summary>SQLSTATE, five characters; empty for a bare text.</summary>
    public required string Code { get; init; }

    /// <summary>The sentence.</summary>
    public required string Message { get; init; }

    /// <summary>One line for people: <c>FATAL 57P03: the database system is starting up</c>.</summary>
    public override string ToString() =>
        string.Join(' ', new[] { Severity, Code }.Where(part => part.Length > 0)) is { Length: > 0 } head
            ? $"{head}: {Message}"
            : Message;

    /// <summary>Reads one message at the start of <paramref name="input"/>. False: more bytes are needed; nothing is consumed then.</summary>
    /// <exception cref="PostgresProtocolException">Not an ErrorResponse, or longer than <see cref="MaxLength"/>.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> input, out ErrorResponse? error)
    {
        error = null;
        if (input.IsEmpty)
            return false;
        if (input.Slice(0, 1).ToArray()[0] != (byte)'E')
            throw new PostgresProtocolException("an ErrorResponse was expected");
        if (input.Length < 5)
            return false;
        Span<byte> raw = stackalloc byte[4];
        input.Slice(1, 4).CopyTo(raw);
        // A length has a zero first byte under MaxLength; a bare text never does.
        return raw[0] == 0
            ? TryReadFields(ref input, BinaryPrimitives.ReadInt32BigEndian(raw), out error)
            : TryReadBareText(ref input, out error);
    }

    private static bool TryReadFields(ref ReadOnlySequence<byte> input, int length, out ErrorResponse? error)
    {
        error = null;
        if (length is < 5 or > MaxLength)
            throw new PostgresProtocolException($"an ErrorResponse of {length} bytes");
        if (input.Length < 1 + length)
            return false;
        var body = input.Slice(5, length - 4).ToArray().AsSpan();
        string severity = "", plainSeverity = "", code = "", message = "";
        while (body.Length > 0 && body[0] != 0)
        {
            var end = body[1..].IndexOf((byte)0);
            if (end < 0)
                throw new PostgresProtocolException("an ErrorResponse with an unfinished field");
            var text = Text(body.Slice(1, end));
            switch (body[0])
            {
                case (byte)'S': plainSeverity = text; break;
                case (byte)'V': severity = text; break;
                case (byte)'C': code = text; break;
                case (byte)'M': message = text; break;
                default: break;
            }
            body = body[(end + 2)..];
        }
        input = input.Slice(1 + length);
        error = new ErrorResponse { Severity = severity.Length > 0 ? severity : plainSeverity, Code = code, Message = message };
        return true;
    }

    private static bool TryReadBareText(ref ReadOnlySequence<byte> input, out ErrorResponse? error)
    {
        error = null;
        var rest = input.Slice(1);
        var end = rest.PositionOf((byte)0);
        if (end is null)
        {
            if (rest.Length > MaxLength)
                throw new PostgresProtocolException("an error text without an end");
            return false;
        }
        var text = rest.Slice(0, end.Value);
        if (text.Length > MaxLength)
            throw new PostgresProtocolException($"an error text of {text.Length} bytes");
        error = new ErrorResponse { Severity = "", Code = "", Message = Text(text.ToArray()).Trim() };
        input = rest.Slice(rest.GetPosition(1, end.Value));
        return true;
    }

    /// <summary>The server's text on one line, with nothing that could drive a terminal.</summary>
    private static string Text(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes).ToCharArray();
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsControl(text[i]))
                text[i] = ' ';
        }
        return new string(text);
    }
}
