using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fumidai.Postgres;

/// <summary><c>tls-server-end-point</c> (RFC 5929 §4.1): a hash of the server's certificate, which ties a sign-in to this one TLS connection's server.</summary>
internal static class ChannelBinding
{
    internal const string Type = "tls-server-end-point";

    /// <summary>The binding data. Null: undefined for this signature algorithm (Ed25519, PSS), as PostgreSQL's own client sees it.</summary>
    internal static byte[]? Of(X509Certificate2 certificate) => certificate.SignatureAlgorithm.Value switch
    {
        // MD5 and SHA-1 are replaced by SHA-256; every other hash stands for itself.
        "1.2.840.113549.1.1.4" or "1.2.840.113549.1.1.5" or "1.2.840.113549.1.1.11" or "1.2.840.10045.4.1" or "1.2.840.10045.4.3.2" => SHA256.HashData(certificate.RawDataMemory.Span),
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => SHA384.HashData(certificate.RawDataMemory.Span),
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => SHA512.HashData(certificate.RawDataMemory.Span),
        _ => null,
    };
}
