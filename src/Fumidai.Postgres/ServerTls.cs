using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Fumidai.Postgres;

/// <summary>Who the server must prove to be.</summary>
/// <param name="Host">The name in its certificate: the endpoint's, whatever the way to it.</param>
/// <param name="Roots">What vouches for it; nothing else does.</param>
public sealed record ServerIdentity(string Host, X509Certificate2Collection Roots);

/// <summary>The server's TLS could not be had, or did not prove the name.</summary>
/// <param name="message">What was wrong.</param>
/// <param name="inner">The TLS library's words.</param>
public sealed class ServerTlsException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Opens TLS to a PostgreSQL server, verify-full, by SSLRequest. There is no way back to plaintext.</summary>
public static class ServerTls
{
    /// <summary>Asks, shakes hands, verifies.</summary>
    /// <param name="raw">The connection, nothing said on it yet. Owned by the result.</param>
    /// <param name="identity">Who must answer.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ServerTlsException">No TLS, or not this server's.</exception>
    /// <exception cref="ServerRefusedException">It answered with an error of its own (for instance while it starts).</exception>
    /// <exception cref="PostgresProtocolException">It does not speak PostgreSQL.</exception>
    public static async Task<SslStream> OpenAsync(Stream raw, ServerIdentity identity, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(raw);
        ArgumentNullException.ThrowIfNull(identity);
        await raw.WriteAsync(SslRequest.Bytes.ToArray(), cancellationToken).ConfigureAwait(false);
        await raw.FlushAsync(cancellationToken).ConfigureAwait(false);
        // One byte and no more: what somebody slipped in behind it must go to the TLS handshake, and fail there (CVE-2021-23222).
        var answer = new byte[1];
        if (await raw.ReadAsync(answer, cancellationToken).ConfigureAwait(false) == 0)
            throw new EndOfStreamException("the server closed the connection without an answer");
        switch (answer[0])
        {
            case (byte)'S':
                return await ShakeHandsAsync(raw, identity, cancellationToken).ConfigureAwait(false);
            case (byte)'N':
                throw new ServerTlsException("the server offers no TLS, and nothing is sent without");
            case (byte)'E':
                throw await ServerRefusedException.ReadAsync(raw, cancellationToken).ConfigureAwait(false);
            default:
                throw new PostgresProtocolException("the far end does not speak the PostgreSQL protocol");
        }
    }

    private static async Task<SslStream> ShakeHandsAsync(Stream raw, ServerIdentity identity, CancellationToken cancellationToken)
    {
        var wrong = "";
        var tls = new SslStream(raw, leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = identity.Host,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                    CertificateChainPolicy = Policy(identity.Roots),
                    RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                    {
                        wrong = Wrong(identity.Host, certificate, chain, errors);
                        return errors == SslPolicyErrors.None;
                    },
                }, cancellationToken).ConfigureAwait(false);
            return tls;
        }
        catch (Exception e) when (e is AuthenticationException or IOException && !cancellationToken.IsCancellationRequested)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw new ServerTlsException(wrong.Length > 0 ? wrong : "the TLS handshake failed", e);
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static X509ChainPolicy Policy(X509Certificate2Collection roots)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            // Intermediates come with the handshake; nobody is to be asked over the network in the middle of it.
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(roots);
        policy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1"));
        return policy;
    }

    private static string Wrong(string host, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return "";
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            return "the server shows no certificate";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            var statuses = chain?.ChainStatus.Select(s => s.Status).Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one) ?? X509ChainStatusFlags.NoError;
            if (statuses.HasFlag(X509ChainStatusFlags.NotTimeValid))
                return "the server's certificate has expired or is not valid yet";
            if (statuses.HasFlag(X509ChainStatusFlags.UntrustedRoot))
                return "the server's certificate is self-signed or comes from an authority that is not trusted";
            if (statuses.HasFlag(X509ChainStatusFlags.PartialChain))
                return "the server's certificate comes from an authority that is not trusted";
            return $"the server's certificate does not verify ({statuses})";
        }
        return $"the server's certificate is not for {host}";
    }
}
