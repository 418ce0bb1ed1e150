using System.Globalization;
using Amazon.Runtime;
using Amazon.SecurityToken.Model;

namespace Fumidai.Aws;

/// <summary>Keys of a role, asked for with the keys of its source. Source: dotnet-facts §2.1.</summary>
internal sealed class AssumedRole(ServiceClients clients, TimeProvider time, AWSCredentials source, string roleArn, string? sessionName, string? externalId, int? durationSeconds) : IKeySource
{
    private readonly string _sessionName = sessionName ?? DefaultSessionName(time);

    /// <summary>Also the first part of the role's Session Manager session ids.</summary>
    public static string DefaultSessionName(TimeProvider time) => "fumidai-" + time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    public async Task<Keys> FetchAsync()
    {
        using var sts = clients.NewSts(source);
        var answer = await clients.AskAsync(AwsService.Sts, "AssumeRole", stop => sts.AssumeRoleAsync(
            new AssumeRoleRequest { RoleArn = roleArn, RoleSessionName = _sessionName, ExternalId = externalId, DurationSeconds = durationSeconds }, stop), CancellationToken.None).ConfigureAwait(false);
        return Of(answer.Credentials);
    }

    public static Keys Of(Credentials credentials) => new(
        credentials.AccessKeyId, credentials.SecretAccessKey, credentials.SessionToken,
        credentials.Expiration is { } end ? new DateTimeOffset(end.ToUniversalTime()) : null);
}
