using System.Diagnostics;
using System.Globalization;
using Amazon.Runtime;
using Xunit;

namespace Fumidai.Aws.Tests;

/// <summary>Against the real aws CLI, and against bytes that botocore's signers made under a frozen clock.</summary>
public sealed class SignTokenTests
{
    private const string Host = "app.cluster-cxyz.eu-west-1.rds.amazonaws.com";

    [Theory]
    [InlineData("app", null)]
    [InlineData("app user+1", null)]
    [InlineData("jane.doe@ex", "session/token+with=signs")]
    public async Task A_token_is_byte_for_byte_the_aws_CLI_s(string user, string? session)
    {
        var aws = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(p => Path.Combine(p, "aws")).FirstOrDefault(File.Exists);
        Assert.SkipUnless(aws is not null, "the aws CLI is not on PATH");
        var start = new ProcessStartInfo(aws!, ["rds", "generate-db-auth-token", "--hostname", Host, "--port", "5432", "--username", user, "--region", "eu-west-1"]) { RedirectStandardOutput = true };
        start.Environment["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE";
        start.Environment["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        start.Environment["AWS_CONFIG_FILE"] = start.Environment["AWS_SHARED_CREDENTIALS_FILE"] = "/nowhere";
        if (session is not null)
            start.Environment["AWS_SESSION_TOKEN"] = session;
        using var process = Process.Start(start)!;
        var theirs = (await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Trim();
        // The CLI has no clock to set; ours signs for the time that it wrote down.
        var date = theirs[(theirs.IndexOf("X-Amz-Date=", StringComparison.Ordinal) + 11)..][..16];
        var at = DateTimeOffset.ParseExact(date, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

        var keys = new ImmutableCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", session);
        Assert.Equal(theirs, SignToken.Sign(keys, Host + ":5432", $"Action=connect&DBUser={Uri.EscapeDataString(user)}", "rds-db", "eu-west-1", at));
    }

    [Theory]
    [InlineData("DbConnect", "5769e154db75be08d8e8586caa311947542a6dc90bd3fe8f56ed7ba5d8e2f4bc")]
    [InlineData("DbConnectAdmin", "5487288a2b51d09394e5b7a68f7bebff3f20d63196a46971c44b3a1138c216ac")]
    public void A_DSQL_token_is_byte_for_byte_botocore_s(string action, string signature)
    {
        const string Endpoint = "abcdefghijklmnopqrstuvwxyz.dsql.eu-west-1.on.aws";
        var keys = new ImmutableCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token+with=signs");

        Assert.Equal(
            $"{Endpoint}/?Action={action}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261124%2Feu-west-1%2Fdsql%2Faws4_request&X-Amz-Date=20261124T120000Z"
            + $"&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=session%2Ftoken%2Bwith%3Dsigns&X-Amz-Signature={signature}",
            SignToken.Sign(keys, Endpoint, "Action=" + action, "dsql", "eu-west-1", new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero)));
    }
}
