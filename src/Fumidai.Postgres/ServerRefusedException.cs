using System.Buffers;

namespace Fumidai.Postgres;

/// <summary>The server refused with an ErrorResponse.</summary>
public sealed class ServerRefusedException : Exception
{
    private readonly byte[] _message;

    internal ServerRefusedException(byte[] message, ErrorResponse error, SignInMethod asked) : base(error.ToString()) =>
        (_message, Error, Asked) = (message, error, asked);

    /// <summary>What it said.</summary>
    public ErrorResponse Error { get; }

    /// <summary>How it wanted the sign-in, when it had said so.</summary>
    public SignInMethod Asked { get; }

    /// <summary>The message as it came, to be passed on.</summary>
    public ReadOnlySpan<byte> Bytes => _message;

    internal static ServerRefusedException Of(byte[] message, SignInMethod asked)
    {
        var sequence = new ReadOnlySequence<byte>(message);
        return ErrorResponse.TryRead(ref sequence, out var error)
            ? new ServerRefusedException(message, error!, asked)
            : throw new PostgresProtocolException("an unfinished ErrorResponse");
    }

    /// <summary>Reads the rest of an error whose first byte was read: where an SSLRequest met one.</summary>
    internal static async Task<Exception> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var read = new List<byte> { (byte)'E' };
        var one = new byte[1];
        // Byte by byte: it may be a bare text without a length, and it is read once in a connection's life.
        while (read.Count < ErrorResponse.MaxLength && await stream.ReadAsync(one, cancellationToken).ConfigureAwait(false) == 1)
        {
            read.Add(one[0]);
            var sequence = new ReadOnlySequence<byte>([.. read]);
            if (read.Count > 5 && (one[0] == 0) && ErrorResponse.TryRead(ref sequence, out var error))
                return new ServerRefusedException([.. read], error!, SignInMethod.None);
        }
        return new PostgresProtocolException("an unfinished ErrorResponse");
    }
}

/// <summary>How a server wants a sign-in.</summary>
public enum SignInMethod
{
    /// <summary>It has not said, or lets in without.</summary>
    None,
    /// <summary>The password itself: IAM tokens on RDS, LDAP, PAM.</summary>
    Cleartext,
    /// <summary>MD5 of password, user and salt.</summary>
    Md5,
    /// <summary>SCRAM-SHA-256.</summary>
    Scram,
    /// <summary>SCRAM-SHA-256 bound to the TLS connection.</summary>
    ScramPlus,
}
