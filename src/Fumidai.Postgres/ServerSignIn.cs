using System.Buffers.Binary;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Fumidai.Postgres;

/// <summary>
/// Signs in to a server over verified TLS: start-up, authentication, and what the server says up to the moment the client may speak. From there on
/// nothing is read.
/// </summary>
public sealed class ServerSignIn
{
    private const int MaxAuthLength = 64 * 1024;
    private const int MaxGreetingLength = 1024 * 1024;
    private const int MaxGreetingMessages = 10_000;

    private readonly SslStream _server;
    private readonly bool _allowMd5;
    private readonly List<byte> _forClient = [];
    private SignInMethod _asked;

    private ServerSignIn(SslStream server, bool allowMd5) => (_server, _allowMd5) = (server, allowMd5);

    /// <summary>How the server wanted the sign-in.</summary>
    public SignInMethod Method => _asked;

    /// <summary>The server's cancel key; null: it gave none.</summary>
    public CancelKey? CancelKey { get; private set; }

    /// <summary>Sends the start-up and signs in.</summary>
    /// <param name="server">Verified TLS (<see cref="ServerTls.OpenAsync"/>).</param>
    /// <param name="startup">What the client wants, with the user that signs in.</param>
    /// <param name="password">The password or token, UTF-8.</param>
    /// <param name="allowMd5">Whether an MD5 challenge is answered; its answer can be guessed offline.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ServerRefusedException">It refused.</exception>
    /// <exception cref="PostgresProtocolException">It said what does not belong there, or did not prove that it knows the password.</exception>
    public static async Task<ServerSignIn> RunAsync(SslStream server, StartupMessage startup, ReadOnlyMemory<byte> password, bool allowMd5, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(startup);
        if (!server.IsAuthenticated || !server.IsEncrypted)
            throw new InvalidOperationException("a password goes over verified TLS only");
        var signIn = new ServerSignIn(server, allowMd5);
        await server.WriteAsync(startup.ToBytes(), cancellationToken).ConfigureAwait(false);
        await signIn.AuthenticateAsync(startup["user"] ?? "", password, cancellationToken).ConfigureAwait(false);
        return signIn;
    }

