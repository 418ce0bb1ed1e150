using System.Globalization;
using System.Net;
using System.Text;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class AuthenticationTests(LabFixture lab) : IClassFixture<LabFixture>
{
    public enum Fault
    {
        UnknownKey,
        WrongSecret,
        SignedTooEarly,
        SignedTooLate,
        WrongToken,
        ForeignRegion,
    }

    /// <summary>Codes by protocol family: aws-facts §1, the table of errors outside the models.</summary>
    [Theory]
    [InlineData(Fault.UnknownKey, "InvalidClientTokenId", "AuthFailure", "UnrecognizedClientException")]
    [InlineData(Fault.WrongSecret, "SignatureDoesNotMatch", "AuthFailure", "InvalidSignatureException")]
    [InlineData(Fault.SignedTooEarly, "SignatureDoesNotMatch", "RequestExpired", "InvalidSignatureException")]
    [InlineData(Fault.SignedTooLate, "SignatureDoesNotMatch", "AuthFailure", "InvalidSignatureException")]
    [InlineData(Fault.WrongToken, "InvalidClientTokenId", "AuthFailure", "UnrecognizedClientException")]
    [InlineData(Fault.ForeignRegion, "InvalidClientTokenId", "AuthFailure", "UnrecognizedClientException")]
    public async Task Each_protocol_refuses_in_its_own_words(Fault fault, string query, string ec2, string json)
    {
        var keys = fault switch
        {
            Fault.UnknownKey => new SigningKeys("AKIANOBODY0000000000", "x", null),
            Fault.WrongSecret => lab.Main with { SecretAccessKey = "wrong" },
            Fault.WrongToken => lab.Main with { SessionToken = "none of ours" },
            _ => lab.Main,
        };
        var region = fault == Fault.ForeignRegion ? "eu-west-3" : LabRegions.Main;
        var now = lab.Host.Context.Time.GetUtcNow();
        var at = fault switch { Fault.SignedTooEarly => now.AddMinutes(-6), Fault.SignedTooLate => now.AddMinutes(6), _ => now };

        Assert.Equal(query, (await lab.FormAsync("sts", "2011-06-15", "GetCallerIdentity", null, keys, region, at)).ErrorCode);
        Assert.Equal(ec2, (await lab.FormAsync("ec2", "2016-11-15", "DescribeVpcs", null, keys, region, at)).ErrorCode);
        Assert.Equal(json, (await lab.JsonAsync("secretsmanager", "secretsmanager.ListSecrets", "{}", keys, region, at)).ErrorCode);
    }

    [Theory]
    [InlineData(-4)]
    [InlineData(4)]
    public async Task A_clock_within_five_minutes_is_accepted(int minutes)
    {
        (await lab.FormAsync("sts", "2011-06-15", "GetCallerIdentity", signedAt: lab.Host.Context.Time.GetUtcNow().AddMinutes(minutes))).Succeeded();
    }

    [Fact]
    public async Task A_request_without_a_signature_is_nobodys()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(lab.Address, "/"));
        request.Content = new StringContent("Action=DescribeVpcs&Version=2016-11-15", Encoding.UTF8, "application/x-www-form-urlencoded");
        Assert.Equal("MissingParameter", (await lab.SendAsync(request)).ErrorCode);
    }

    [Fact]
    public async Task A_body_changed_after_signing_is_refused_whatever_its_hash_header_claims()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(lab.Address, "/"));
        var signed = "{\"SecretId\":\"a\"}"u8.ToArray();
        request.Headers.Add("X-Amz-Target", "secretsmanager.GetSecretValue");
        request.Headers.Add("X-Amz-Content-Sha256", Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(signed)));
        request.Content = new ByteArrayContent("{\"SecretId\":\"b\"}"u8.ToArray());
        request.Content.Headers.ContentType = new("application/x-amz-json-1.1");
        SigV4.Sign(request, signed, lab.Main, "secretsmanager", LabRegions.Main, lab.Host.Context.Time.GetUtcNow());
        Assert.Equal("InvalidSignatureException", (await lab.SendAsync(request)).ErrorCode);
    }

    [Fact]
    public async Task A_signature_for_another_service_is_refused()
    {
        var answer = await lab.FormAsync("rds", "2011-06-15", "GetCallerIdentity");
        Assert.Equal("SignatureDoesNotMatch", answer.ErrorCode);
        Assert.Contains("correct service: 'sts'", WebUtility.HtmlDecode(answer.Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_presigned_url_works_until_it_runs_out()
    {
        var now = lab.Host.Context.Time.GetUtcNow();
        Assert.Equal(HttpStatusCode.OK, (await PresignedAsync(now.AddMinutes(-10), 900)).Status);
        Assert.Equal("SignatureDoesNotMatch", (await PresignedAsync(now.AddMinutes(-10), 60)).ErrorCode);

        async Task<LabAnswer> PresignedAsync(DateTimeOffset at, int seconds)
        {
            var timestamp = SigV4.Timestamp(at);
            var scope = $"{timestamp[..8]}/{LabRegions.Main}/sts/aws4_request";
            var target = string.Create(CultureInfo.InvariantCulture, $"/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={Uri.EscapeDataString($"{lab.Main.AccessKeyId}/{scope}")}&X-Amz-Date={timestamp}&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host");
            var signature = SigV4.Compute(lab.Main.SecretAccessKey, timestamp, scope, "GET", target, [new("host", lab.Address.Authority)], []);
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(lab.Address, $"{target}&X-Amz-Signature={signature}"));
            return await lab.SendAsync(request);
        }
    }

    [Fact]
    public async Task A_role_is_assumed_from_the_other_account_and_its_session_ends_on_time()
    {
        var arn = $"arn:aws:iam::{LabAccounts.Main}:role/operator";
        var answer = (await lab.StsAsync("AssumeRole", lab.Other, ("RoleArn", arn), ("RoleSessionName", "jane@ex.com"), ("DurationSeconds", "900"))).Succeeded();
        var session = new SigningKeys(answer.One("AccessKeyId"), answer.One("SecretAccessKey"), answer.One("SessionToken"));

        var me = (await lab.StsAsync("GetCallerIdentity", session)).Succeeded();
        Assert.Equal(LabAccounts.Main, me.One("Account"));
        Assert.Equal($"arn:aws:sts::{LabAccounts.Main}:assumed-role/operator/jane@ex.com", me.One("Arn"));
        Assert.Equal("InvalidClientTokenId", (await lab.StsAsync("GetCallerIdentity", session with { SessionToken = null })).ErrorCode);

        using var advance = new HttpRequestMessage(HttpMethod.Post, new Uri(lab.Address, ControlRoutes.ClockPath + "?advance=901"));
        Assert.Equal(HttpStatusCode.OK, (await lab.SendAsync(advance)).Status);
        Assert.Equal("ExpiredToken", (await lab.StsAsync("GetCallerIdentity", session)).ErrorCode);
        Assert.Equal("RequestExpired", (await lab.FormAsync("ec2", "2016-11-15", "DescribeVpcs", null, session)).ErrorCode);
        Assert.Equal("ExpiredTokenException", (await lab.SecretsAsync("ListSecrets", "{}", session)).ErrorCode);
    }

    [Theory]
    [InlineData("private-bastion")]
    [InlineData("there-is-no-such-role")]
    public async Task A_role_that_does_not_trust_the_caller_is_refused_like_one_that_does_not_exist(string role)
    {
        var answer = await lab.StsAsync("AssumeRole", null, ("RoleArn", $"arn:aws:iam::{LabAccounts.Main}:role/{role}"), ("RoleSessionName", "session"));
        Assert.Equal("AccessDenied", answer.ErrorCode);
        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
    }

    [Fact]
    public async Task The_other_account_sees_nothing_of_the_main_one()
    {
        Assert.Empty((await lab.FormAsync("ec2", "2016-11-15", "DescribeInstances", null, lab.Other)).Succeeded().All("instanceId"));
        Assert.Empty((await lab.FormAsync("rds", "2014-10-31", "DescribeDBClusters", null, lab.Other)).Succeeded().All("DBClusterIdentifier"));
        Assert.Equal(0, (await lab.SecretsAsync("ListSecrets", "{}", lab.Other)).Succeeded().Json.GetProperty("SecretList").GetArrayLength());
    }
}
