using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Amazon.Runtime;

namespace Fumidai.Aws;

/// <summary>
/// SigV4 headers for the handshake of a data channel, canonicalised as the official plugin's signer does (protocol §1.4, vector V11):
/// header <c>host</c>, <c>x-amz-date</c> and the token only, a raw <c>+</c> in the query signed as a space. The SDK's signer adds
/// <c>x-amz-content-sha256</c>, which the service has never been seen to get, hence this one.
/// </summary>
internal static class SignWebSocket
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string Service = "ssmmessages";
    private const string EmptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private static readonly string[] PresignParameters =
        ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token"];

    /// <summary>Whether the URL carries its own signature: then headers must not be added.</summary>
    public static bool IsPresigned(string url) =>
        Parameters(Split(url).Query).Any(p => PresignParameters.Contains(p.Name, StringComparer.OrdinalIgnoreCase));

    public static IReadOnlyList<KeyValuePair<string, string>> Sign(string url, ImmutableCredentials keys, string region, DateTimeOffset at)
    {
        var (authority, path, query) = Split(url);
        var time = at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{time[..8]}/{region}/{Service}/aws4_request";
        var (signed, tokenLine) = keys.UseToken ? ("host;x-amz-date;x-amz-security-token", $"x-amz-security-token:{keys.Token}\n") : ("host;x-amz-date", "");
        var canonical = $"GET\n{CanonicalPath(path)}\n{CanonicalQuery(query)}\nhost:{authority}\nx-amz-date:{time}\n{tokenLine}\n{signed}\n{EmptyPayload}";
        var toSign = $"{Algorithm}\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var signature = Signature(keys, scope, toSign);
        var headers = new List<KeyValuePair<string, string>>
        {
            new("Authorization", $"{Algorithm} Credential={keys.AccessKey}/{scope}, SignedHeaders={signed}, Signature={signature}"),
            new("X-Amz-Date", time),
        };
        if (keys.UseToken)
            headers.Add(new("X-Amz-Security-Token", keys.Token));
        return headers;
    }

    /// <summary>The URL with its signature in the query, over header <c>host</c> alone.</summary>
    internal static string Presign(string url, ImmutableCredentials keys, string region, string service, DateTimeOffset at, TimeSpan lifetime)
    {
        var time = at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{time[..8]}/{region}/{service}/aws4_request";
        var unsigned = $"{url}&X-Amz-Algorithm={Algorithm}&X-Amz-Credential={Escape($"{keys.AccessKey}/{scope}")}&X-Amz-Date={time}"
            + $"&X-Amz-Expires={((int)lifetime.TotalSeconds).ToString(CultureInfo.InvariantCulture)}"
            + (keys.UseToken ? $"&X-Amz-Security-Token={Escape(keys.Token)}" : "") + "&X-Amz-SignedHeaders=host";
        var (authority, path, query) = Split(unsigned);
        var canonical = $"GET\n{CanonicalPath(path)}\n{CanonicalQuery(query)}\nhost:{authority}\n\nhost\n{EmptyPayload}";
        var toSign = $"{Algorithm}\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        return $"{unsigned}&X-Amz-Signature={Signature(keys, scope, toSign)}";
    }

    private static string Signature(ImmutableCredentials keys, string scope, string toSign)
    {
        var key = Encoding.UTF8.GetBytes("AWS4" + keys.SecretKey);
        foreach (var part in scope.Split('/'))
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign)));
    }

    internal static string CanonicalPath(string path) => path.Length == 0 ? "/" : string.Join('/', path.Split('/').Select(Escape));

    internal static string CanonicalQuery(string query) => string.Join('&', Parameters(query)
        .Select(p => (Name: Escape(p.Name), Value: Escape(p.Value)))
        .OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Value, StringComparer.Ordinal)
        .Select(p => $"{p.Name}={p.Value}"));

    /// <summary>Form decoding: a raw plus is a space.</summary>
    private static IEnumerable<(string Name, string Value)> Parameters(string query)
    {
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            yield return (Decode(equals < 0 ? pair : pair[..equals]), equals < 0 ? "" : Decode(pair[(equals + 1)..]));
        }
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    // RFC 3986's unreserved characters stay: letters, digits and - . _ ~
    private static string Escape(string text) => Uri.EscapeDataString(text);

    /// <summary>Cut by hand: the URL is signed as it stands, never as a URI class would rewrite it. Default ports are not part of the host header.</summary>
    private static (string Authority, string Path, string Query) Split(string url)
    {
        var scheme = url.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            throw new FormatException("a StreamUrl without a scheme");
        var rest = url[(scheme + 3)..].Split('#')[0];
        var slash = rest.IndexOfAny(['/', '?']);
        var (authority, target) = slash < 0 ? (rest, "/") : (rest[..slash], rest[slash..]);
        var question = target.IndexOf('?');
        var defaultPort = url.StartsWith("wss:", StringComparison.OrdinalIgnoreCase) || url.StartsWith("https:", StringComparison.OrdinalIgnoreCase) ? ":443" : ":80";
        if (authority.EndsWith(defaultPort, StringComparison.Ordinal))
            authority = authority[..^defaultPort.Length];
        return (authority.ToLowerInvariant(), question < 0 ? target : target[..question], question < 0 ? "" : target[(question + 1)..]);
    }
}