    /// <summary>
    /// The server's words for the client, from AuthenticationOk on, unchanged but for the cancel key: up to BackendKeyData, or where there is none to the
    /// first ReadyForQuery. What follows is to be copied.
    /// </summary>
    /// <param name="keyForClient">Makes the key that the client gets.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The bytes; and whether the session stands (false: they end with a fatal error).</returns>
    public async Task<(byte[] Bytes, bool Stands)> GreetingAsync(Func<CancelKey, CancelKey> keyForClient, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keyForClient);
        for (var i = 0; i < MaxGreetingMessages && _forClient.Count < MaxGreetingLength; i++)
        {
            var message = await WireMessage.ReadAsync(_server, MaxGreetingLength, cancellationToken).ConfigureAwait(false);
            switch (message[0])
            {
                case (byte)'K' when message.Length is >= 13 and <= 9 + CancelKey.MaxSecretLength:
                    CancelKey = new CancelKey(BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(5)), message.AsSpan(9));
                    _forClient.AddRange(keyForClient(CancelKey).ToBackendKeyData());
                    return ([.. _forClient], true);
                case (byte)'Z':
                    _forClient.AddRange(message);
                    return ([.. _forClient], true);
                case (byte)'E':
                    _forClient.AddRange(message);
                    return ([.. _forClient], false);
                default:
                    _forClient.AddRange(message);
                    continue;
            }
        }
        throw new PostgresProtocolException("a greeting without an end");
    }

    private async Task AuthenticateAsync(string user, ReadOnlyMemory<byte> password, CancellationToken cancellationToken)
    {
        ScramClient? scram = null;
        var isProven = false;
        while (true)
        {
            var message = await WireMessage.ReadAsync(_server, MaxAuthLength, cancellationToken).ConfigureAwait(false);
            switch (message[0])
            {
                case (byte)'E':
                    throw ServerRefusedException.Of(message, _asked);
                case (byte)'N' or (byte)'v':
                    // Notices and the negotiated protocol version are the client's business.
                    Keep(message);
                    continue;
                case (byte)'R' when message.Length >= 9:
                    break;
                default:
                    throw new PostgresProtocolException("an authentication request was expected");
            }
            var data = WireMessage.Body(message)[4..];
            switch (BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(5)))
            {
                case 0 when scram is null || isProven:
                    Keep(message);
                    return;
                case 0:
                    throw new PostgresProtocolException("the server ended SCRAM without proving that it knows the password");
                case 3 when _asked == SignInMethod.None:
                    _asked = SignInMethod.Cleartext;
                    await SendPasswordAsync(password, cancellationToken).ConfigureAwait(false);
                    break;
                case 5 when _asked == SignInMethod.None && data.Length == 4:
                    _asked = SignInMethod.Md5;
                    if (!_allowMd5)
                        throw new PostgresProtocolException("the server asks for an MD5 password, which is not given unless allowed");
                    await _server.WriteAsync(WireMessage.Of('p', Md5(user, password.Span, data.Span)), cancellationToken).ConfigureAwait(false);
                    break;
                case 10 when _asked == SignInMethod.None:
                    scram = Choose(data.Span);
                    var first = Encoding.ASCII.GetBytes(scram.First);
                    await _server.WriteAsync(WireMessage.Of('p', Encoding.ASCII.GetBytes(scram.Mechanism + "\0"), WireMessage.Int32(first.Length), first), cancellationToken).ConfigureAwait(false);
                    break;
                case 11 when scram is not null && !isProven:
                    await _server.WriteAsync(WireMessage.Of('p', Encoding.ASCII.GetBytes(scram.Answer(data.Span, password.Span))), cancellationToken).ConfigureAwait(false);
                    break;
                case 12 when scram is not null:
                    isProven = scram.Proves(data.Span);
                    break;
                default:
                    throw new PostgresProtocolException("the server asks for an authentication that is not supported here");
            }
        }
    }

    private void Keep(byte[] message)
    {
        if (_forClient.Count > MaxGreetingLength)
            throw new PostgresProtocolException("a greeting without an end");
        _forClient.AddRange(message);
    }

    private ScramClient Choose(ReadOnlySpan<byte> mechanisms)
    {
        var offered = Encoding.ASCII.GetString(mechanisms).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        using var certificate = X509CertificateLoader.LoadCertificate(_server.RemoteCertificate!.GetRawCertData());
        var scram = new ScramClient(ChannelBinding.Of(certificate), offered.Contains(Scram.PlusMechanism));
        if (!offered.Contains(scram.Mechanism))
            throw new PostgresProtocolException("the server offers no SASL mechanism that is known here");
        _asked = scram.UsesBinding ? SignInMethod.ScramPlus : SignInMethod.Scram;
        return scram;
    }

    private async Task SendPasswordAsync(ReadOnlyMemory<byte> password, CancellationToken cancellationToken)
    {
        var message = new byte[6 + password.Length];
        message[0] = (byte)'p';
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length - 1);
        password.CopyTo(message.AsMemory(5));
        try
        {
            await _server.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(message);
        }
    }

    /// <summary>"md5" and hex of MD5(hex of MD5(password, user), salt), zero-terminated.</summary>
    private static byte[] Md5(string user, ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt)
    {
#pragma warning disable CA5351 // The protocol's own, and only where the user allowed it.
        byte[] secret = [.. password, .. Encoding.UTF8.GetBytes(user)];
        var inner = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(MD5.HashData(secret)));
        CryptographicOperations.ZeroMemory(secret);
        return [.. "md5"u8, .. Encoding.ASCII.GetBytes(Convert.ToHexStringLower(MD5.HashData([.. inner, .. salt]))), 0];
#pragma warning restore CA5351
    }
}
