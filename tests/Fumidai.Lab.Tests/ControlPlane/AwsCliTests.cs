using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>The real AWS CLI as a client: it judges signatures, shapes and errors from outside.</summary>
public sealed class AwsCliTests(LabFixture lab) : IClassFixture<LabFixture>
{
    private static readonly string? s_aws = FindAws();

    [Fact]
    public async Task The_cli_learns_who_it_is()
    {
        var identity = await JsonAsync("sts", "get-caller-identity");
        Assert.Equal(LabAccounts.Main, identity.GetProperty("Account").GetString());
        Assert.Equal($"arn:aws:iam::{LabAccounts.Main}:user/alice", identity.GetProperty("Arn").GetString());
    }

    [Fact]
    public async Task The_cli_sees_both_bastions_with_their_networks()
    {
        var reservations = await JsonAsync("ec2", "describe-instances", "--filters", "Name=tag:Name,Values=*-bastion", "Name=instance-state-name,Values=running");
        var instances = reservations.GetProperty("Reservations").EnumerateArray().SelectMany(r => r.GetProperty("Instances").EnumerateArray()).ToList();
        Assert.Equal(2, instances.Count);
        var open = Assert.Single(instances, i => i.TryGetProperty("PublicIpAddress", out _));
        var closed = Assert.Single(instances, i => i.TryGetProperty("IamInstanceProfile", out _));
        Assert.NotEqual(open.GetProperty("SubnetId").GetString(), closed.GetProperty("SubnetId").GetString());
        Assert.Equal("running", closed.GetProperty("State").GetProperty("Name").GetString());
        Assert.StartsWith("sg-", closed.GetProperty("SecurityGroups")[0].GetProperty("GroupId").GetString());
    }

    [Fact]
    public async Task The_cli_sees_the_cluster_and_reads_its_managed_password()
    {
        var cluster = (await JsonAsync("rds", "describe-db-clusters", "--db-cluster-identifier", "app")).GetProperty("DBClusters")[0];
        Assert.Equal("available", cluster.GetProperty("Status").GetString());
        Assert.Equal(5432, cluster.GetProperty("Port").GetInt32());
        Assert.True(cluster.GetProperty("DBClusterMembers")[0].GetProperty("IsClusterWriter").GetBoolean());
        Assert.Equal(0.5, cluster.GetProperty("ServerlessV2ScalingConfiguration").GetProperty("MinCapacity").GetDouble());
        var secret = await JsonAsync("secretsmanager", "get-secret-value", "--secret-id", cluster.GetProperty("MasterUserSecret").GetProperty("SecretArn").GetString()!);
        var login = JsonDocument.Parse(secret.GetProperty("SecretString").GetString()!).RootElement;
        Assert.Equal(["username", "password"], login.EnumerateObject().Select(p => p.Name));
        Assert.Equal(cluster.GetProperty("MasterUsername").GetString(), login.GetProperty("username").GetString());
    }

    [Fact]
    public async Task The_cli_takes_a_rule_out_and_puts_it_back()
    {
        var groups = await JsonAsync("ec2", "describe-security-groups", "--filters", "Name=group-name,Values=aurora");
        var aurora = groups.GetProperty("SecurityGroups")[0];
        var id = aurora.GetProperty("GroupId").GetString()!;
        var from = aurora.GetProperty("IpPermissions")[0].GetProperty("UserIdGroupPairs")[0].GetProperty("GroupId").GetString()!;
        string[] rule = ["--group-id", id, "--protocol", "tcp", "--port", "5432", "--source-group", from];
        var (instance, address) = lab.Host.Context.Model.Read(m => (m.Instances.Values.First(i => i.PublicAddress is null).Id, m.DbClusters["app"].Address));
        Verdict Now() => Reachability.FromInstance(lab.Host.Context.Model, instance, address, 5432).Verdict;

        Assert.Equal(Verdict.Open, Now());
        await JsonAsync(["ec2", "revoke-security-group-ingress", .. rule]);
        Assert.Equal(Verdict.Dropped, Now());
        Assert.Contains("InvalidPermission.NotFound", await FailAsync(["ec2", "revoke-security-group-ingress", .. rule]), StringComparison.Ordinal);
        await JsonAsync(["ec2", "authorize-security-group-ingress", .. rule]);
        Assert.Equal(Verdict.Open, Now());
        Assert.Contains("InvalidPermission.Duplicate", await FailAsync(["ec2", "authorize-security-group-ingress", .. rule]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sts", "get-caller-identity", "SignatureDoesNotMatch")]
    [InlineData("ec2", "describe-vpcs", "AuthFailure")]
    [InlineData("secretsmanager", "list-secrets", "InvalidSignatureException")]
    public async Task A_wrong_secret_key_is_refused_in_the_words_of_the_protocol(string service, string operation, string code)
    {
        Assert.Contains($"({code})", await FailAsync([service, operation], secret: "wrong"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_second_region_holds_none_of_it()
    {
        // For RDS in us-east-1 this CLI forgets AWS_ENDPOINT_URL (it pins the service's old host name there), so it is told on the command line.
        string[] there = ["--region", "us-east-1", "--endpoint-url", lab.Address.ToString()];
        var found = await JsonAsync(["rds", "describe-db-clusters", .. there]);
        Assert.Equal(0, found.GetProperty("DBClusters").GetArrayLength());
        Assert.Contains("(DBClusterNotFoundFault)", await FailAsync(["rds", "describe-db-clusters", "--db-cluster-identifier", "app", .. there]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_region_that_is_not_enabled_knows_no_credentials()
    {
        Assert.Contains("(AuthFailure)", await FailAsync(["ec2", "describe-instances", "--region", "eu-west-3"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_modelled_is_an_error_to_the_cli()
    {
        Assert.Contains("(InvalidAction)", await FailAsync(["ec2", "describe-hosts"]), StringComparison.Ordinal);
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var (exit, output, error) = await RunAsync(arguments, null);
        Assert.True(exit == 0, error);
        return output.Length == 0 ? default : JsonDocument.Parse(output).RootElement;
    }

    private async Task<string> FailAsync(string[] arguments, string? secret = null)
    {
        var (exit, output, error) = await RunAsync(arguments, secret);
        Assert.True(exit != 0, output);
        return error;
    }

    private async Task<(int Exit, string Output, string Error)> RunAsync(string[] arguments, string? secret)
    {
        Assert.SkipWhen(s_aws is null, "The aws CLI is not on PATH.");
        var start = new ProcessStartInfo(s_aws!) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in (string[])["--output", "json", .. arguments])
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in lab.Host.Environment)
            start.Environment[name] = value;
        if (secret is not null)
            start.Environment["AWS_SECRET_ACCESS_KEY"] = secret;
        start.Environment["AWS_MAX_ATTEMPTS"] = "1";
        start.Environment["AWS_CONFIG_FILE"] = start.Environment["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(lab.Host.Context.Directory, "none");
        start.Environment.Remove("AWS_PROFILE");
        start.Environment.Remove("AWS_SESSION_TOKEN");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    private static string? FindAws() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(d => Path.Combine(d, "aws")).FirstOrDefault(File.Exists);
}
