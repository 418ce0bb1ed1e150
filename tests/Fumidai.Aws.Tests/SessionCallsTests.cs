using System.Globalization;
using System.Text.Json;
using Fumidai.SessionManager;
using Xunit;

namespace Fumidai.Aws.Tests;

/// <summary>Sessions, their keys, secrets and pushed keys: what goes out and what is made of the answers.</summary>
public sealed class SessionCallsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private const string StreamUrl = "wss://ssmmessages.ap-northeast-1.amazonaws.com/v1/data-channel/al@ex.com-0a1b?role=publish_subscribe&cell-number=A+b/c==";

    [Fact]
    public async Task StartSession_sends_lists_of_one_and_the_stream_url_comes_back_byte_for_byte()
    {
        await using var aws = new FakeAws(_ => FakeAnswer.Ok($$"""{"SessionId":"al@ex.com-0a1b","TokenValue":"AAEA+/=","StreamUrl":"{{StreamUrl}}"}"""));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var ticket = await SessionCalls.StartAsync(access, "i-0abc", "AWS-StartPortForwardingSessionToRemoteHost",
            new Dictionary<string, string> { ["host"] = "db.internal", ["portNumber"] = "5432" }, "fumidai", Stop);
        Assert.Equal(new StreamTicket("al@ex.com-0a1b", "AAEA+/=", StreamUrl), ticket);
        var sent = Assert.Single(aws.Requests);
        Assert.Equal(("AmazonSSM.StartSession", "application/x-amz-json-1.1"), (sent.Operation, sent.Header("Content-Type")));
        Assert.Equal("""{"host":["db.internal"],"portNumber":["5432"]}""", sent.Json.GetProperty("Parameters").GetRawText());
        Assert.Equal(("i-0abc", "AWS-StartPortForwardingSessionToRemoteHost", "fumidai"), (sent.Json.GetProperty("Target").GetString(), sent.Json.GetProperty("DocumentName").GetString(), sent.Json.GetProperty("Reason").GetString()));
    }

    [Fact]
    public async Task ResumeSession_gives_a_fresh_ticket()
    {
        await using var aws = new FakeAws(_ => FakeAnswer.Ok($$"""{"SessionId":"s-1","TokenValue":"new","StreamUrl":"{{StreamUrl}}"}"""));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        Assert.Equal(new StreamTicket("s-1", "new", StreamUrl), await SessionCalls.Control(access).ResumeAsync("s-1", Stop));
    }

    [Theory]
    [InlineData("""{"SessionId":"s-1"}""", null)]
    [InlineData("""{"SessionId":"s-1","TokenValue":"","StreamUrl":"wss://x"}""", null)]
    [InlineData(null, "DoesNotExistException")]
    public async Task A_session_that_AWS_says_is_over_resumes_to_nothing(string? answer, string? code)
    {
        await using var aws = new FakeAws(_ => answer is not null ? FakeAnswer.Ok(answer) : FakeAnswer.JsonError(400, code!, "gone"));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        Assert.Null(await SessionCalls.Control(access).ResumeAsync("s-1", Stop));
    }

    [Theory]
    [InlineData("AccessDeniedException", AwsFailureKind.Permission)]
    [InlineData("ExpiredTokenException", AwsFailureKind.Credentials)]
    public async Task Any_other_refusal_to_resume_is_a_failure_and_so_is_one_to_terminate(string code, AwsFailureKind kind)
    {
        await using var aws = new FakeAws(_ => FakeAnswer.JsonError(400, code, "no"));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var control = SessionCalls.Control(access);
        Assert.Equal((kind, "ssm:ResumeSession"), (await Assert.ThrowsAsync<AwsFailure>(() => control.ResumeAsync("s-1", Stop).AsTask())) is var f ? (f.Kind, f.Operation) : default);
        Assert.Equal((kind, "ssm:TerminateSession"), (await Assert.ThrowsAsync<AwsFailure>(() => control.TerminateAsync("s-1", Stop).AsTask())) is var g ? (g.Kind, g.Operation) : default);
    }

    [Fact]
    public async Task Terminating_a_session_that_is_over_is_no_failure()
    {
        await using var aws = new FakeAws(r => r.Json.GetProperty("SessionId").GetString() == "live" ? FakeAnswer.Ok("""{"SessionId":"live"}""") : FakeAnswer.JsonError(400, "DoesNotExistException", "gone"));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        await SessionCalls.Control(access).TerminateAsync("live", Stop);
        await SessionCalls.Control(access).TerminateAsync("dead", Stop);
        Assert.Equal(2, aws.Of("TerminateSession").Count());
    }

    [Fact]
    public async Task A_clock_that_is_wrong_is_learnt_from_an_API_call_and_corrected_in_the_websocket_s_signature()
    {
        // The server's clock is three hours ahead of ours; the SDK learns that from its answer, as AWS words it.
        var ahead = DateTimeOffset.UtcNow.AddHours(3);
        await using var aws = new FakeAws(r => DateTimeOffset.ParseExact(r.Header("X-Amz-Date"), "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal) > ahead.AddMinutes(-5)
            ? FakeAnswer.Ok($$"""{"SessionId":"s","TokenValue":"t","StreamUrl":"{{StreamUrl}}"}""")
            : new FakeAnswer(403, """{"__type":"InvalidSignatureException","message":"Signature expired: 1 is now earlier than 2"}""", "application/x-amz-json-1.1", ("Date", ahead.ToString("R", CultureInfo.InvariantCulture))));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        await SessionCalls.StartAsync(access, "i-0abc", "Doc", new Dictionary<string, string>(), null, Stop);
        var headers = (await SessionCalls.Control(access).SignAsync(StreamUrl, Stop)).ToDictionary();
        var signedAt = DateTimeOffset.ParseExact(headers["X-Amz-Date"], "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        Assert.InRange(signedAt, ahead.AddMinutes(-2), ahead.AddMinutes(2));
    }

    [Fact]
    public async Task Session_keys_come_from_KMS_under_the_session_s_context()
    {
        var plaintext = Enumerable.Range(0, 64).Select(i => (byte)i).ToArray();
        await using var aws = new FakeAws(r => r.Operation == "TrentService.GenerateDataKey"
            ? FakeAnswer.Ok($$"""{"CiphertextBlob":"{{Convert.ToBase64String([9, 9])}}","Plaintext":"{{Convert.ToBase64String(plaintext)}}","KeyId":"k"}""")
            : FakeAnswer.Ok($$"""{"Plaintext":"{{Convert.ToBase64String(plaintext)}}","KeyId":"k"}"""));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var context = new Dictionary<string, string> { ["aws:ssm:SessionId"] = "s-1", ["aws:ssm:TargetId"] = "i-0abc" };
        var key = await SessionKeys.FromKms(access).GenerateAsync("alias/k", context, Stop);
        Assert.Equal(plaintext, key.Plaintext);
        Assert.Equal([9, 9], key.Ciphertext);
        var sent = aws.Requests.First().Json;
        Assert.Equal(("alias/k", 64, "i-0abc"), (sent.GetProperty("KeyId").GetString(), sent.GetProperty("NumberOfBytes").GetInt32(), sent.GetProperty("EncryptionContext").GetProperty("aws:ssm:TargetId").GetString()));
        Assert.Equal(plaintext, await SessionKeys.FromKms(access).DecryptAsync([9, 9], context, Stop));
        Assert.Equal("s-1", aws.Requests.Last().Json.GetProperty("EncryptionContext").GetProperty("aws:ssm:SessionId").GetString());
    }

    [Fact]
    public async Task A_managed_secret_gives_its_login_which_cannot_print_itself()
    {
        var value = JsonSerializer.Serialize("""{"username":"postgres","password":"p:\\\"w'é","host":"ignored"}""");
        await using var aws = new FakeAws(_ => FakeAnswer.Ok($$"""{"ARN":"a","Name":"n","SecretString":{{value}},"VersionStages":["AWSCURRENT"]}"""));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var login = await ReadSecret.ReadAsync(access, "rds!cluster-1", Stop);
        Assert.Equal(("postgres", "p:\\\"w'é"), (login.Username, login.Password.Reveal()));
        Assert.DoesNotContain("p:", login.ToString(), StringComparison.Ordinal);
        Assert.Equal(("secretsmanager.GetSecretValue", """{"SecretId":"rds!cluster-1"}"""), (aws.Requests.Single().Operation, aws.Requests.Single().Body));
    }

    [Theory]
    [InlineData("""{"SecretBinary":"aGk="}""", "holds no text")]
    [InlineData("""{"SecretString":"hush hush"}""", "is not JSON")]
    [InlineData("""{"SecretString":"[\"hush\"]"}""", "JSON without username")]
    [InlineData("""{"SecretString":"{\"username\":\"hush\"}"}""", "JSON without password")]
    public async Task A_secret_of_another_shape_is_refused_without_being_shown(string answer, string text)
    {
        await using var aws = new FakeAws(_ => FakeAnswer.Ok(answer));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => ReadSecret.ReadAsync(access, "mine", Stop));
        Assert.Equal(AwsFailureKind.Refused, failure.Kind);
        Assert.Contains("secret mine", failure.Message, StringComparison.Ordinal);
        Assert.Contains(text, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ap-northeast-1a")]
    [InlineData(null)]
    public async Task A_public_key_is_pushed_for_one_login_on_one_instance(string? zone)
    {
        await using var aws = new FakeAws(_ => FakeAnswer.Ok("""{"RequestId":"r","Success":true}"""));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        await PushSshKey.PushAsync(access, "i-0abc", zone, "ec2-user", "ssh-ed25519 AAAA+/= fumidai", Stop);
        var sent = Assert.Single(aws.Requests);
        Assert.Equal("AWSEC2InstanceConnectService.SendSSHPublicKey", sent.Operation);
        Assert.Equal(("i-0abc", "ec2-user", "ssh-ed25519 AAAA+/= fumidai"), (sent.Json.GetProperty("InstanceId").GetString(), sent.Json.GetProperty("InstanceOSUser").GetString(), sent.Json.GetProperty("SSHPublicKey").GetString()));
        Assert.Equal(zone is not null, sent.Json.TryGetProperty("AvailabilityZone", out _));
    }

    [Fact]
    public async Task A_key_that_was_not_taken_is_a_failure()
    {
        var answers = new Queue<FakeAnswer>([FakeAnswer.Ok("""{"RequestId":"r","Success":false}"""), FakeAnswer.JsonError(400, "EC2InstanceStateInvalidException", "stopped"), FakeAnswer.JsonError(400, "AuthException", "no")]);
        await using var aws = new FakeAws(_ => answers.Dequeue());
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        foreach (var (kind, code) in new[] { (AwsFailureKind.Refused, null), (AwsFailureKind.Refused, "EC2InstanceStateInvalidException"), (AwsFailureKind.Permission, (string?)"AuthException") })
        {
            var failure = await Assert.ThrowsAsync<AwsFailure>(() => PushSshKey.PushAsync(access, "i-0abc", null, "ec2-user", "k", Stop));
            Assert.Equal((kind, code), (failure.Kind, failure.Code));
        }
    }
}
