using Amazon.Runtime;
using Amazon.SecurityToken.Model;

namespace Fumidai.Aws;

/// <summary>Keys of a role for the token in a file, which its issuer renews: read anew each time. The request is not signed.</summary>
internal sealed class WebIdentity(ServiceClients clients, TimeProvider time, string tokenFile, string roleArn, string? sessionName) : IKeySource
{
    private readonly string _sessionName = sessionName ?? AssumedRole.DefaultSessionName(time);

    public async Task<Keys> FetchAsync()
    {
        string token;
        try
        {
            token = (await File.ReadAllTextAsync(tokenFile).ConfigureAwait(false)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AwsFailure(AwsFailureKind.Credentials, "web_identity_token_file", null, $"cannot read the web identity token {tokenFile}: {e.Message}", e);
        }
        using var sts = clients.NewSts(new AnonymousAWSCredentials());
        var answer = await clients.AskAsync(AwsService.Sts, "AssumeRoleWithWebIdentity", stop => sts.AssumeRoleWithWebIdentityAsync(
            new AssumeRoleWithWebIdentityRequest { RoleArn = roleArn, RoleSessionName = _sessionName, WebIdentityToken = token }, stop), CancellationToken.None).ConfigureAwait(false);
        return AssumedRole.Of(answer.Credentials);
    }
}
