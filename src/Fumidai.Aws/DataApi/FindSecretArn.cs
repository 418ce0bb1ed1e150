namespace Fumidai.Aws;

/// <summary>Which ARN does a secret have? DescribeSecret; the Data API wants ARNs.</summary>
public static class FindSecretArn
{
    /// <summary>Finds it; an ARN is its own answer.</summary>
    /// <exception cref="AwsFailure">Not found, not allowed.</exception>
    public static async Task<string> FindAsync(AwsAccess access, string secretId, CancellationToken cancellationToken)
    {
        if (secretId.StartsWith("arn:", StringComparison.Ordinal))
            return secretId;
        using var answer = await access.AskAsync(AwsService.SecretsManager, "DescribeSecret",
            stop => access.SecretsManager.JsonAsync("DescribeSecret", json => json.WriteString("SecretId", secretId), stop), cancellationToken).ConfigureAwait(false);
        return answer.RootElement.Text("ARN") ?? throw new AwsFailure(AwsFailureKind.Refused, "secretsmanager:DescribeSecret", null, $"secretsmanager:DescribeSecret: no ARN of {secretId} was told");
    }
}
