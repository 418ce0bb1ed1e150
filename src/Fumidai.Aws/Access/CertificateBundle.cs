using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fumidai.Aws;

/// <summary>The roots of <c>AWS_CA_BUNDLE</c> or <c>ca_bundle</c>, trusted instead of the system's. Source: dotnet-facts §6.4.</summary>
internal sealed record CertificateBundle(string File, X509Certificate2Collection Roots)
{
    /// <summary>Null when none is named.</summary>
    /// <exception cref="AwsFailure">Configuration: the file is missing or holds no certificate.</exception>
    public static CertificateBundle? From(AwsEnvironment environment, ConfigSection? profile)
    {
        var (setting, named) = environment["AWS_CA_BUNDLE"] is { } bundle ? ("AWS_CA_BUNDLE", bundle)
            : profile?["ca_bundle"] is { } ofProfile ? ("ca_bundle", ofProfile)
            : ("REQUESTS_CA_BUNDLE", environment["REQUESTS_CA_BUNDLE"]);
        if (named is null)
            return null;
        var file = Path.GetFullPath(environment.Expand(named));
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new AwsFailure(AwsFailureKind.Configuration, setting, null, $"cannot read certificates from {setting} {file}: {e.Message}", e);
        }
        return roots.Count > 0
            ? new CertificateBundle(file, roots)
            : throw new AwsFailure(AwsFailureKind.Configuration, setting, null, $"{setting} {file} holds no PEM certificate");
    }
}
