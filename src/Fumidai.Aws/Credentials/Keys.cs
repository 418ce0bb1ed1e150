using Amazon.Runtime;

namespace Fumidai.Aws;

/// <summary>Keys and when they end; null: never.</summary>
internal sealed record Keys(ImmutableCredentials Credentials, DateTimeOffset? Expires)
{
    public Keys(string accessKey, string secretKey, string? token, DateTimeOffset? expires = null)
        : this(new ImmutableCredentials(accessKey, secretKey, string.IsNullOrEmpty(token) ? null : token), expires)
    {
    }

    /// <summary>Says nothing of the keys.</summary>
    public override string ToString() => $"Keys until {Expires:u}";
}
