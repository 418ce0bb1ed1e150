using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace Fumidai.Aws.Tests;

/// <summary>The roots built into Fumidai (docs/certificates.md). The first test is meant to turn red by itself one day.</summary>
public sealed class RootCertificatesTests
{
    private static X509Certificate2Collection Roots()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Fumidai.slnx")))
            root = root.Parent;
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(Path.Combine(root!.FullName, "src", "Fumidai", "Certificates", "rds-and-amazon-roots.pem"));
        return roots;
    }

    [Fact]
    public void No_root_is_expired_or_expires_within_90_days()
    {
        var soon = DateTime.UtcNow.AddDays(90);
        Assert.All(Roots(), root => Assert.True(root.NotAfter.ToUniversalTime() > soon, $"{root.Subject} ends {root.NotAfter:u}: renew the bundle as docs/certificates.md says"));
    }

    [Theory]
    [InlineData("Amazon Root CA 1")]
    [InlineData("Amazon Root CA 2")]
    [InlineData("Amazon Root CA 3")]
    [InlineData("Amazon Root CA 4")]
    [InlineData("Starfield Services Root Certificate Authority - G2")]
    [InlineData("Amazon RDS ap-northeast-1 Root CA RSA2048 G1")]
    [InlineData("Amazon RDS us-east-1 Root CA ECC384 G1")]
    public void The_roots_of_RDS_and_of_Amazon_are_there(string name) =>
        Assert.Single(Roots(), root => root.GetNameInfo(X509NameType.SimpleName, false) == name);

    [Fact]
    public void Beta_and_preview_roots_are_left_out_and_all_are_self_signed_authorities()
    {
        var roots = Roots();
        Assert.Equal(86, roots.Count);
        Assert.All(roots, root =>
        {
            Assert.DoesNotContain("Beta", root.Subject, StringComparison.Ordinal);
            Assert.DoesNotContain("Preview", root.Subject, StringComparison.Ordinal);
            Assert.Equal(root.Subject, root.Issuer);
            Assert.True(root.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        });
    }
}
