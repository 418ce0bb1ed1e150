using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Fumidai.Postgres;

/// <summary>The server's end of one SCRAM-SHA-256 exchange, without channel binding: our own endpoint on loopback has no TLS to bind to.</summary>
internal sealed class ScramServer(LocalPassword password)
{
    private string _transcript = "";
    private string _nonce = "";
    private string _header = "";

    /// <summary>Takes client-first, answers server-first.</summary>
    /// <exception cref="PostgresProtocolException">Not one.</exception>
    internal string Begin(ReadOnlySpan<byte> message)
    {
        var text = Encoding.UTF8.GetString(message);
        var parts = text.Split(',', 3);
        // "n": the client knows no binding; "y": it does, and saw that we offer none. "p=" would bind to a TLS that is not there.
        if (parts.Length < 3 || parts[0] is not ("n" or "y") || parts[1].Length > 0)
            throw new PostgresProtocolException("a SCRAM message that does not begin with n,, or y,,");
        _header = parts[0] + ",,";
        var fields = parts[2].Split(',');
        _ = Scram.Field(fields, 0, 'n');
        var client = Scram.Field(fields, 1, 'r');
        if (client.Length is 0 or > 256 || client.Any(c => c is < '!' or > '~'))
            throw new PostgresProtocolException("a SCRAM nonce that is not printable");
        _nonce = client + Scram.Nonce();
        var answer = string.Create(CultureInfo.InvariantCulture, $"r={_nonce},s={Convert.ToBase64String(password.Salt)},i={Scram.Iterations}");
        _transcript = $"{parts[2]},{answer}";
        return answer;
    }

    /// <summary>Takes client-final. The result is server-final; null: the password is another.</summary>
    /// <exception cref="PostgresProtocolException">Not one.</exception>
    internal string? Finish(ReadOnlySpan<byte> message)
    {
        var text = Encoding.UTF8.GetString(message);
        var fields = text.Split(',');
        var proofAt = text.LastIndexOf(",p=", StringComparison.Ordinal);
        if (proofAt < 0 || Scram.Field(fields, 0, 'c') != Convert.ToBase64String(Encoding.ASCII.GetBytes(_header)) || Scram.Field(fields, 1, 'r') != _nonce)
            throw new PostgresProtocolException("a SCRAM message that belongs to another exchange");
        var proof = Scram.Decode(text[(proofAt + 3)..]);
        if (proof.Length != Scram.KeyLength)
            throw new PostgresProtocolException("a SCRAM proof of another length");
        _transcript += "," + text[..proofAt];
        // proof = ClientKey xor HMAC(StoredKey, transcript); whoever knows ClientKey knows the password.
        Scram.Xor(proof, Scram.Sign(password.StoredKey, _transcript));
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(proof), password.StoredKey)
            ? "v=" + Convert.ToBase64String(Scram.Sign(password.ServerKey, _transcript))
            : null;
    }
}
