using System.Buffers;

namespace Fumidai.Postgres;

/// <summary>What a server said to <see cref="SslRequest"/>.</summary>
public enum SslAnswerKind
{
    /// <summary><c>S</c>: a TLS handshake may begin.</summary>
    Willing,
    /// <summary><c>N</c>: no TLS here; the connection goes on without.</summary>
    Unwilling,
    /// <summary>An ErrorResponse instead of an answer.</summary>
    Error,
}

/// <summary>One answer.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="Error">The error, for <see cref="SslAnswerKind.Error"/>.</param>
public sealed record SslAnswer(SslAnswerKind Kind, ErrorResponse? Error)
{
    /// <summary>
    /// Reads the answer from the start of what has arrived. False: more bytes are needed. <paramref name="input"/> is advanced past what was read.
    /// </summary>
    /// <exception cref="PostgresProtocolException">The peer does not speak PostgreSQL.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> input, out SslAnswer? answer)
    {
        answer = null;
        if (input.IsEmpty)
            return false;
        // The first segment may be empty where the sequence is not.
        switch (input.Slice(0, 1).ToArray()[0])
        {
            case (byte)'S':
                answer = new SslAnswer(SslAnswerKind.Willing, null);
                input = input.Slice(1);
                return true;
            case (byte)'N':
                answer = new SslAnswer(SslAnswerKind.Unwilling, null);
                input = input.Slice(1);
                return true;
            case (byte)'E':
                if (!ErrorResponse.TryRead(ref input, out var error))
                    return false;
                answer = new SslAnswer(SslAnswerKind.Error, error);
                return true;
            default:
                throw new PostgresProtocolException("the far end does not speak the PostgreSQL protocol");
        }
    }
}
