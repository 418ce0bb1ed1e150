using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Fumidai.Lab;

/// <summary>Who signed a request, for which region.</summary>
internal sealed record SignedRequest(Caller Caller, string Region);

/// <summary>
/// Proves SigV4 signatures, in headers and presigned, for API calls, websocket upgrades and agents' REST calls alike. The body is hashed here,
/// whatever X-Amz-Content-Sha256 claims. The regions of the lab are the enabled ones.
/// </summary>
internal sealed class RequestAuthentication(Identities identities, TimeProvider time)
{
    /// <summary>AWS grants five minutes (aws-facts §8.2 row 3; the text of AWS's own error says so).</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromMinutes(5);

    /// <summary>The service named by the credential scope; null: none.</summary>
    public static string? SigningNameOf(HttpRequest request) => Read(request) is { } parts && parts.Scope.Split('/') is { Length: 4 } scope ? scope[2] : null;

    /// <summary>Whether the request carries any signature.</summary>
    public static bool IsSigned(HttpRequest request) => request.Headers.ContainsKey("Authorization") || request.Query.ContainsKey("X-Amz-Signature");

    /// <summary>Checks everything and tells who called.</summary>
    /// <exception cref="AwsError">In the shape of this protocol's family.</exception>
    public SignedRequest Authenticate(HttpRequest request, ReadOnlySpan<byte> body, string service, AwsProtocol protocol)
    {
        AwsError Fault(AuthFault fault, string? detail = null) => AuthErrors.Of(fault, protocol, detail);

        if (!IsSigned(request))
            throw Fault(AuthFault.Missing);
        if (Read(request) is not { } parts)
            throw Fault(AuthFault.Malformed, "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters and X-Amz-Date.");
        if (parts.Scope.Split('/') is not [var date, var region, var scopeService, "aws4_request"])
            throw Fault(AuthFault.Malformed, "Credential must be of the form KEY/YYYYMMDD/REGION/SERVICE/aws4_request.");
        if (!DateTimeOffset.TryParseExact(parts.Timestamp, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var signedAt))
            throw Fault(AuthFault.Malformed, "Date must be in ISO-8601 'basic format'.");
        if (identities.Find(parts.AccessKeyId) is not { } known)
            throw Fault(AuthFault.UnknownKey);
        if (known.SessionToken is { } token ? !Same(parts.SessionToken ?? "", token) : parts.SessionToken is not null)
            throw Fault(AuthFault.UnknownKey);

        var headers = new List<KeyValuePair<string, string>>();
        foreach (var name in parts.SignedHeaders)
            headers.Add(new(name, name == "host" ? request.Host.Value ?? "" : string.Join(',', request.Headers[name].Select(v => v?.Trim()))));
        var isHostSigned = parts.SignedHeaders.Contains("host", StringComparer.Ordinal);
        var isDateSigned = parts.IsPresigned || parts.SignedHeaders.Contains("x-amz-date", StringComparer.Ordinal);
        if (!isHostSigned || !isDateSigned)
            throw Fault(AuthFault.BadSignature, "'Host' or ':authority' and 'X-Amz-Date' must be 'SignedHeaders' in the AWS Authorization.");

        var target = request.HttpContext.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var expected = SigV4.Compute(known.SecretAccessKey, parts.Timestamp, parts.Scope, request.Method, target, headers, body);
        if (!Same(expected, parts.Signature))
            throw Fault(AuthFault.BadSignature);
        if (date != parts.Timestamp[..8])
            throw Fault(AuthFault.BadSignature, $"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != '{parts.Timestamp[..8]}', from '{parts.Timestamp}'.");
        if (scopeService != service)
            throw Fault(AuthFault.WrongService, $"Credential should be scoped to correct service: '{service}'.");

        var now = time.GetUtcNow();
        var end = signedAt + (parts.IsPresigned ? parts.Lifetime : s_skew);
        if (now > end)
            throw Fault(AuthFault.SignatureExpired, $"Signature expired: {parts.Timestamp} is now earlier than {SigV4.Timestamp(now - s_skew)} ({SigV4.Timestamp(now)} - 5 min.)");
        if (signedAt > now + s_skew)
            throw Fault(AuthFault.SignatureFromFuture, $"Signature not yet current: {parts.Timestamp} is still later than {SigV4.Timestamp(now + s_skew)} ({SigV4.Timestamp(now)} + 5 min.)");
        if (known.Expires is { } expires && now >= expires)
            throw Fault(AuthFault.ExpiredToken);
        if (!LabRegions.All.Contains(region))
            throw Fault(AuthFault.RegionNotEnabled);
        return new SignedRequest(known.Caller, region);
    }

    private static bool Same(string a, string b) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));

    private sealed record Parts(string AccessKeyId, string Scope, string Timestamp, string[] SignedHeaders, string Signature, string? SessionToken, bool IsPresigned, TimeSpan Lifetime);

    private static Parts? Read(HttpRequest request)
    {
        string? credential, signedHeaders, signature, timestamp, token;
        var lifetime = TimeSpan.Zero;
        var isPresigned = false;
        if (request.Headers.Authorization.ToString() is { Length: > 0 } authorization)
        {
            if (!authorization.StartsWith(SigV4.Algorithm + " ", StringComparison.Ordinal))
                return null;
            var fields = authorization[(SigV4.Algorithm.Length + 1)..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            string? Field(string name) => fields.FirstOrDefault(f => f.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
            credential = Field("Credential");
            signedHeaders = Field("SignedHeaders");
            signature = Field("Signature");
            timestamp = request.Headers["X-Amz-Date"];
            token = request.Headers["X-Amz-Security-Token"];
        }
        else
        {
            isPresigned = true;
            if (request.Query["X-Amz-Algorithm"] != SigV4.Algorithm)
                return null;
            credential = request.Query["X-Amz-Credential"];
            signedHeaders = request.Query["X-Amz-SignedHeaders"];
            signature = request.Query["X-Amz-Signature"];
            timestamp = request.Query["X-Amz-Date"];
            token = request.Query["X-Amz-Security-Token"];
            if (!int.TryParse(request.Query["X-Amz-Expires"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds is < 1 or > 604_800)
                return null;
            lifetime = TimeSpan.FromSeconds(seconds);
        }
        var slash = credential?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 1 || string.IsNullOrEmpty(signedHeaders) || string.IsNullOrEmpty(signature) || timestamp is not { Length: 16 })
            return null;
        return new Parts(credential![..slash], credential[(slash + 1)..], timestamp, signedHeaders.Split(';'), signature, token, isPresigned, lifetime);
    }
}
