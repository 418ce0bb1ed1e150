using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Fumidai.Aws.Tests;

public sealed class FindTargetsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_pages_are_read_and_clusters_come_before_instances_of_their_own()
    {
        await using var aws = new FakeAws(Golden.Rds);
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var found = await FindTargets.ListAsync(access, Stop);
        Assert.Equal(["app", "empty", "solo"], found.Select(d => d.Id));
        Assert.Equal([DatabaseKind.Cluster, DatabaseKind.Cluster, DatabaseKind.Instance], found.Select(d => d.Kind));
        var app = found[0];
        Assert.Equal(("arn:aws:rds:ap-northeast-1:123456789012:cluster:app", "aurora-postgresql", "16.8", "available"), (app.Arn, app.Engine, app.EngineVersion, app.Status));
        Assert.Equal(("app.cluster-x.ap-northeast-1.rds.amazonaws.com", "app.cluster-ro-x.ap-northeast-1.rds.amazonaws.com", 5433), (app.Endpoint, app.ReaderEndpoint, app.Port));
        Assert.Equal(("vpc-1", "appdb", "postgres", "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:rds!cluster-1"), (app.VpcId, app.DatabaseName, app.MasterUsername, app.MasterSecretArn));
        Assert.Equal(["sg-db", "sg-db2"], app.SecurityGroupIds);
        Assert.Equal(0.5, app.MinCapacity);
        Assert.True(app.IsPostgres);
        Assert.True(app.IsPubliclyAccessible);
        var empty = found[1];
        Assert.Equal(("vpc-2", null, 0, null), (empty.VpcId, empty.Endpoint, empty.Port, empty.MinCapacity));
        Assert.False(empty.IsPostgres);
        var solo = found[2];
        Assert.Equal(("solo.x.ap-northeast-1.rds.amazonaws.com", 5432, "solodb", "stopped", "vpc-1", false), (solo.Endpoint, solo.Port, solo.DatabaseName, solo.Status, solo.VpcId, solo.IsPubliclyAccessible));
        Assert.Equal(["sg-solo"], solo.SecurityGroupIds);
    }

    [Fact]
    public async Task The_AWS_CLI_reads_the_same_from_these_answers()
    {
        await using var aws = new FakeAws(Golden.Rds);
        var start = new ProcessStartInfo("aws") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in new[] { "--endpoint-url", aws.Url, "--region", "ap-northeast-1", "--output", "json", "rds", "describe-db-clusters" })
            start.ArgumentList.Add(word);
        Laptop.Forget(start.Environment);
        (start.Environment["AWS_ACCESS_KEY_ID"], start.Environment["AWS_SECRET_ACCESS_KEY"]) = ("k", "s");
        Process cli;
        try
        {
            cli = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("the aws CLI is not on PATH");
            return;
        }
        using (cli)
        {
            var output = await cli.StandardOutput.ReadToEndAsync(Stop);
            await cli.WaitForExitAsync(Stop);
            using var json = JsonDocument.Parse(output);
            var clusters = json.RootElement.GetProperty("DBClusters").EnumerateArray().ToDictionary(c => c.GetProperty("DBClusterIdentifier").GetString()!);
            using var laptop = Laptop.Facing(aws);
            using var access = laptop.Open();
            var app = (await FindTargets.ListAsync(access, Stop))[0];
            Assert.Equal(4, clusters.Count);
            Assert.Equal(clusters["app"].GetProperty("Endpoint").GetString(), app.Endpoint);
            Assert.Equal(clusters["app"].GetProperty("Port").GetInt32(), app.Port);
            Assert.Equal(clusters["app"].GetProperty("MasterUserSecret").GetProperty("SecretArn").GetString(), app.MasterSecretArn);
            Assert.Equal(clusters["app"].GetProperty("ServerlessV2ScalingConfiguration").GetProperty("MinCapacity").GetDouble(), app.MinCapacity);
            Assert.Equal(clusters["app"].GetProperty("VpcSecurityGroups").EnumerateArray().Select(g => g.GetProperty("VpcSecurityGroupId").GetString()), app.SecurityGroupIds);
        }
    }

    [Theory]
    [InlineData("DescribeDBSubnetGroups", "app,empty,solo")]
    [InlineData("DescribeDBInstances", "app,empty")]
    [InlineData("DescribeDBClusters", "solo")]
    public async Task Who_may_not_ask_one_of_the_questions_gets_what_the_others_tell(string refused, string ids)
    {
        await using var aws = new FakeAws(r => r.Operation == refused ? FakeAnswer.QueryError(403, "AccessDenied", "no") : Golden.Rds(r));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var found = await FindTargets.ListAsync(access, Stop);
        Assert.Equal(ids, string.Join(',', found.Select(d => d.Id)));
        if (refused == "DescribeDBSubnetGroups")
            Assert.Equal(["vpc-1", null, "vpc-1"], found.Select(d => d.VpcId));
        if (refused == "DescribeDBInstances")
            Assert.Equal(["vpc-1", "vpc-2"], found.Select(d => d.VpcId));
    }

    [Fact]
    public async Task Who_may_describe_neither_clusters_nor_instances_is_told_so()
    {
        await using var aws = new FakeAws(_ => FakeAnswer.QueryError(403, "AccessDenied", "User alice is not authorized"));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => FindTargets.ListAsync(access, Stop));
        Assert.Equal(AwsFailureKind.Permission, failure.Kind);
    }

    [Fact]
    public async Task One_cluster_is_asked_for_with_its_members_only()
    {
        await using var aws = new FakeAws(r => r.Operation == "DescribeDBClusters"
            ? FakeAnswer.Xml(Golden.ClustersPage1.Replace("<Marker>page+2/=</Marker>", "", StringComparison.Ordinal))
            : FakeAnswer.Xml(Golden.InstancesPage1.Replace("<Marker>i2</Marker>", "", StringComparison.Ordinal)));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        Assert.Equal("vpc-1", (await FindTargets.GetAsync(access, DatabaseKind.Cluster, "APP", Stop)).VpcId);
        Assert.Equal("APP", aws.Of("DescribeDBClusters").Single().Form["DBClusterIdentifier"]);
        var members = aws.Of("DescribeDBInstances").Single().Form;
        Assert.Equal(("db-cluster-id", "APP"), (members["Filters.Filter.1.Name"], members["Filters.Filter.1.Values.Value.1"]));
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => FindTargets.GetAsync(access, DatabaseKind.Cluster, "graph", Stop));
        Assert.Equal(AwsFailureKind.NotFound, failure.Kind);
    }

    [Fact]
    public async Task An_instance_inside_a_cluster_can_be_asked_for_by_its_own_name()
    {
        await using var aws = new FakeAws(_ => FakeAnswer.Xml(Golden.InstancesPage1.Replace("<Marker>i2</Marker>", "", StringComparison.Ordinal)));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        Assert.Equal((DatabaseKind.Instance, "app-1"), (await FindTargets.GetAsync(access, DatabaseKind.Instance, "app-1", Stop)) is var d ? (d.Kind, d.Id) : default);
    }

    [Fact]
    public async Task A_marker_that_does_not_move_does_not_turn_for_ever()
    {
        await using var aws = new FakeAws(r => r.Operation == "DescribeDBClusters" ? FakeAnswer.Xml(Golden.ClustersPage1) : Golden.Rds(r));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        await FindTargets.ListAsync(access, Stop);
        Assert.Equal(2, aws.Of("DescribeDBClusters").Count());
    }
}
