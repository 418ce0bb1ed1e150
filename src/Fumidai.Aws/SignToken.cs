using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Amazon.Runtime;

namespace Fumidai.Aws;

/// <summary>
/// IAM authentication tokens: a presigned GET, the scheme cut off. Made here without a call; the parameters' order is that of the AWS CLI, so the
/// bytes are equal to its own for the same time and keys (aws-facts §3.2, §5; dotnet-facts §2.3).
/// </summary>
public static class SignToken
{
    /// <summary>How long a token lets in, from the time it is signed for.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string EmptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// <summary>A token for RDS and Aurora, as <c>aws rds generate-db-auth-token</c> makes it.</summary>
    /// <param name="access">Whose credentials; refreshed when they are about to end.</param>
    /// <param name="host">The database's real endpoint.</param>
    /// <param name="port">Its real port.</param>
    /// <param name="user">Database user.</param>
    /// <param name="region">Region of the database.</param>
    /// <exception cref="AwsFailure">Credentials: none to be had.</exception>
    public static async Task<SecretBytes> ForRdsAsync(AwsAccess access, string host, int port, string user, string region)
    {
        ArgumentNullException.ThrowIfNull(access);
        var authority = string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
        return await SignAsync(access, authority, $"Action=connect&DBUser={Uri.EscapeDataString(user)}", "rds-db", region).ConfigureAwait(false);
    }

    /// <summary>A token for Aurora DSQL: DbConnectAdmin for the user admin, DbConnect for every other.</summary>
    /// <param name="access">Whose credentials.</param>
    /// <param name="host">The cluster's endpoint.</param>
    /// <param name="isAdmin">Whether the user is admin.</param>
    /// <param name="region">Region of the cluster.</param>
    /// <exception cref="AwsFailure">Credentials: none to be had.</exception>
    public static Task<SecretBytes> ForDsqlAsync(AwsAccess access, string host, bool isAdmin, string region)
    {
        ArgumentNullException.ThrowIfNull(access);
        return SignAsync(access, host, isAdmin ? "Action=DbConnectAdmin" : "Action=DbConnect", "dsql", region);
    }

    private static async Task<SecretBytes> SignAsync(AwsAccess access, string authority, string query, string service, string region)
    {
        ImmutableCredentials keys;
        try
        {
            keys = await access.Credentials.GetCredentialsAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (AwsFailure or OperationCanceledException))
        {
            throw new AwsFailure(AwsFailureKind.Credentials, "credentials", null, $"no AWS credentials to sign a token with: {e.Message}", e);
        }
        // The clock is asked now, at each sign-in: a laptop that slept has no token to be stale.
        var token = Sign(keys, authority, query, service, region, access.Time.GetUtcNow() + access.ClockCorrection);
        return new SecretBytes(Encoding.ASCII.GetBytes(token));
    }

    internal static string Sign(ImmutableCredentials keys, string authority, string query, string service, string region, DateTimeOffset at)
    {
        var time = at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{time[..8]}/{region}/{service}/aws4_request";
        var parameters = string.Create(CultureInfo.InvariantCulture,
            $"{query}&X-Amz-Algorithm={Algorithm}&X-Amz-Credential={Uri.EscapeDataString($"{keys.AccessKey}/{scope}")}&X-Amz-Date={time}&X-Amz-Expires={Lifetime.TotalSeconds:0}&X-Amz-SignedHeaders=host");
        if (keys.UseToken)
            parameters += "&X-Amz-Security-Token=" + Uri.EscapeDataString(keys.Token);
        var canonicalQuery = string.Join('&', parameters.Split('&').Order(StringComparer.Ordinal));
        var canonical = $"GET\n/\n{canonicalQuery}\nhost:{authority.ToLowerInvariant()}\n\nhost\n{EmptyPayload}";
        var toSign = $"{Algorithm}\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = Encoding.UTF8.GetBytes("AWS4" + keys.SecretKey);
        foreach (var part in scope.Split('/'))
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign)));
        return $"{authority}/?{parameters}&X-Amz-Signature={signature}";
    }
}
