using System.Security.Cryptography;
using System.Text;

namespace Fumidai.Postgres;

/// <summary>What both ends of SCRAM-SHA-256 compute (RFC 5802, RFC 7677).</summary>
internal static class Scram
{
    internal const string Mechanism = "SCRAM-SHA-256";
    internal const string PlusMechanism = "SCRAM-SHA-256-PLUS";
    internal const int KeyLength = 32;

    /// <summary>PostgreSQL's own default, and RFC 7677's least.</summary>
    internal const int Iterations = 4096;

    /// <summary>A server that asks for more would have us compute for minutes before we know who it is.</summary>
    internal const int MaxIterations = 1_000_000;

    internal static byte[] Salted(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, KeyLength);

    internal static byte[] ClientKey(ReadOnlySpan<byte> salted) => HMACSHA256.HashData(salted, "Client Key"u8);

    internal static byte[] ServerKey(ReadOnlySpan<byte> salted) => HMACSHA256.HashData(salted, "Server Key"u8);

    internal static byte[] Sign(ReadOnlySpan<byte> key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    internal static void Xor(Span<byte> one, ReadOnlySpan<byte> other)
    {
        for (var i = 0; i < one.Length; i++)
            one[i] ^= other[i];
    }

    /// <summary>Printable ASCII without the comma, which separates fields.</summary>
    internal static string Nonce() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));

    /// <summary>The value of <c>k=…</c> at its place among the fields.</summary>
    /// <exception cref="PostgresProtocolException">Not there.</exception>
    internal static string Field(string[] fields, int at, char key) =>
        at < fields.Length && fields[at].Length >= 2 && fields[at][0] == key && fields[at][1] == '='
            ? fields[at][2..]
            : throw new PostgresProtocolException($"a SCRAM message without its field {key}");

    /// <exception cref="PostgresProtocolException">Not base64.</exception>
    internal static byte[] Decode(string base64)
    {
        try
        {
            return Convert.FromBase64String(base64);
        }
        catch (FormatException)
        {
            throw new PostgresProtocolException("a SCRAM field that is not base64");
        }
    }
}
