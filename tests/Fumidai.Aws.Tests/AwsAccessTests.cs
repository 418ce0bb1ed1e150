using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Aws.Tests;

/// <summary>Region, profile, endpoints and roots, as the AWS CLI finds them.</summary>
public sealed class AwsAccessTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private const string Identity = """
        <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/alice</Arn>
        <UserId>AIDA1</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>
        """;

    private static Laptop WithKeys()
    {
        var laptop = new Laptop();
        laptop.Credentials("[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n");
        return laptop;
    }

    [Fact]
    public void The_region_comes_from_the_command_line_then_variables_then_the_profile()
    {
        using var laptop = WithKeys();
        laptop.Config("[default]\nregion = eu-west-1\n");
        Assert.Equal("eu-west-1", laptop.Open().Region);
        laptop["AWS_DEFAULT_REGION"] = "eu-west-2";
        Assert.Equal("eu-west-2", laptop.Open().Region);
        laptop["AWS_REGION"] = "eu-west-3";
        Assert.Equal("eu-west-3", laptop.Open().Region);
        Assert.Equal("ap-northeast-1", laptop.Open(new AwsSettings { Region = "ap-northeast-1" }).Region);
    }

    [Theory]
    [InlineData(null, "no AWS region")]
    [InlineData("evil.example.com/", "is not the name of an AWS region")]
    public void A_missing_or_impossible_region_is_a_configuration_failure(string? region, string text)
    {
        using var laptop = WithKeys();
        var failure = Assert.Throws<AwsFailure>(() => laptop.Open(new AwsSettings { Region = region }));
        Assert.Equal(AwsFailureKind.Configuration, failure.Kind);
        Assert.Contains(text, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_profile_is_a_configuration_failure_that_lists_the_known_ones()
    {
        using var laptop = WithKeys();
        laptop.Config("[profile prod]\nregion = eu-west-1\n[sso-session corp]\n");
        laptop["AWS_PROFILE"] = "prdo";
        var failure = Assert.Throws<AwsFailure>(() => laptop.Open());
        Assert.Equal(AwsFailureKind.Configuration, failure.Kind);
        Assert.Contains("no AWS profile prdo", failure.Message, StringComparison.Ordinal);
        Assert.Contains("(there are: default, prod)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_line_is_named_by_number_and_not_shown()
    {
        using var laptop = WithKeys();
        laptop.Credentials("[default]\n# fine\nwJalrXUtnFEMI\n");
        var failure = Assert.Throws<AwsFailure>(() => laptop.Open(new AwsSettings { Region = "eu-west-1" }));
        Assert.Equal(AwsFailureKind.Configuration, failure.Kind);
        Assert.EndsWith("credentials line 3 is neither a [section] nor a key = value", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_files_can_be_elsewhere_and_a_tilde_means_home()
    {
        await using var aws = new FakeAws(_ => FakeAnswer.Xml(Identity));
        using var laptop = new Laptop();
        laptop.Write("other/conf", $"[profile quoted]\nregion: eu-west-1\nendpoint_url = {aws.Url}\n");
        laptop.Write("other/cred", "[quoted]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = a:b=c\n");
        laptop["AWS_CONFIG_FILE"] = "~/other/conf";
        laptop["AWS_SHARED_CREDENTIALS_FILE"] = "~/other/cred";
        laptop["AWS_PROFILE"] = "quoted";
        using var access = laptop.Open();
        Assert.Equal("123456789012", (await AskCallerIdentity.AskAsync(access, Stop)).Account);
        Assert.Equal("AKIDOTHER", aws.Requests.Single().AccessKey);
        Assert.Equal("a:b=c", (await access.Credentials.GetCredentialsAsync()).SecretKey);
    }

    [Fact]
    public async Task Requests_to_a_named_endpoint_are_signed_for_the_region_in_force_by_the_SDK_and_by_the_raw_client()
    {
        await using var aws = new FakeAws(r => r.Operation switch
        {
            "GetCallerIdentity" => FakeAnswer.Xml(Identity),
            "DescribeInstances" => FakeAnswer.Xml("<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><reservationSet/></DescribeInstancesResponse>"),
            "DescribeDBClusters" => FakeAnswer.QueryError(404, "DBClusterNotFoundFault", "no"),
            _ => FakeAnswer.JsonError(400, "X", "x"),
        });
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open(new AwsSettings { Region = "eu-central-2" });
        await AskCallerIdentity.AskAsync(access, Stop);
        await FindBastions.ListAsync(access, null, Stop);
        foreach (var call in new Func<Task>[]
        {
            () => FindTargets.GetAsync(access, DatabaseKind.Cluster, "a", Stop), () => ReadSecret.ReadAsync(access, "s", Stop),
            () => PushSshKey.PushAsync(access, "i-1", null, "ec2-user", "k", Stop), () => SessionCalls.StartAsync(access, "i-1", "D", new Dictionary<string, string>(), null, Stop),
        })
        {
            await Assert.ThrowsAsync<AwsFailure>(call);
        }
        var scopes = aws.Requests.Select(r => string.Join('/', r.Scope.Split('/')[2..])).ToHashSet();
        Assert.Equal(["eu-central-2/ec2-instance-connect/aws4_request", "eu-central-2/ec2/aws4_request", "eu-central-2/rds/aws4_request",
            "eu-central-2/secretsmanager/aws4_request", "eu-central-2/ssm/aws4_request", "eu-central-2/sts/aws4_request"], scopes.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Endpoints_are_found_in_the_CLI_s_order()
    {
        using var laptop = WithKeys();
        laptop.Config("""
            [default]
            region = eu-west-1
            endpoint_url = http://profile.example
            services = mine
            [services mine]
            rds =
              endpoint_url = http://section-rds.example
            secrets_manager =
              endpoint_url = http://section-secrets.example
            """);
        string Of(AwsService service, string? commandLine = null)
        {
            var files = ConfigFiles.Read(laptop.Environment);
            return new Endpoints(commandLine, laptop.Environment, files.Profile("default"), files.Services("mine")).For(service)?.Host ?? "aws";
        }

        Assert.Equal("profile.example", Of(AwsService.Ssm));
        Assert.Equal("section-rds.example", Of(AwsService.Rds));
        Assert.Equal("section-secrets.example", Of(AwsService.SecretsManager));
        laptop["AWS_ENDPOINT_URL"] = "http://all.example";
        Assert.Equal("all.example", Of(AwsService.Rds));
        laptop["AWS_ENDPOINT_URL_EC2_INSTANCE_CONNECT"] = "http://variable.example";
        Assert.Equal("variable.example", Of(AwsService.InstanceConnect));
        Assert.Equal("command.example", Of(AwsService.InstanceConnect, "http://command.example"));
        Assert.Equal("all.example", Of(AwsService.Sso, "http://command.example"));
        laptop["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
        Assert.Equal("aws", Of(AwsService.InstanceConnect));
        Assert.Equal("command.example", Of(AwsService.InstanceConnect, "http://command.example"));
    }

    [Theory]
    [InlineData("ftp://x")]
    [InlineData("localhost:4566")]
    [InlineData("http://")]
    public void An_endpoint_that_is_no_http_address_names_its_setting(string url)
    {
        using var laptop = WithKeys();
        laptop["AWS_REGION"] = "eu-west-1";
        laptop["AWS_ENDPOINT_URL_RDS"] = url;
        var failure = Assert.Throws<AwsFailure>(() => laptop.Open());
        Assert.Equal((AwsFailureKind.Configuration, "AWS_ENDPOINT_URL_RDS"), (failure.Kind, failure.Operation));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("http://127.0.0.1:4566", true)]
    [InlineData("https://vpce-1.rds.eu-west-1.vpce.amazonaws.com", false)]
    [InlineData("https://amazonaws.com.evil.example", true)]
    public void An_endpoint_of_AWS_s_own_is_not_a_custom_one(string? url, bool isCustom)
    {
        using var laptop = WithKeys();
        laptop["AWS_REGION"] = "eu-west-1";
        laptop["AWS_ENDPOINT_URL_RDS"] = url;
        using var access = laptop.Open();
        Assert.Equal(isCustom, access.HasCustomEndpoint);
    }

    [Theory]
    [InlineData("ap-northeast-1", false, false, "rds.ap-northeast-1.amazonaws.com")]
    [InlineData("cn-north-1", false, false, "rds.cn-north-1.amazonaws.com.cn")]
    [InlineData("us-gov-west-1", true, false, "rds-fips.us-gov-west-1.amazonaws.com")]
    [InlineData("eu-west-1", false, true, "rds.eu-west-1.api.aws")]
    public void Host_names_follow_the_region_s_partition(string region, bool fips, bool dualStack, string host) =>
        Assert.Equal(host, RawEndpointProvider.HostOf(AwsService.Rds, region, fips, dualStack));

    [Fact]
    public void A_CA_bundle_is_found_in_the_variable_before_the_profile_and_a_missing_one_is_named()
    {
        using var laptop = WithKeys();
        using var authority = Authority();
        laptop.Config($"[default]\nregion = eu-west-1\nca_bundle = {laptop.Write("profile.pem", authority.ExportCertificatePem())}\n");
        using (var access = laptop.Open())
            Assert.Equal((Path.Combine(laptop.Home, "profile.pem"), 1), (access.RootsFile!, access.Roots!.Count));
        laptop["AWS_CA_BUNDLE"] = laptop.Write("empty.pem", "nothing\n");
        Assert.EndsWith("holds no PEM certificate", Assert.Throws<AwsFailure>(() => laptop.Open()).Message, StringComparison.Ordinal);
        laptop["AWS_CA_BUNDLE"] = "/nowhere/ca.pem";
        var failure = Assert.Throws<AwsFailure>(() => laptop.Open());
        Assert.Equal((AwsFailureKind.Configuration, "AWS_CA_BUNDLE"), (failure.Kind, failure.Operation));
        Assert.Contains("/nowhere/ca.pem", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_of_the_bundle_s_root_is_trusted_and_without_the_bundle_it_is_not()
    {
        using var authority = Authority();
        using var server = ServerOf(authority);
        await using var aws = new FakeAws(_ => FakeAnswer.Xml(Identity), server);
        using var laptop = Laptop.Facing(aws);
        using (var untrusting = laptop.Open())
        {
            var failure = await Assert.ThrowsAsync<AwsFailure>(() => AskCallerIdentity.AskAsync(untrusting, Stop));
            Assert.Equal(AwsFailureKind.Network, failure.Kind);
            Assert.Contains($"TLS with 127.0.0.1:{aws.Port} failed", failure.Message, StringComparison.Ordinal);
            Assert.Contains("AWS_CA_BUNDLE", failure.Message, StringComparison.Ordinal);
        }
        laptop["AWS_CA_BUNDLE"] = laptop.Write("ca.pem", authority.ExportCertificatePem());
        using var access = laptop.Open();
        Assert.Equal("arn:aws:iam::123456789012:user/alice", (await AskCallerIdentity.AskAsync(access, Stop)).Arn);
    }

    [Fact]
    public async Task Our_own_address_is_read_from_plain_text_and_anything_else_is_a_failure()
    {
        var answers = new Queue<FakeAnswer>([new(200, "203.0.113.9\n", "text/plain"), new(200, "you are unknown", "text/plain"), new(500, "no", "text/plain"), new(200, "<html>", "text/html")]);
        await using var service = new FakeAws(_ => answers.Dequeue());
        using var laptop = Laptop.Facing("http://127.0.0.1:9");
        using var access = laptop.Open();
        var url = new Uri(service.Url);
        Assert.Equal(IPAddress.Parse("203.0.113.9"), await AskOwnAddress.AskAsync(access, url, Stop));
        Assert.Empty(service.Requests.Single().Header("Authorization"));
        foreach (var text in new[] { "no IP address", "HTTP 500", "web page" })
            Assert.Contains(text, (await Assert.ThrowsAsync<AwsFailure>(() => AskOwnAddress.AskAsync(access, url, Stop))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_service_that_stays_silent_is_given_up_after_five_seconds()
    {
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var time = new FakeTimeProvider();
        using var laptop = Laptop.Facing("http://127.0.0.1:9");
        using var access = laptop.Open(time: time);
        var asking = AskOwnAddress.AskAsync(access, new Uri($"http://127.0.0.1:{((IPEndPoint)mute.LocalEndpoint).Port}/"), Stop);
        using var connection = await mute.AcceptTcpClientAsync(Stop);
        time.Advance(AskOwnAddress.Limit - TimeSpan.FromMilliseconds(1));
        Assert.False(asking.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => asking);
        Assert.EndsWith("did not answer in time", failure.Message, StringComparison.Ordinal);
    }

    private static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test Root", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static X509Certificate2 ServerOf(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, authority.NotBefore, authority.NotAfter, [1, 2, 3]);
        using var withKey = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
