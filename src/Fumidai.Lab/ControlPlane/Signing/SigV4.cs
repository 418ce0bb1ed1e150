using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Fumidai.Lab;

/// <summary>Keys to sign with; <paramref name="SessionToken"/> for temporary ones.</summary>
internal sealed record SigningKeys(string AccessKeyId, string SecretAccessKey, string? SessionToken)
{
    public override string ToString() => AccessKeyId;
}

/// <summary>
/// Signature Version 4 as both ends compute it. Paths are encoded once more as they stand on the wire; queries are form-decoded first, so a raw
/// <c>+</c> counts as a space (protocol §1.4, vector V11: the official signer does so).
/// </summary>
internal static class SigV4
{
    public const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>The time as the signature writes it.</summary>
    public static string Timestamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Signature over one request.</summary>
    /// <param name="secretAccessKey"></param>
    /// <param name="timestamp">As in X-Amz-Date.</param>
    /// <param name="scope">DATE/REGION/SERVICE/aws4_request.</param>
    /// <param name="method"></param>
    /// <param name="target">Path and query as on the request line.</param>
    /// <param name="signedHeaders">Lower-case names, sorted, with their values.</param>
    /// <param name="payload">The body.</param>
    public static string Compute(string secretAccessKey, string timestamp, string scope, string method, string target,
        IReadOnlyList<KeyValuePair<string, string>> signedHeaders, ReadOnlySpan<byte> payload)
    {
        var canonical = new StringBuilder();
        var question = target.IndexOf('?', StringComparison.Ordinal);
        var path = question < 0 ? target : target[..question];
        canonical.Append(method).Append('\n').Append(CanonicalPath(path)).Append('\n').Append(CanonicalQuery(question < 0 ? "" : target[(question + 1)..])).Append('\n');
        foreach (var (name, value) in signedHeaders)
            canonical.Append(name).Append(':').Append(Folded(value)).Append('\n');
        canonical.Append('\n').AppendJoin(';', signedHeaders.Select(h => h.Key)).Append('\n').Append(Hex(SHA256.HashData(payload)));

        var toSign = $"{Algorithm}\n{timestamp}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical.ToString())))}";
        var key = Encoding.UTF8.GetBytes("AWS4" + secretAccessKey);
        foreach (var part in scope.Split('/'))
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        return Hex(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign)));
    }

    /// <summary>Signs with headers: sets X-Amz-Date, X-Amz-Security-Token and Authorization over host, the x-amz-* headers and Content-Type.</summary>
    public static void Sign(HttpRequestMessage request, ReadOnlySpan<byte> body, SigningKeys keys, string service, string region, DateTimeOffset time)
    {
        var timestamp = Timestamp(time);
        request.Headers.Remove("X-Amz-Date");
        request.Headers.Add("X-Amz-Date", timestamp);
        if (keys.SessionToken is { } token)
            request.Headers.Add("X-Amz-Security-Token", token);
        var uri = request.RequestUri!;
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["host"] = request.Headers.Host ?? uri.Authority };
        foreach (var (name, values) in request.Headers)
        {
            if (name.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase))
                headers[LowerCase(name)] = string.Join(',', values);
        }
        if (request.Content?.Headers.ContentType is { } type)
            headers["content-type"] = type.ToString();
        var scope = $"{timestamp[..8]}/{region}/{service}/aws4_request";
        var signature = Compute(keys.SecretAccessKey, timestamp, scope, request.Method.Method, uri.PathAndQuery, [.. headers], body);
        request.Headers.TryAddWithoutValidation("Authorization",
            $"{Algorithm} Credential={keys.AccessKeyId}/{scope}, SignedHeaders={string.Join(';', headers.Keys)}, Signature={signature}");
    }

    private static string CanonicalPath(string path) => path.Length == 0 ? "/" : Encode(path, slashes: true);

    private static string CanonicalQuery(string query) => string.Join('&', Query(query)
        .Where(p => p.Key != "X-Amz-Signature")
        .Select(p => (Key: Encode(p.Key, slashes: false), Value: Encode(p.Value, slashes: false)))
        .OrderBy(p => p.Key, StringComparer.Ordinal).ThenBy(p => p.Value, StringComparer.Ordinal)
        .Select(p => $"{p.Key}={p.Value}"));

    /// <summary>A query string's parameters in order, form-decoded.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Query(string query)
    {
        foreach (var part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? part : part[..equals];
            var value = equals < 0 ? "" : part[(equals + 1)..];
            yield return new(Decode(key), Decode(value));
        }
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private static string Encode(string text, bool slashes)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~' || (slashes && b == (byte)'/'))
                encoded.Append((char)b);
            else
                encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }
        return encoded.ToString();
    }

    private static string Folded(string value) => string.Join(' ', value.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

#pragma warning disable CA1308 // header names are lower-case in a signature
    private static string LowerCase(string name) => name.ToLowerInvariant();
#pragma warning restore CA1308
}
