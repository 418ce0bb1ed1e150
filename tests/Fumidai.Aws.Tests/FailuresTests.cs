using System.Globalization;
using System.Net;
using Xunit;

namespace Fumidai.Aws.Tests;

/// <summary>What AWS, or what stands in its place, says, becomes one line with a kind.</summary>
public sealed class FailuresTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static async Task<AwsFailure> SessionFailure(FakeAnswer answer)
    {
        await using var aws = new FakeAws(_ => answer);
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        return await Assert.ThrowsAsync<AwsFailure>(() => SessionCalls.StartAsync(access, "i-0abc", "Doc", new Dictionary<string, string>(), null, Stop));
    }

    [Theory]
    [InlineData("TargetNotConnected", AwsFailureKind.Refused)]
    [InlineData("AccessDeniedException", AwsFailureKind.Permission)]
    [InlineData("com.amazonaws.ssm#ExpiredTokenException", AwsFailureKind.Credentials)]
    [InlineData("UnrecognizedClientException", AwsFailureKind.Credentials)]
    [InlineData("InvalidDocument", AwsFailureKind.Refused)]
    public async Task A_json_service_s_code_decides_the_kind(string code, AwsFailureKind kind)
    {
        var failure = await SessionFailure(FakeAnswer.JsonError(400, code, "AWS's own words."));
        Assert.Equal(kind, failure.Kind);
        Assert.Equal(code.Split('#')[^1], failure.Code);
        Assert.Equal("ssm:StartSession", failure.Operation);
        Assert.Equal($"ssm:StartSession: {failure.Code}: AWS's own words.", failure.Message);
    }

    [Theory]
    [InlineData(403, "AccessDenied", AwsFailureKind.Permission)]
    [InlineData(404, "DBClusterNotFoundFault", AwsFailureKind.NotFound)]
    [InlineData(403, "InvalidClientTokenId", AwsFailureKind.Credentials)]
    [InlineData(400, "InvalidParameterValue", AwsFailureKind.Refused)]
    public async Task A_query_service_s_code_decides_the_kind(int status, string code, AwsFailureKind kind)
    {
        await using var aws = new FakeAws(_ => FakeAnswer.QueryError(status, code, "DBCluster app not found."));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => FindTargets.GetAsync(access, DatabaseKind.Cluster, "app", Stop));
        Assert.Equal((kind, code, $"rds:DescribeDBClusters: {code}: DBCluster app not found."), (failure.Kind, failure.Code, failure.Message));
    }

    [Theory]
    [InlineData("UnauthorizedOperation", AwsFailureKind.Permission)]
    [InlineData("AuthFailure", AwsFailureKind.Credentials)]
    [InlineData("InvalidInstanceID.NotFound", AwsFailureKind.NotFound)]
    [InlineData("InvalidInstanceID.Malformed", AwsFailureKind.NotFound)]
    public async Task An_EC2_code_decides_the_kind_and_an_encoded_message_is_cut(string code, AwsFailureKind kind)
    {
        await using var aws = new FakeAws(_ => FakeAnswer.Ec2Error(403, code, "You may not. Encoded authorization failure message: QUJDREVG"));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => FindBastions.GetAsync(access, "i-0abc", Stop));
        Assert.Equal((kind, $"ec2:DescribeInstances: {code}: You may not."), (failure.Kind, failure.Message));
    }

    [Fact]
    public async Task A_secret_or_token_quoted_by_AWS_is_not_shown()
    {
        var failure = await SessionFailure(FakeAnswer.JsonError(403, "InvalidSignatureException",
            "The request signature we calculated does not match. Consult the documentation.\\n\\nThe Canonical String for this request should have been\\n'POST\\nx-amz-security-token:TOKEN-1'"));
        Assert.Equal(AwsFailureKind.Credentials, failure.Kind);
        Assert.DoesNotContain("TOKEN-1", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public async Task A_skewed_clock_is_named_with_the_time_this_machine_has()
    {
        var failure = await SessionFailure(FakeAnswer.JsonError(403, "InvalidSignatureException", "Signature expired: 20200101T000000Z is now earlier than 20261124T000000Z (20261124T000500Z - 5 min.)"));
        Assert.Equal(AwsFailureKind.Credentials, failure.Kind);
        Assert.Contains("the clock of this machine says 20", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(403)]
    [InlineData(503)]
    public async Task A_web_page_in_place_of_an_answer_names_the_host_and_a_proxy(int status)
    {
        await using var aws = new FakeAws(_ => new FakeAnswer(status, "<!DOCTYPE html><html><body>Please sign in to Wi-Fi</body></html>", "text/html"));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        foreach (var call in new Func<Task>[]
        {
            () => SessionCalls.StartAsync(access, "i-0abc", "Doc", new Dictionary<string, string>(), null, Stop),
            () => FindTargets.GetAsync(access, DatabaseKind.Cluster, "app", Stop),
            () => ReadSecret.ReadAsync(access, "s", Stop),
            () => AskCallerIdentity.AskAsync(access, Stop),
            () => FindBastions.ListAsync(access, null, Stop),
        })
        {
            var failure = await Assert.ThrowsAsync<AwsFailure>(call);
            Assert.Equal(AwsFailureKind.Network, failure.Kind);
            Assert.Contains($"127.0.0.1:{aws.Port}", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("Wi-Fi", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', failure.Message);
        }
    }

    [Fact]
    public async Task An_endpoint_that_refuses_is_named()
    {
        string url;
        await using (var gone = new FakeAws(_ => FakeAnswer.Ok("{}")))
            url = gone.Url;
        using var laptop = Laptop.Facing(url);
        using var access = laptop.Open();
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => AskCallerIdentity.AskAsync(access, Stop));
        Assert.Equal(AwsFailureKind.Network, failure.Kind);
        Assert.Null(failure.Code);
        Assert.Contains($"sts:GetCallerIdentity: cannot connect to {new Uri(url).Authority}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_is_named()
    {
        using var laptop = Laptop.Facing("http://aws.lab.invalid");
        using var access = laptop.Open();
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => FindTargets.GetAsync(access, DatabaseKind.Cluster, "app", Stop));
        Assert.Equal((AwsFailureKind.Network, "rds:DescribeDBClusters: the name aws.lab.invalid does not resolve"), (failure.Kind, failure.Message));
    }

    [Fact]
    public async Task Throttling_and_unavailability_are_retried_and_each_attempt_is_signed_anew()
    {
        var answers = new Queue<FakeAnswer>([FakeAnswer.QueryError(400, "Throttling", "Rate exceeded"), FakeAnswer.QueryError(503, "ServiceUnavailable", "Later"),
            FakeAnswer.Xml("<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster><DBClusterIdentifier>app</DBClusterIdentifier></DBCluster></DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>")]);
        await using var aws = new FakeAws(r => r.Operation == "DescribeDBClusters" ? answers.Dequeue() : FakeAnswer.QueryError(403, "AccessDenied", "no"));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        Assert.Equal("app", (await FindTargets.GetAsync(access, DatabaseKind.Cluster, "app", Stop)).Id);
        Assert.Equal(3, aws.Of("DescribeDBClusters").Count());
        Assert.Equal(3, aws.Of("DescribeDBClusters").Select(r => r.Header("amz-sdk-request")).Distinct().Count());
    }

    [Fact]
    public async Task A_wrong_clock_is_corrected_by_the_server_s_own_for_our_raw_client_too()
    {
        var ahead = DateTimeOffset.UtcNow.AddHours(3);
        await using var aws = new FakeAws(r => string.CompareOrdinal(r.Header("X-Amz-Date"), ahead.AddMinutes(-5).ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)) > 0
            ? FakeAnswer.QueryError(404, "DBClusterNotFoundFault", "in time")
            : FakeAnswer.QueryError(403, "SignatureDoesNotMatch", "Signature expired: 1 is now earlier than 2") with { Headers = [("Date", ahead.ToString("R", CultureInfo.InvariantCulture))] });
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        Assert.Equal("DBClusterNotFoundFault", (await Assert.ThrowsAsync<AwsFailure>(() => FindTargets.GetAsync(access, DatabaseKind.Cluster, "app", Stop))).Code);
    }

    [Fact]
    public async Task Throttling_without_end_is_told_as_throttling_after_three_attempts()
    {
        await using var aws = new FakeAws(_ => FakeAnswer.JsonError(400, "ThrottlingException", "Rate exceeded"));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => ReadSecret.ReadAsync(access, "s", Stop));
        Assert.Equal((AwsFailureKind.Throttled, "secretsmanager:GetSecretValue: ThrottlingException: Rate exceeded"), (failure.Kind, failure.Message));
        Assert.Equal(3, aws.Requests.Count);
    }

    [Fact]
    public async Task The_caller_s_cancellation_is_not_a_failure()
    {
        using var cancelled = new CancellationTokenSource();
        await using var aws = new FakeAws(_ =>
        {
            cancelled.Cancel();
            return FakeAnswer.JsonError(400, "ThrottlingException", "Rate exceeded");
        });
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReadSecret.ReadAsync(access, "s", cancelled.Token));
    }

    [Theory]
    [InlineData(HttpStatusCode.Forbidden, AwsFailureKind.Permission)]
    [InlineData(HttpStatusCode.BadRequest, AwsFailureKind.Refused)]
    public void Without_a_code_the_status_decides(HttpStatusCode status, AwsFailureKind kind) => Assert.Equal(kind, Failures.KindOf(null, status));

    [Fact]
    public void A_long_text_is_cut_and_only_its_first_line_kept()
    {
        Assert.Equal("first", Failures.OneLine("  first\r\nsecond"));
        Assert.Equal(401, Failures.OneLine(new string('x', 5000)).Length);
        Assert.Equal("", Failures.OneLine(null));
    }
}
