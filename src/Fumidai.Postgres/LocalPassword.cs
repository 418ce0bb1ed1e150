using System.Security.Cryptography;
using System.Text;

namespace Fumidai.Postgres;

/// <summary>
/// The password of one run's local endpoint: random, known to whoever was given it. What proves it (SCRAM's stored and server key) is computed
/// once; a sign-in costs a few hashes, so strangers who knock cost little.
/// </summary>
public sealed class LocalPassword
{
    private readonly byte[] _salt = RandomNumberGenerator.GetBytes(16);

    private LocalPassword(string text)
    {
        Text = text;
        var salted = Scram.Salted(Encoding.UTF8.GetBytes(text), _salt, Scram.Iterations);
        StoredKey = SHA256.HashData(Scram.ClientKey(salted));
        ServerKey = Scram.ServerKey(salted);
        CryptographicOperations.ZeroMemory(salted);
    }

    /// <summary>Makes one: 32 letters and digits, 190 bits; nothing that a passfile, a URI or a shell would have to escape.</summary>
    public static LocalPassword Create() =>
        new(RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 32));

    /// <summary>The password, for the environment of a child or a file of mode 0600.</summary>
    public string Reveal() => Text;

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => "***";

    internal byte[] StoredKey { get; }

    internal byte[] ServerKey { get; }

    internal ReadOnlySpan<byte> Salt => _salt;

    private string Text { get; }
}
