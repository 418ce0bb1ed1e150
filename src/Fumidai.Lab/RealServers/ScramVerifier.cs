using System.Security.Cryptography;
using System.Text;

namespace Fumidai.Lab;

/// <summary>
/// What PostgreSQL stores instead of a SCRAM-SHA-256 password (RFC 5803's form). Made here, the password itself never reaches the server
/// and so none of its logs or statistics.
/// </summary>
internal static class ScramVerifier
{
    private const int Iterations = 4096;

    /// <summary>For <c>ALTER ROLE … PASSWORD</c>. Passwords are printable ASCII, as RDS demands, so SASLprep changes nothing.</summary>
    public static string For(string password) => For(password, RandomNumberGenerator.GetBytes(16));

    internal static string For(string password, byte[] salt)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, Iterations, HashAlgorithmName.SHA256, 32);
        var stored = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        var server = HMACSHA256.HashData(salted, "Server Key"u8);
        return $"SCRAM-SHA-256${Iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(stored)}:{Convert.ToBase64String(server)}";
    }
}
