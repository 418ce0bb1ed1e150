using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fumidai.Lab;

/// <summary>
/// The lab's certificate authority. Its key lives in memory only and dies with the lab; what is written is <c>ca.pem</c>.
/// Validity follows the machine's clock, not the lab's: the clients that check it know only the former.
/// </summary>
internal sealed class LabAuthority : IDisposable
{
    private readonly X509Certificate2 _authority;

    private LabAuthority(X509Certificate2 authority, string file)
    {
        _authority = authority;
        CertificateFile = file;
    }

    /// <summary>Path of the CA's certificate (PEM).</summary>
    public string CertificateFile { get; }

    /// <summary>The CA's certificate without its key.</summary>
    public X509Certificate2 Certificate => X509CertificateLoader.LoadCertificate(_authority.RawData);

    /// <summary>Makes a fresh CA and writes <c>ca.pem</c> into the directory.</summary>
    public static LabAuthority Create(string directory)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Fumidai lab CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = TimeProvider.System.GetUtcNow();
        var authority = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(2));
        var file = Path.Combine(directory, "ca.pem");
        File.WriteAllText(file, authority.ExportCertificatePem() + "\n");
        return new LabAuthority(authority, file);
    }

    /// <summary>Issues a server certificate with its key for these DNS names and addresses; the first name is its subject.</summary>
    public X509Certificate2 IssueServer(IReadOnlyList<string> names, IReadOnlyList<IPAddress> addresses)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = names.Count > 0 ? names[0] : addresses[0].ToString();
        // A common name holds 64 characters at most; RDS endpoints may be longer. Names are checked against the alternative names anyway.
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(subject.Length <= 64 ? subject : "Fumidai lab server");
        var request = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var dns in names)
            alternatives.AddDnsName(dns);
        foreach (var address in addresses)
            alternatives.AddIpAddress(address);
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        Span<byte> serial = stackalloc byte[16];
        RandomNumberGenerator.Fill(serial);
        serial[0] = (byte)(serial[0] & 0x7f | 0x01);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.Create(_authority, now.AddDays(-1), now.AddYears(1), serial);
        var withKey = certificate.CopyWithPrivateKey(key);
        if (!OperatingSystem.IsWindows())
            return withKey;
        // Windows' TLS refuses keys that live only in memory.
        using (withKey)
            return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    public void Dispose() => _authority.Dispose();
}
