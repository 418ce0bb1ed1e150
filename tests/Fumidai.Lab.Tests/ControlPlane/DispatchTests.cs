using System.Net;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class DispatchTests(LabFixture lab) : IClassFixture<LabFixture>
{
    [Fact]
    public async Task The_same_port_speaks_tls_under_the_labs_authority()
    {
        using var authority = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(lab.Host.Context.Authority.CertificateFile, TestContext.Current.CancellationToken));
        using var handler = new HttpClientHandler();
        handler.ServerCertificateCustomValidationCallback = (_, certificate, chain, errors) =>
        {
            Assert.Equal(System.Net.Security.SslPolicyErrors.RemoteCertificateChainErrors, errors);
            chain!.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(authority);
            return chain.Build(certificate!);
        };
        using var http = new HttpClient(handler);
        Assert.Equal("127.0.0.1\n", await http.GetStringAsync(new Uri($"https://127.0.0.1:{lab.Host.Port}/my-ip"), TestContext.Current.CancellationToken));
        Assert.Equal("127.0.0.1\n", await http.GetStringAsync(new Uri($"http://127.0.0.1:{lab.Host.Port}/my-ip"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_authoritys_key_never_reaches_the_disk()
    {
        foreach (var file in Directory.EnumerateFiles(lab.Host.Context.Directory, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain("PRIVATE KEY", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_operation_is_refused_as_each_protocol_refuses_it()
    {
        Assert.Equal("InvalidAction", (await lab.Ec2Async("DescribeHosts")).ErrorCode);
        Assert.Equal("InvalidAction", (await lab.RdsAsync("DescribeGlobalClusters")).ErrorCode);
        Assert.Equal("UnknownOperationException", (await lab.SecretsAsync("ListSecretVersionIds", "{}")).ErrorCode);
    }

    [Fact]
    public async Task An_unknown_service_is_refused_too()
    {
        Assert.Equal("UnknownOperationException", (await lab.JsonAsync("kms", "TrentService.ListKeys", "{}")).ErrorCode);
        Assert.Equal("InvalidAction", (await lab.FormAsync("elasticache", "2015-02-02", "DescribeCacheClusters")).ErrorCode);
    }

    [Fact]
    public async Task Every_answer_carries_a_request_id_of_its_own()
    {
        var first = await lab.StsAsync("GetCallerIdentity");
        var second = await lab.StsAsync("GetCallerIdentity");
        Assert.True(Guid.TryParse(first.RequestId, out _));
        Assert.NotEqual(first.RequestId, second.RequestId);
        Assert.Equal(first.RequestId, first.One("RequestId"));
    }

    [Fact]
    public async Task A_call_is_reported_in_one_line_without_what_it_carried()
    {
        await lab.SecretsAsync("CreateSecret", """{"Name":"quiet","SecretString":"hush-hush"}""");
        await lab.SecretsAsync("GetSecretValue", """{"SecretId":"nobody\nknows"}""");
        var lines = lab.Calls.ToArray();
        Assert.Contains(lines, l => l.EndsWith($" secretsmanager:CreateSecret arn:aws:iam::{LabAccounts.Main}:user/alice 200", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.EndsWith(" ResourceNotFoundException", StringComparison.Ordinal));
        Assert.All(lines, l => Assert.DoesNotContain("hush", l, StringComparison.Ordinal));
        Assert.All(lines, l => Assert.DoesNotContain('\n', l));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"SecretId\":7}")]
    public async Task A_body_that_is_not_the_expected_json_is_refused(string body)
    {
        var answer = await lab.SecretsAsync("GetSecretValue", body);
        Assert.Equal("SerializationException", answer.ErrorCode);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    [Fact]
    public async Task A_missing_parameter_is_named()
    {
        var answer = await lab.Ec2Async("StopInstances");
        Assert.Equal("MissingParameter", answer.ErrorCode);
        Assert.Contains("InstanceId", answer.Body, StringComparison.Ordinal);
        Assert.Equal("ValidationException", (await lab.SecretsAsync("GetSecretValue", "{}")).ErrorCode);
        Assert.Equal("MissingParameter", (await lab.RdsAsync("StopDBCluster")).ErrorCode);
    }
}
