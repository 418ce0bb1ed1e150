using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Fumidai.Lab;

/// <summary>
/// Whether an IAM token opens a cluster to a database user, as RDS judges it (aws-facts §3.2): made for this endpoint and port, this user and region, signed by
/// known keys that still hold, not older than its 15 minutes, and its owner allowed <c>rds-db:connect</c> on the cluster's resource id.
/// </summary>
internal sealed class IamTokenCheck(LabContext context)
{
    /// <summary>Sign-ins a second that one cluster takes; AWS advises fewer than 200.</summary>
    private const int Rate = 200;

    private static readonly TimeSpan MaxLifetime = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, Queue<DateTimeOffset>> _recent = new(StringComparer.Ordinal);

    /// <summary>Why not, for the lab's log; null: it opens. The client is told nothing of it, as with RDS.</summary>
    public string? WhyNot(string clusterId, string user, string token)
    {
        var (cluster, hosts) = context.Model.Read(m => m.DbClusters.TryGetValue(clusterId, out var found)
            ? (found, (string[])[found.Endpoint, found.ReaderEndpoint, .. m.DbInstances.Values.Where(i => i.ClusterId == clusterId).Select(i => i.Endpoint)])
            : (null, []));
        if (cluster is null)
            return "no such cluster";
        if (!cluster.IamAuthentication)
            return "IAM authentication is not enabled";
        var now = context.Time.GetUtcNow();
        if (IsTooMany(clusterId, now))
            return "too many sign-ins";
        var slash = token.IndexOf("/?", StringComparison.Ordinal);
        if (slash < 0)
            return "not a token";
        var (authority, query) = (token[..slash], token[(slash + 2)..]);
        if (!hosts.Any(host => authority == string.Create(CultureInfo.InvariantCulture, $"{host}:{cluster.Port}")))
            return "made for another host or port";
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in SigV4.Query(query))
        {
            if (!parameters.TryAdd(name, value))
                return "a parameter said twice";
        }
        string Get(string name) => parameters.GetValueOrDefault(name, "");
        if (Get("Action") != "connect" || Get("DBUser") != user)
            return "made for another user";
        if (Get("X-Amz-Algorithm") != SigV4.Algorithm || Get("X-Amz-SignedHeaders") != "host"
            || Get("X-Amz-Credential").Split('/') is not [var key, var date, var region, "rds-db", "aws4_request"])
            return "not signed for rds-db";
        if (region != cluster.Region)
            return "signed for another region";
        if (!DateTimeOffset.TryParseExact(Get("X-Amz-Date"), "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) || !Get("X-Amz-Date").StartsWith(date, StringComparison.Ordinal))
            return "without a date";
        if (!int.TryParse(Get("X-Amz-Expires"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || TimeSpan.FromSeconds(seconds) > MaxLifetime)
            return "of a lifetime over 15 minutes";
        if (now > at + TimeSpan.FromSeconds(seconds) || now < at - Skew)
            return "expired, or of the future";
        if (context.Identities.Find(key) is not { } known)
            return "signed with unknown keys";
        if (known.SessionToken is { } session ? Get("X-Amz-Security-Token") != session || now > known.Expires : parameters.ContainsKey("X-Amz-Security-Token"))
            return "signed with keys that have ended";
        var signature = SigV4.Compute(known.SecretAccessKey, Get("X-Amz-Date"), $"{date}/{region}/rds-db/aws4_request", "GET", "/?" + query, [new("host", authority)], []);
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(signature), Encoding.ASCII.GetBytes(Get("X-Amz-Signature"))))
            return "signed otherwise";
        var resource = new PolicyResource($"arn:aws:rds-db:{cluster.Region}:{cluster.Account}:dbuser:{cluster.ResourceId}/{user}");
        return known.Caller.Account == cluster.Account && context.Permissions.Evaluate(known.Caller, "rds-db:connect", resource, new PolicyOrigin(cluster.Region, null, true)) == Permission.Allowed
            ? null
            : $"{known.Caller.Arn} may not rds-db:connect on {resource.Arn}";
    }

    private bool IsTooMany(string clusterId, DateTimeOffset now)
    {
        lock (_recent)
        {
            if (!_recent.TryGetValue(clusterId, out var times))
                _recent[clusterId] = times = new();
            while (times.TryPeek(out var oldest) && now - oldest > TimeSpan.FromSeconds(1))
                times.Dequeue();
            times.Enqueue(now);
            return times.Count > Rate;
        }
    }
}
