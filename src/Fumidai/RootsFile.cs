using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Fumidai;

/// <summary>
/// The certificates a client trusts for the database, as a file, because libpq takes nothing else. The shipped bundle is written once to the
/// user's cache folder under its own hash, so that versions and endpoints never overwrite each other.
/// </summary>
internal static class RootsFile
{
    private const string Resource = "Fumidai.Certificates.rds-and-amazon-roots.pem";

    /// <summary>A file the user named.</summary>
    /// <exception cref="FumidaiException">Configuration: not there, or no certificates.</exception>
    internal static string Checked(string path)
    {
        _ = Certificates(path);
        return Path.GetFullPath(path);
    }

    /// <summary>The shipped bundle, plus the roots of an endpoint that is not AWS.</summary>
    internal static string Write(string? endpointRoots, Func<string, string?> environment)
    {
        var text = Shipped();
        if (endpointRoots is not null)
            text += "\n" + Certificates(endpointRoots);
        var bytes = Encoding.UTF8.GetBytes(text);
        var folder = UserFolders.Cache(environment) ?? throw new FumidaiException(
            Reason.Configuration, "cannot keep the database's root certificates", "no home folder is known", "Set HOME or XDG_CACHE_HOME, or name a file with --ca-file");
        var path = Path.Combine(folder, $"roots-{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}.pem");
        try
        {
            if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes))
                Replace(folder, path, bytes);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FumidaiException(
                Reason.Configuration, $"cannot keep the database's root certificates in {folder}", e.Message, "Set XDG_CACHE_HOME to a folder that can be written, or name a file with --ca-file", inner: e);
        }
    }

    /// <summary>The same as <see cref="Checked"/> and <see cref="Write"/>, for whoever verifies in process.</summary>
    /// <exception cref="FumidaiException">Configuration: a file cannot be read.</exception>
    internal static X509Certificate2Collection Load(string? named, string? endpointRoots)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(named is not null ? Certificates(named) : endpointRoots is null ? Shipped() : Shipped() + "\n" + Certificates(endpointRoots));
        return roots;
    }

    /// <summary>The bundle this version ships: the RDS roots of every region and Amazon Trust Services' roots.</summary>
    internal static string Shipped()
    {
        using var stream = typeof(RootsFile).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"{Resource} was not built in");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>Whole or not at all: another process may read it at this moment.</summary>
    private static void Replace(string folder, string path, byte[] bytes)
    {
        Directory.CreateDirectory(folder);
        var draft = Path.Combine(folder, $".{Path.GetRandomFileName()}");
        try
        {
            File.WriteAllBytes(draft, bytes);
            File.Move(draft, path, overwrite: true);
        }
        finally
        {
            File.Delete(draft);
        }
    }

    /// <summary>Certificates only: a PEM file may hold a private key as well, which is not for a cache.</summary>
    private static string Certificates(string path)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPemFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new FumidaiException(Reason.Configuration, $"cannot read the certificates in {path}", e.Message, inner: e);
        }
        if (found.Count == 0)
            throw new FumidaiException(Reason.Configuration, $"there is no certificate in {path}", null, "It must hold PEM certificates");
        var pem = string.Join('\n', found.Select(c => c.ExportCertificatePem())) + "\n";
        foreach (var certificate in found)
            certificate.Dispose();
        return pem;
    }
}
