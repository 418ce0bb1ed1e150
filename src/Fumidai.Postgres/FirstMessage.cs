using System.Buffers.Binary;

namespace Fumidai.Postgres;

/// <summary>What a client says first: a question about encryption, a cancel request, or its start-up.</summary>
/// <remarks>All four begin with Int32 length (itself included) and Int32 code; there is no type byte.</remarks>
internal abstract record FirstMessage
{
    private const int CancelCode = 80877102;
    private const int SslCode = 80877103;
    private const int GssCode = 80877104;

    /// <summary>SSLRequest.</summary>
    internal sealed record Ssl : FirstMessage;

    /// <summary>GSSENCRequest.</summary>
    internal sealed record Gss : FirstMessage;

    /// <summary>CancelRequest.</summary>
    internal sealed record Cancel(CancelKey Key) : FirstMessage;

    /// <summary>StartupMessage.</summary>
    internal sealed record Startup(StartupMessage Message) : FirstMessage;

    /// <summary>Reads one, and not a byte more. Null: the client closed before its first byte (a port scan, a probe).</summary>
    /// <exception cref="PostgresProtocolException">A length out of bounds, or a packet that ends early.</exception>
    internal static async ValueTask<FirstMessage?> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        // Nothing is rented for a client that says nothing.
        await stream.ReadAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        var head = new byte[4];
        var got = await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (got == 0)
            return null;
        var length = got == head.Length ? BinaryPrimitives.ReadInt32BigEndian(head) : throw new PostgresProtocolException("an unfinished start-up packet");
        if (length is < 8 or > StartupMessage.MaxLength)
            throw new PostgresProtocolException("invalid length of startup packet");
        var body = new byte[length - 4];
        if (await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) < body.Length)
            throw new PostgresProtocolException("an unfinished start-up packet");
        var code = BinaryPrimitives.ReadInt32BigEndian(body);
        return code switch
        {
            SslCode when length == 8 => new Ssl(),
            GssCode when length == 8 => new Gss(),
            // Four bytes of secret up to protocol 3.0, up to 256 from 3.2.
            CancelCode when length is >= 16 and <= 12 + CancelKey.MaxSecretLength => new Cancel(new CancelKey(BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(4)), body.AsSpan(8))),
            SslCode or GssCode or CancelCode => throw new PostgresProtocolException("invalid length of startup packet"),
            _ => new Startup(code >> 16 == 3
                ? StartupMessage.Read(code, body.AsSpan(4))
                : throw new UnsupportedProtocolException(code)),
        };
    }
}

/// <summary>A client of another major version.</summary>
internal sealed class UnsupportedProtocolException(int version) : Exception
{
    internal int Version => version;
}
