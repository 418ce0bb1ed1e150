using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Aws.Tests;

/// <summary>Where keys come from. What was signed with which key is read at the server.</summary>
public sealed class CredentialChainTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private const string Identity = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn><UserId>u</UserId><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

    private static string RoleKeys(string operation, string key, DateTimeOffset? expires = null) => $"""
        <{operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{operation}Result><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
        <SessionToken>t-{key}</SessionToken><Expiration>{(expires ?? DateTimeOffset.UtcNow.AddHours(1)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}</Expiration></Credentials></{operation}Result></{operation}Response>
        """;

    /// <summary>STS that hands out the role's name (behind the slash of its ARN) as access key.</summary>
    private static FakeAnswer Sts(FakeRequest request) => request.Operation switch
    {
        "GetCallerIdentity" => FakeAnswer.Xml(Identity),
        "AssumeRole" or "AssumeRoleWithWebIdentity" => FakeAnswer.Xml(RoleKeys(request.Operation, "ROLE" + request.Form["RoleArn"].Split('/')[^1])),
        _ => FakeAnswer.QueryError(400, "Unexpected", request.Operation),
    };

    private static Laptop Machine(FakeAws aws, string config, string credentials = "")
    {
        var laptop = new Laptop();
        laptop["AWS_REGION"] = "ap-northeast-1";
        laptop["AWS_ENDPOINT_URL"] = aws.Url;
        laptop.Config(config);
        laptop.Credentials(credentials);
        return laptop;
    }

    private static async Task<FakeRequest> SignedAs(FakeAws aws, Laptop laptop, string? profile = null)
    {
        using var access = laptop.Open(new AwsSettings { Profile = profile });
        await AskCallerIdentity.AskAsync(access, Stop);
        return aws.Of("GetCallerIdentity").Last();
    }

    private static async Task<AwsFailure> Failure(Laptop laptop, string? profile = null) => await Assert.ThrowsAsync<AwsFailure>(async () =>
    {
        using var access = laptop.Open(new AwsSettings { Profile = profile });
        await AskCallerIdentity.AskAsync(access, Stop);
    });

    [Fact]
    public async Task Keys_in_the_environment_win_over_AWS_PROFILE_but_not_over_a_profile_of_the_command_line()
    {
        await using var aws = new FakeAws(Sts);
        using var laptop = Machine(aws, "", "[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = s\n");
        laptop["AWS_ACCESS_KEY_ID"] = "AKIDENV";
        laptop["AWS_SECRET_ACCESS_KEY"] = "s";
        laptop["AWS_SESSION_TOKEN"] = "tok";
        laptop["AWS_PROFILE"] = "work";
        var request = await SignedAs(aws, laptop);
        Assert.Equal(("AKIDENV", "tok"), (request.AccessKey, request.Header("X-Amz-Security-Token")));
        Assert.Equal("AKIDWORK", (await SignedAs(aws, laptop, "work")).AccessKey);
    }

    [Fact]
    public async Task The_credentials_file_wins_over_the_config_file_for_the_same_profile()
    {
        await using var aws = new FakeAws(Sts);
        using var laptop = Machine(aws, "[profile p]\naws_access_key_id = AKIDCONFIG\naws_secret_access_key = s\n", "[p]\naws_access_key_id = AKIDCREDENTIALS\n");
        Assert.Equal("AKIDCREDENTIALS", (await SignedAs(aws, laptop, "p")).AccessKey);
    }

    [Fact]
    public async Task A_role_is_assumed_with_the_source_profile_s_key_and_used()
    {
        await using var aws = new FakeAws(Sts);
        using var laptop = Machine(aws, """
            [profile role]
            role_arn = arn:aws:iam::1:role/Admin
            source_profile = base
            external_id = ext
            role_session_name = alice@example
            duration_seconds = 900
            [profile base]
            aws_access_key_id = AKIDBASE
            aws_secret_access_key = s
            """);
        laptop["AWS_ACCESS_KEY_ID"] = "AKIDENV";
        laptop["AWS_SECRET_ACCESS_KEY"] = "s";
        Assert.Equal("ROLEAdmin", (await SignedAs(aws, laptop, "role")).AccessKey);
        var assume = Assert.Single(aws.Of("AssumeRole"));
        Assert.Equal("AKIDBASE", assume.AccessKey);
        Assert.Equal(("ext", "alice@example", "900"), (assume.Form["ExternalId"], assume.Form["RoleSessionName"], assume.Form["DurationSeconds"]));
        Assert.EndsWith("/ap-northeast-1/sts/aws4_request", assume.Scope, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Roles_are_assumed_through_one_another_and_a_profile_may_be_its_own_source()
    {
        await using var aws = new FakeAws(Sts);
        using var laptop = Machine(aws, """
            [profile outer]
            role_arn = arn:aws:iam::1:role/Outer
            source_profile = inner
            [profile inner]
            role_arn = arn:aws:iam::1:role/Inner
            source_profile = self
            [profile self]
            role_arn = arn:aws:iam::1:role/Self
            source_profile = self
            aws_access_key_id = AKIDSELF
            aws_secret_access_key = s
            """);
        Assert.Equal("ROLEOuter", (await SignedAs(aws, laptop, "outer")).AccessKey);
        // As a source, keys beside a role_arn are what counts: the CLI's rule.
        Assert.Equal(["AKIDSELF", "ROLEInner"], aws.Of("AssumeRole").Select(r => r.AccessKey));
        Assert.Equal("ROLESelf", (await SignedAs(aws, laptop, "self")).AccessKey);
        Assert.Equal("AKIDSELF", aws.Of("AssumeRole").Last().AccessKey);
    }

    [Theory]
    [InlineData("source_profile = b", "loop of source_profile: a → b → a")]
    [InlineData("source_profile = nobody", "names source_profile nobody, which does not exist")]
    [InlineData("source_profile = empty", "names source_profile empty, which has no credentials")]
    [InlineData("source_profile = b\ncredential_source = Environment", "has both")]
    [InlineData("external_id = x", "neither source_profile nor credential_source")]
    [InlineData("credential_source = Moon", "unknown credential_source Moon")]
    [InlineData("credential_source = Environment", "AWS_ACCESS_KEY_ID is not set")]
    [InlineData("credential_source = EcsContainer", "this is none")]
    [InlineData("source_profile = keys\nduration_seconds = 5", "duration_seconds")]
    public async Task A_role_profile_that_cannot_work_says_why(string lines, string text)
    {
        await using var aws = new FakeAws(Sts);
        using var laptop = Machine(aws, $"[profile a]\nrole_arn = arn:aws:iam::1:role/A\n{lines}\n[profile b]\nrole_arn = arn:aws:iam::1:role/B\nsource_profile = a\n[profile empty]\noutput = json\n[profile keys]\naws_access_key_id = K\naws_secret_access_key = s\n");
        var failure = await Failure(laptop, "a");
        Assert.Equal(AwsFailureKind.Configuration, failure.Kind);
        Assert.Contains(text, failure.Message, StringComparison.Ordinal);
        Assert.Empty(aws.Requests);
    }

    [Theory]
    [InlineData("role_arn = arn:aws:iam::1:role/A\nsource_profile = keys\nmfa_serial = arn:aws:iam::1:mfa/alice", "MFA")]
    [InlineData("login_session = arn:aws:iam::1:user/alice", "credential_process = aws configure export-credentials --profile a")]
    [InlineData("aws_access_key_id = K", "no aws_secret_access_key")]
    [InlineData("output = json", "no AWS credentials")]
    public async Task A_profile_of_a_kind_that_does_not_work_here_says_what_to_do(string lines, string text)
    {
        await using var aws = new FakeAws(Sts);
        using var laptop = Machine(aws, $"[profile a]\n{lines}\n[profile keys]\naws_access_key_id = K\naws_secret_access_key = s\n");
        Assert.Contains(text, (await Failure(laptop, "a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_role_is_told_in_AWS_s_words()
    {
        await using var aws = new FakeAws(r => r.Operation == "AssumeRole" ? FakeAnswer.QueryError(403, "AccessDenied", "User: alice is not authorized to perform: sts:AssumeRole") : Sts(r));
        using var laptop = Machine(aws, "[profile a]\nrole_arn = arn:aws:iam::1:role/A\nsource_profile = keys\n[profile keys]\naws_access_key_id = K\naws_secret_access_key = s\n");
        var failure = await Failure(laptop, "a");
        Assert.Equal((AwsFailureKind.Permission, "sts:AssumeRole", "AccessDenied"), (failure.Kind, failure.Operation, failure.Code));
        Assert.Equal("sts:AssumeRole: AccessDenied: User: alice is not authorized to perform: sts:AssumeRole", failure.Message);
    }

    [Fact]
    public async Task A_web_identity_is_exchanged_unsigned_from_the_profile_and_from_the_environment()
    {
        await using var aws = new FakeAws(Sts);
        using var laptop = Machine(aws, "[profile w]\nrole_arn = arn:aws:iam::1:role/Web\nweb_identity_token_file = ~/token\n");
        laptop.Write("token", "header.payload.signature\n");
        Assert.Equal("ROLEWeb", (await SignedAs(aws, laptop, "w")).AccessKey);
        laptop["AWS_WEB_IDENTITY_TOKEN_FILE"] = "~/token";
        laptop["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/Env";
        Assert.Equal("ROLEEnv", (await SignedAs(aws, laptop)).AccessKey);
        Assert.All(aws.Of("AssumeRoleWithWebIdentity"), r => Assert.Equal(("", "header.payload.signature"), (r.Header("Authorization"), r.Form["WebIdentityToken"])));
    }

    [Fact]
    public async Task A_credential_process_is_run_and_its_output_never_shown()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "runs a shell script");
        await using var aws = new FakeAws(Sts);
        using var laptop = Machine(aws, "");
        string Script(string body)
        {
            var path = laptop.Write("bin with space/creds.sh", "#!/bin/sh\n" + body);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return $"[profile p]\ncredential_process = \"{path}\" --for 'a b'\n";
        }

        laptop.Config(Script("""test "$2" = "a b" || exit 9; echo '{"Version":1,"AccessKeyId":"AKIDPROCESS","SecretAccessKey":"s","SessionToken":"t"}'"""));
        Assert.Equal("AKIDPROCESS", (await SignedAs(aws, laptop, "p")).AccessKey);
        foreach (var (body, text) in new[]
        {
            ("echo hush; echo gone wrong >&2; exit 3", "ended with 3: gone wrong"),
            ("echo hush", "did not print JSON"),
            ("""echo '{"Version":2,"hush":1}'""", "not Version 1"),
            ("""echo '{"Version":1,"AccessKeyId":"hush"}'""", "no AccessKeyId and SecretAccessKey"),
            ("""echo '{"Version":1,"AccessKeyId":"hush","SecretAccessKey":"hush","Expiration":"2020-01-01T00:00:00Z"}'""", "have expired"),
        })
        {
            laptop.Config(Script(body));
            var failure = await Failure(laptop, "p");
            Assert.Equal(AwsFailureKind.Credentials, failure.Kind);
            Assert.Contains(text, failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("hush", failure.ToString(), StringComparison.Ordinal);
        }
        laptop.Config("[profile p]\ncredential_process = /nowhere/tool\n");
        Assert.Contains("could not start /nowhere/tool", (await Failure(laptop, "p")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b  c", "a|b|c")]
    [InlineData("\"a b\" 'c d'", "a b|c d")]
    [InlineData("a\\ b", "a b")]
    [InlineData("\"say \\\"x\\\"\" ''", "say \"x\"|")]
    [InlineData("'a\\b'", "a\\b")]
    public void A_command_line_is_split_as_a_shell_would(string line, string words)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "on Windows a backslash is a path's");
        Assert.Equal(words.Split('|'), CredentialProcess.Split(line));
    }

    [Fact]
    public async Task Container_credentials_are_asked_for_with_their_token()
    {
        await using var aws = new FakeAws(r => r.Path == "/creds"
            ? FakeAnswer.Ok("""{"AccessKeyId":"AKIDTASK","SecretAccessKey":"s","Token":"t","Expiration":"2100-01-01T00:00:00Z"}""") : Sts(r));
        using var laptop = Machine(aws, "");
        laptop["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = aws.Url + "/creds";
        laptop["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = laptop.Write("auth", "Bearer abc\n");
        Assert.Equal("AKIDTASK", (await SignedAs(aws, laptop)).AccessKey);
        Assert.Equal("Bearer abc", aws.Requests.First().Header("Authorization"));
        laptop["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://example.com/creds";
        Assert.Equal("AWS_CONTAINER_CREDENTIALS_FULL_URI", (await Failure(laptop)).Operation);
    }

    [Fact]
    public async Task Instance_credentials_are_asked_for_with_a_session_token_of_the_metadata_service()
    {
        await using var aws = new FakeAws(r => (r.Method, r.Path) switch
        {
            ("PUT", "/latest/api/token") => new FakeAnswer(200, "imds-token", "text/plain"),
            ("GET", "/latest/meta-data/iam/security-credentials/") => new FakeAnswer(200, "bastion-role\n", "text/plain"),
            ("GET", "/latest/meta-data/iam/security-credentials/bastion-role") =>
                FakeAnswer.Ok("""{"Code":"Success","AccessKeyId":"AKIDINSTANCE","SecretAccessKey":"s","Token":"t","Expiration":"2100-01-01T00:00:00Z"}"""),
            _ => Sts(r),
        });
        using var laptop = Machine(aws, "");
        laptop["AWS_EC2_METADATA_DISABLED"] = null;
        laptop["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = aws.Url;
        Assert.Equal("AKIDINSTANCE", (await SignedAs(aws, laptop)).AccessKey);
        Assert.All(aws.Requests.Where(r => r.Path.Contains("meta-data", StringComparison.Ordinal)), r => Assert.Equal("imds-token", r.Header("X-aws-ec2-metadata-token")));
    }

    [Fact]
    public async Task Without_any_credentials_the_failure_says_where_was_looked()
    {
        await using var nothing = new FakeAws(_ => new FakeAnswer(404, "", "text/plain"));
        using var laptop = Machine(nothing, "");
        laptop["AWS_EC2_METADATA_DISABLED"] = null;
        laptop["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = nothing.Url;
        var failure = await Failure(laptop);
        Assert.Equal(AwsFailureKind.Credentials, failure.Kind);
        Assert.StartsWith("no AWS credentials: none in the environment, none for profile default in", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("no EC2 instance role answered either", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_are_fetched_anew_five_minutes_before_their_end_and_used_on_while_that_fails()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));
        var source = new ScriptedKeys(time);
        using var credentials = new RefreshedCredentials(source, time);
        Assert.Equal("K1", (await credentials.GetCredentialsAsync()).AccessKey);
        time.Advance(TimeSpan.FromMinutes(54));
        Assert.Equal("K1", (await credentials.GetCredentialsAsync()).AccessKey);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("K2", (await credentials.GetCredentialsAsync()).AccessKey);
        source.Fails = true;
        time.Advance(TimeSpan.FromMinutes(57));
        Assert.Equal("K2", (await credentials.GetCredentialsAsync()).AccessKey);
        time.Advance(TimeSpan.FromMinutes(4));
        await Assert.ThrowsAsync<AwsFailure>(credentials.GetCredentialsAsync);
        source.Fails = false;
        var many = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => credentials.GetCredentialsAsync()));
        Assert.All(many, k => Assert.Equal("K5", k.AccessKey));
    }

    private sealed class ScriptedKeys(TimeProvider time) : IKeySource
    {
        private int _asked;

        public bool Fails { get; set; }

        public Task<Keys> FetchAsync()
        {
            _asked++;
            return Fails ? throw new AwsFailure(AwsFailureKind.Network, "sts", null, "away") : Task.FromResult(new Keys($"K{_asked}", "s", "t", time.GetUtcNow().AddHours(1)));
        }
    }

    private const string SsoConfig = """
        [profile s]
        sso_session = corp
        sso_account_id = 123456789012
        sso_role_name = Dev
        [sso-session corp]
        sso_region = us-east-1
        sso_start_url = https://corp.awsapps.com/start
        """;

    // sha1("corp"), the CLI's name for the session's file.
    private const string CacheFile = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

    private static FakeAnswer Sso(FakeRequest request) => request switch
    {
        { Method: "GET" } when request.Path.StartsWith("/federation/credentials", StringComparison.Ordinal) => request.Header("x-amz-sso_bearer_token") switch
        {
            "good" or "renewed" => FakeAnswer.Ok($$$"""{"roleCredentials":{"accessKeyId":"AKIDSSO","secretAccessKey":"s","sessionToken":"t","expiration":{{{DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds()}}}}}"""),
            _ => new FakeAnswer(401, """{"message":"Session token not found or invalid"}""", "application/json", ("x-amzn-ErrorType", "UnauthorizedException")),
        },
        { Path: "/token" } => request.Json.GetProperty("refreshToken").GetString() == "refresh-1"
            ? FakeAnswer.Ok("""{"accessToken":"renewed","tokenType":"Bearer","expiresIn":3600,"refreshToken":"refresh-2"}""")
            : new FakeAnswer(400, """{"error":"invalid_grant","error_description":"over"}""", "application/json", ("x-amzn-ErrorType", "InvalidGrantException")),
        _ => Sts(request),
    };

    private static string Cached(string token, DateTimeOffset expires, string? refresh = null) => JsonSerializer.Serialize(new Dictionary<string, string?>
    {
        ["startUrl"] = "https://corp.awsapps.com/start",
        ["accessToken"] = token,
        ["expiresAt"] = expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        ["clientId"] = "c",
        ["clientSecret"] = "cs",
        ["registrationExpiresAt"] = "2100-01-01T00:00:00Z",
        ["refreshToken"] = refresh ?? "refresh-1",
    });

    [Fact]
    public async Task A_sign_in_of_the_CLI_at_Identity_Center_is_used_for_the_profile_s_account_and_role()
    {
        await using var aws = new FakeAws(Sso);
        using var laptop = Machine(aws, SsoConfig);
        laptop.Write(CacheFile, Cached("good", DateTimeOffset.UtcNow.AddHours(2)));
        Assert.Equal("AKIDSSO", (await SignedAs(aws, laptop, "s")).AccessKey);
        var asked = aws.Requests.First();
        Assert.Contains("account_id=123456789012", asked.Path, StringComparison.Ordinal);
        Assert.Contains("role_name=Dev", asked.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_ending_sign_in_is_renewed_and_the_CLI_s_file_updated_for_its_owner_alone()
    {
        await using var aws = new FakeAws(Sso);
        using var laptop = Machine(aws, SsoConfig);
        var file = laptop.Write(CacheFile, Cached("stale", DateTimeOffset.UtcNow.AddMinutes(-1)));
        Assert.Equal("AKIDSSO", (await SignedAs(aws, laptop, "s")).AccessKey);
        using var written = JsonDocument.Parse(await File.ReadAllTextAsync(file, Stop));
        Assert.Equal(("renewed", "refresh-2", "cs"), (written.RootElement.GetProperty("accessToken").GetString(), written.RootElement.GetProperty("refreshToken").GetString(), written.RootElement.GetProperty("clientSecret").GetString()));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(file)!));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("refused")]
    [InlineData("over")]
    [InlineData("broken")]
    public async Task A_sign_in_that_is_missing_or_over_says_aws_sso_login(string? state)
    {
        await using var aws = new FakeAws(Sso);
        using var laptop = Machine(aws, SsoConfig);
        if (state is not null)
            laptop.Write(CacheFile, state switch { "refused" => Cached("bad", DateTimeOffset.UtcNow.AddHours(2)), "over" => Cached("stale", DateTimeOffset.UtcNow.AddHours(-1), "refresh-0"), _ => "{" });
        var failure = await Failure(laptop, "s");
        Assert.Equal(AwsFailureKind.Credentials, failure.Kind);
        Assert.EndsWith("run: aws sso login --profile s", failure.Message, StringComparison.Ordinal);
    }
}
