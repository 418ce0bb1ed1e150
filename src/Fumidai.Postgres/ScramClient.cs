using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Fumidai.Postgres;

/// <summary>The client's end of one SCRAM-SHA-256 exchange, with channel binding where the server offers it.</summary>
internal sealed class ScramClient
{
    private readonly string _header;
    private readonly byte[] _binding;
    private readonly string _nonce;
    private string _transcript;
    private byte[] _serverKey = [];

    /// <param name="binding">The connection's binding data; null: the certificate has none.</param>
    /// <param name="serverBinds">Whether the server offers -PLUS.</param>
    /// <param name="nonce">Ours; tests give their own.</param>
    internal ScramClient(byte[]? binding, bool serverBinds, string? nonce = null)
    {
        _nonce = nonce ?? Scram.Nonce();
        UsesBinding = binding is not null && serverBinds;
        // "y": we could bind, and saw no offer. A server that did offer learns so that somebody between us took it out.
        _header = UsesBinding ? $"p={ChannelBinding.Type},," : binding is null ? "n,," : "y,,";
        _binding = UsesBinding ? binding! : [];
        // PostgreSQL takes the user from the start-up message and wants the field empty.
        _transcript = "n=,r=" + _nonce;
    }

    internal bool UsesBinding { get; }

    internal string Mechanism => UsesBinding ? Scram.PlusMechanism : Scram.Mechanism;

    /// <summary>client-first.</summary>
    internal string First => _header + _transcript;

    /// <summary>Takes server-first, answers client-final.</summary>
    /// <exception cref="PostgresProtocolException">Not one, or one that belongs to another exchange.</exception>
    internal string Answer(ReadOnlySpan<byte> serverFirst, ReadOnlySpan<byte> password)
    {
        var text = Encoding.ASCII.GetString(serverFirst);
        var fields = text.Split(',');
        var nonce = Scram.Field(fields, 0, 'r');
        var salt = Scram.Decode(Scram.Field(fields, 1, 's'));
        if (!nonce.StartsWith(_nonce, StringComparison.Ordinal) || nonce.Length == _nonce.Length)
            throw new PostgresProtocolException("the server's SCRAM nonce does not extend ours");
        if (!int.TryParse(Scram.Field(fields, 2, 'i'), NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is < 1 or > Scram.MaxIterations)
            throw new PostgresProtocolException("the server asks for an unreasonable number of SCRAM iterations");
        byte[] header = [.. Encoding.ASCII.GetBytes(_header), .. _binding];
        var withoutProof = $"c={Convert.ToBase64String(header)},r={nonce}";
        _transcript = $"{_transcript},{text},{withoutProof}";
        var prepared = SaslPrep.Prepare(password);
        var salted = Scram.Salted(prepared, salt, iterations);
        var proof = Scram.ClientKey(salted);
        Scram.Xor(proof, Scram.Sign(SHA256.HashData(proof), _transcript));
        _serverKey = Scram.ServerKey(salted);
        CryptographicOperations.ZeroMemory(salted);
        CryptographicOperations.ZeroMemory(prepared);
        return $"{withoutProof},p={Convert.ToBase64String(proof)}";
    }

    /// <summary>Takes server-final: whether the server knows the password too.</summary>
    internal bool Proves(ReadOnlySpan<byte> serverFinal) =>
        CryptographicOperations.FixedTimeEquals(
            Scram.Decode(Scram.Field(Encoding.ASCII.GetString(serverFinal).Split(','), 0, 'v')), Scram.Sign(_serverKey, _transcript));
}

/// <summary>SASLprep (RFC 4013) as far as it changes a password; like PostgreSQL, what cannot be prepared is taken as it stands.</summary>
internal static class SaslPrep
{
    /// <summary>A copy, prepared; the caller zeroes it.</summary>
    internal static byte[] Prepare(ReadOnlySpan<byte> password)
    {
        if (System.Text.Ascii.IsValid(password))
            return password.ToArray();
        try
        {
            var mapped = new StringBuilder();
            foreach (var c in new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(password))
            {
                // Table C.1.2 becomes a space, table B.1 becomes nothing.
                if (c is '\u00A0' or '\u1680' or (>= '\u2000' and <= '\u200A') or '\u202F' or '\u205F' or '\u3000')
                    mapped.Append(' ');
                else if (c is not ('\u00AD' or '\u034F' or '\u1806' or (>= '\u180B' and <= '\u180D') or (>= '\u200B' and <= '\u200D') or '\u2060' or (>= '\uFE00' and <= '\uFE0F') or '\uFEFF'))
                    mapped.Append(c);
            }
            return Encoding.UTF8.GetBytes(mapped.ToString().Normalize(NormalizationForm.FormKC));
        }
        catch (Exception e) when (e is ArgumentException or PlatformNotSupportedException)
        {
            return password.ToArray();
        }
    }
}
