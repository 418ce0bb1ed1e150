using System.Text.Json;

namespace Fumidai.Aws;

/// <summary>What does the secret hold? GetSecretValue, AWSCURRENT (aws-facts §3.1).</summary>
public static class ReadSecret
{
    private const string Operation = "secretsmanager:GetSecretValue";

    /// <summary>Reads <c>username</c> and <c>password</c>, as RDS-managed secrets hold them; other members are passed over. Never cached: RDS rotates them.</summary>
    /// <param name="access">Account and region.</param>
    /// <param name="secretId">Name or ARN.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="AwsFailure">Not found, not allowed, or not of this shape (Refused).</exception>
    public static async Task<DatabaseLogin> ReadAsync(AwsAccess access, string secretId, CancellationToken cancellationToken)
    {
        using var answer = await access.AskAsync(AwsService.SecretsManager, "GetSecretValue",
            stop => access.SecretsManager.JsonAsync("GetSecretValue", json => json.WriteString("SecretId", secretId), stop), cancellationToken).ConfigureAwait(false);
        var text = answer.RootElement.Text("SecretString") ?? throw Unfit(secretId, "holds no text (SecretString)");
        try
        {
            using var secret = JsonDocument.Parse(text);
            var username = secret.RootElement.Text("username") ?? throw Unfit(secretId, "is JSON without username");
            var password = secret.RootElement.Text("password") ?? throw Unfit(secretId, "is JSON without password");
            return new DatabaseLogin(username, new Secret(password));
        }
        catch (JsonException)
        {
            // Without the inner exception: its text may quote the secret.
            throw Unfit(secretId, "is not JSON with username and password");
        }
    }

    private static AwsFailure Unfit(string secretId, string what) => new(AwsFailureKind.Refused, Operation, null, $"{Operation}: secret {secretId} {what}");
}
