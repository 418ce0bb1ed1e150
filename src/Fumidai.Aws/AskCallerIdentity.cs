using Amazon.SecurityToken.Model;

namespace Fumidai.Aws;

/// <summary>Whose credentials these are.</summary>
/// <param name="Account">Account number, 12 digits.</param>
/// <param name="Arn">ARN of the user or assumed role.</param>
/// <param name="UserId"><c>AIDA…</c>, or <c>AROA…:SESSIONNAME</c>.</param>
public sealed record CallerIdentity(string Account, string Arn, string UserId);

/// <summary>Who are we to AWS? GetCallerIdentity, which needs no permission.</summary>
public static class AskCallerIdentity
{
    /// <summary>Asks STS of the region.</summary>
    /// <exception cref="AwsFailure">Credentials: they are not good.</exception>
    public static async Task<CallerIdentity> AskAsync(AwsAccess access, CancellationToken cancellationToken)
    {
        var answer = await access.AskAsync(AwsService.Sts, "GetCallerIdentity", stop => access.Sts.GetCallerIdentityAsync(new GetCallerIdentityRequest(), stop), cancellationToken).ConfigureAwait(false);
        return new CallerIdentity(answer.Account, answer.Arn, answer.UserId);
    }
}
