namespace Fumidai.Aws;

/// <summary>What is known of a secret without reading it.</summary>
/// <param name="DeletedOn">When it was marked for deletion, as told; null: it was not.</param>
/// <param name="KmsKeyId">Its key; null: the account's own for Secrets Manager.</param>
public sealed record SecretState(string? DeletedOn, string? KmsKeyId);

/// <summary>In what state is a secret? secretsmanager:DescribeSecret.</summary>
public static class ReadSecretState
{
    /// <summary>State of a secret by id or ARN.</summary>
    /// <exception cref="AwsFailure">NotFound, Permission.</exception>
    public static async Task<SecretState> OfAsync(AwsAccess access, string secretId, CancellationToken cancellationToken)
    {
        using var answer = await access.AskAsync(AwsService.SecretsManager, "DescribeSecret",
            stop => access.SecretsManager.JsonAsync("DescribeSecret", members => members.WriteString("SecretId", secretId), stop), cancellationToken).ConfigureAwait(false);
        var deleted = answer.RootElement.TryGetProperty("DeletedDate", out var at) && at.ValueKind != System.Text.Json.JsonValueKind.Null ? at.ToString() : null;
        return new SecretState(deleted, answer.RootElement.Text("KmsKeyId"));
    }
}
