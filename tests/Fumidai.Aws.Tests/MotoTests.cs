using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Amazon.Runtime;
using Xunit;

namespace Fumidai.Aws.Tests;

/// <summary>An AWS written by others, where it is on PATH: one server for the class, on a port of its own choice, ended with it.</summary>
public sealed partial class MotoServer : IAsyncLifetime
{
    private Process? _process;

    public string? Url { get; private set; }

    public async ValueTask InitializeAsync()
    {
        var start = new ProcessStartInfo("moto_server", ["-H", "127.0.0.1", "-p", "0"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        Laptop.Forget(start.Environment);
        start.Environment["PYTHONUNBUFFERED"] = "1";
        try
        {
            _process = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return;
        }
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (Url is null && await _process!.StandardError.ReadLineAsync(limit.Token) is { } line)
            Url = Address().Match(line) is { Success: true } found ? found.Value : null;
        // What it logs afterwards must not fill the pipe.
        _ = _process!.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null)
            return;
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    [GeneratedRegex("http://127\\.0\\.0\\.1:[0-9]+")]
    private static partial Regex Address();
}

/// <summary>The questions put to moto: an independent reading of the service models.</summary>
public sealed class MotoTests(MotoServer moto) : IClassFixture<MotoServer>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static readonly AwsService Ec2Query = new("EC2", "ec2", "ec2", "2016-11-15");

    private Laptop Laptop()
    {
        Assert.SkipWhen(moto.Url is null, "moto_server is not on PATH");
        return Aws.Tests.Laptop.Facing(moto.Url!);
    }

    private static async Task<string> Ec2Async(RawAwsClient ec2, string operation, string element, params (string Name, string Value)[] parameters)
    {
        var answer = await ec2.QueryAsync(operation, parameters.Select(p => KeyValuePair.Create(p.Name, p.Value)), Stop);
        return answer.DescendantsAndSelf().FirstOrDefault(e => e.Name.LocalName == element)?.Value ?? "";
    }

    private static RawAwsClient Ec2(Laptop laptop) => new(new BasicAWSCredentials("AKIDENV", "s"),
        new RawAwsConfig(Ec2Query) { ServiceURL = laptop.Environment["AWS_ENDPOINT_URL"], AuthenticationRegion = "ap-northeast-1", UseFIPSEndpoint = false, HttpClientFactory = new SharedHttp(null, null) });

    private static Task<XElement> RdsAsync(AwsAccess access, string operation, params (string Name, string Value)[] parameters) =>
        access.AskAsync(AwsService.Rds, operation, stop => access.Rds.QueryAsync(operation, parameters.Select(p => KeyValuePair.Create(p.Name, p.Value)), stop), Stop);

    [Fact]
    public async Task The_mission_s_network_and_cluster_are_made_and_found_again_with_bastion_rules_and_secret()
    {
        using var laptop = Laptop();
        using var access = laptop.Open();
        using var ec2 = Ec2(laptop);
        var vpc = await Ec2Async(ec2, "CreateVpc", "vpcId", ("CidrBlock", "10.9.0.0/16"));
        var subnetA = await Ec2Async(ec2, "CreateSubnet", "subnetId", ("VpcId", vpc), ("CidrBlock", "10.9.1.0/24"), ("AvailabilityZone", "ap-northeast-1a"));
        var subnetB = await Ec2Async(ec2, "CreateSubnet", "subnetId", ("VpcId", vpc), ("CidrBlock", "10.9.2.0/24"), ("AvailabilityZone", "ap-northeast-1c"));
        var bastionGroup = await Ec2Async(ec2, "CreateSecurityGroup", "groupId", ("GroupName", "bastion"), ("GroupDescription", "d"), ("VpcId", vpc));
        var databaseGroup = await Ec2Async(ec2, "CreateSecurityGroup", "groupId", ("GroupName", "db"), ("GroupDescription", "d"), ("VpcId", vpc));
        await Ec2Async(ec2, "AuthorizeSecurityGroupIngress", "return", ("GroupId", databaseGroup), ("IpPermissions.1.IpProtocol", "tcp"),
            ("IpPermissions.1.FromPort", "5432"), ("IpPermissions.1.ToPort", "5432"), ("IpPermissions.1.Groups.1.GroupId", bastionGroup));
        await Ec2Async(ec2, "AuthorizeSecurityGroupIngress", "return", ("GroupId", bastionGroup), ("IpPermissions.1.IpProtocol", "tcp"),
            ("IpPermissions.1.FromPort", "22"), ("IpPermissions.1.ToPort", "22"), ("IpPermissions.1.IpRanges.1.CidrIp", "203.0.113.0/24"));
        var instance = await Ec2Async(ec2, "RunInstances", "instanceId", ("ImageId", "ami-12c6146b"), ("MinCount", "1"), ("MaxCount", "1"), ("SubnetId", subnetA),
            ("SecurityGroupId.1", bastionGroup), ("TagSpecification.1.ResourceType", "instance"), ("TagSpecification.1.Tag.1.Key", "Name"), ("TagSpecification.1.Tag.1.Value", "bastion"));
        await RdsAsync(access, "CreateDBSubnetGroup", ("DBSubnetGroupName", "private"), ("DBSubnetGroupDescription", "d"), ("SubnetIds.SubnetIdentifier.1", subnetA), ("SubnetIds.SubnetIdentifier.2", subnetB));
        await RdsAsync(access, "CreateDBCluster", ("DBClusterIdentifier", "app"), ("Engine", "aurora-postgresql"), ("MasterUsername", "postgres"), ("ManageMasterUserPassword", "true"),
            ("DatabaseName", "appdb"), ("DBSubnetGroupName", "private"), ("VpcSecurityGroupIds.VpcSecurityGroupId.1", databaseGroup),
            ("ServerlessV2ScalingConfiguration.MinCapacity", "0"), ("ServerlessV2ScalingConfiguration.MaxCapacity", "2"));
        await RdsAsync(access, "CreateDBInstance", ("DBInstanceIdentifier", "app-1"), ("DBClusterIdentifier", "app"), ("Engine", "aurora-postgresql"), ("DBInstanceClass", "db.serverless"));
        await RdsAsync(access, "CreateDBCluster", ("DBClusterIdentifier", "graph"), ("Engine", "neptune"));

        var found = await FindTargets.ListAsync(access, Stop);
        var app = Assert.Single(found);
        Assert.Equal((DatabaseKind.Cluster, "app", "aurora-postgresql", 5432, "appdb", "postgres", vpc), (app.Kind, app.Id, app.Engine, app.Port, app.DatabaseName, app.MasterUsername, app.VpcId));
        Assert.Equal(0, app.MinCapacity);
        Assert.Equal([databaseGroup], app.SecurityGroupIds);
        Assert.Equal(app.Endpoint, (await FindTargets.GetAsync(access, DatabaseKind.Cluster, "app", Stop)).Endpoint);
        Assert.Equal(AwsFailureKind.NotFound, (await Assert.ThrowsAsync<AwsFailure>(() => FindTargets.GetAsync(access, DatabaseKind.Cluster, "nope", Stop))).Kind);

        var bastion = Assert.Single(await FindBastions.ListAsync(access, vpc, Stop));
        Assert.Equal((instance, "bastion", "running", null), (bastion.Id, bastion.Name, bastion.State, bastion.PingStatus));
        Assert.Equal([bastionGroup], bastion.SecurityGroupIds);
        Assert.Equal(instance, Assert.Single(await FindBastions.ByTagAsync(access, "Name", "bastion", Stop)).Id);
        Assert.Equal(AwsFailureKind.NotFound, (await Assert.ThrowsAsync<AwsFailure>(() => FindBastions.GetAsync(access, "i-0123456789abcdef0", Stop))).Kind);

        Assert.True(await ReadSecurityGroups.AdmitAsync(access, app.SecurityGroupIds, 5432, null, bastion.SecurityGroupIds, Stop));
        Assert.False(await ReadSecurityGroups.AdmitAsync(access, app.SecurityGroupIds, 5432, IPAddress.Parse("203.0.113.9"), [], Stop));
        Assert.True(await ReadSecurityGroups.AdmitAsync(access, bastion.SecurityGroupIds, 22, IPAddress.Parse("203.0.113.9"), [], Stop));
        Assert.False(await ReadSecurityGroups.AdmitAsync(access, bastion.SecurityGroupIds, 22, IPAddress.Parse("198.51.100.9"), [], Stop));

        var login = await ReadSecret.ReadAsync(access, app.MasterSecretArn!, Stop);
        // moto writes admin whatever the master user is called.
        Assert.NotEmpty(login.Username);
        Assert.NotEmpty(login.Password.Reveal());
        Assert.Equal(AwsFailureKind.NotFound, (await Assert.ThrowsAsync<AwsFailure>(() => ReadSecret.ReadAsync(access, "no-such-secret", Stop))).Kind);

        await Ec2Async(ec2, "StopInstances", "x", ("InstanceId.1", instance));
        Assert.Equal("running", (await FindBastions.StartAsync(access, instance, false, new Progress<string>(), Stop)).State);
    }

    [Fact]
    public async Task A_role_profile_is_assumed_with_its_source_and_answers_as_the_role()
    {
        using var laptop = Laptop();
        laptop["AWS_ACCESS_KEY_ID"] = null;
        laptop["AWS_SECRET_ACCESS_KEY"] = null;
        laptop.Config("""
            [profile admin]
            role_arn = arn:aws:iam::123456789012:role/Admin
            source_profile = base
            role_session_name = alice
            [profile base]
            aws_access_key_id = AKIDBASE
            aws_secret_access_key = s
            """);
        using var access = laptop.Open("admin");
        Assert.Equal("arn:aws:sts::123456789012:assumed-role/Admin/alice", (await AskCallerIdentity.AskAsync(access, Stop)).Arn);
        Assert.StartsWith("ASIA", (await access.Credentials.GetCredentialsAsync()).AccessKey, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_pushed_to_an_instance()
    {
        using var laptop = Laptop();
        using var access = laptop.Open();
        await PushSshKey.PushAsync(access, "i-0123456789abcdef0", "ap-northeast-1a", "ec2-user", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDummyDummyDummyDummyDummyDummyDummyDummyDum", Stop);
    }
}
