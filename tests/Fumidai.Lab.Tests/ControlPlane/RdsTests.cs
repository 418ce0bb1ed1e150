using System.Net;
using System.Text.Json;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class RdsTests : IAsyncLifetime
{
    private readonly LabFixture _lab = new();

    public ValueTask InitializeAsync() => _lab.InitializeAsync();

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    private LabModel Model => _lab.Host.Context.Model;

    [Fact]
    public async Task A_cluster_stops_and_starts_through_its_states()
    {
        Assert.Equal("stopping", (await _lab.RdsAsync("StopDBCluster", ("DBClusterIdentifier", "app"))).Succeeded().One("Status"));
        Assert.Equal("InvalidDBClusterStateFault", (await _lab.RdsAsync("StopDBCluster", ("DBClusterIdentifier", "app"))).ErrorCode);
        await _lab.UntilAsync(m => m.DbClusters["app"].Status == "stopped");
        Assert.Equal("stopped", (await _lab.RdsAsync("DescribeDBInstances", ("Filters.Filter.1.Name", "db-cluster-id"), ("Filters.Filter.1.Values.Value.1", "app"))).Succeeded().One("DBInstanceStatus"));
        (await _lab.RdsAsync("StartDBCluster", ("DBClusterIdentifier", "app"))).Succeeded();
        await _lab.UntilAsync(m => m.DbClusters["app"].Status == "available");
    }

    [Theory]
    [InlineData("DescribeDBClusters", "DBClusterIdentifier", "DBClusterNotFoundFault", 404)]
    [InlineData("DescribeDBInstances", "DBInstanceIdentifier", "DBInstanceNotFound", 404)]
    [InlineData("DescribeDBSubnetGroups", "DBSubnetGroupName", "DBSubnetGroupNotFoundFault", 404)]
    [InlineData("DescribeDBClusterEndpoints", "DBClusterIdentifier", "DBClusterNotFoundFault", 404)]
    [InlineData("StopDBCluster", "DBClusterIdentifier", "DBClusterNotFoundFault", 404)]
    [InlineData("DescribeDBClusters", "MaxRecords", "InvalidParameterValue", 400)]
    public async Task What_is_unknown_has_a_code_of_its_own(string operation, string parameter, string code, int status)
    {
        var answer = await _lab.RdsAsync(operation, (parameter, parameter == "MaxRecords" ? "19" : "nowhere"));
        Assert.Equal(code, answer.ErrorCode);
        Assert.Equal((HttpStatusCode)status, answer.Status);
    }

    [Fact]
    public async Task Clusters_come_in_pages_by_marker()
    {
        for (var n = 0; n < 20; n++)
            await CreateAsync($"more-{n}");
        var first = (await _lab.RdsAsync("DescribeDBClusters", ("MaxRecords", "20"))).Succeeded();
        var second = (await _lab.RdsAsync("DescribeDBClusters", ("MaxRecords", "20"), ("Marker", first.One("Marker")))).Succeeded();
        Assert.Empty(second.All("Marker"));
        Assert.Equal(21, first.All("DbClusterResourceId").Concat(second.All("DbClusterResourceId")).Distinct().Count());
    }

    [Fact]
    public async Task A_rotation_changes_the_secret_and_keeps_the_old_password_as_previous()
    {
        var secret = Model.Read(m => m.DbClusters["app"].MasterSecretArn!);
        async Task<string> PasswordAsync(string stage) => JsonDocument.Parse((await _lab.SecretsAsync("GetSecretValue", $$"""{"SecretId":"{{secret}}","VersionStage":"{{stage}}"}""")).Succeeded()
            .Json.GetProperty("SecretString").GetString()!).RootElement.GetProperty("password").GetString()!;
        var before = await PasswordAsync("AWSCURRENT");

        Assert.Equal("InvalidParameterCombination", (await _lab.RdsAsync("ModifyDBCluster", ("DBClusterIdentifier", "app"), ("RotateMasterUserPassword", "true"))).ErrorCode);
        var modified = (await _lab.RdsAsync("ModifyDBCluster", ("DBClusterIdentifier", "app"), ("RotateMasterUserPassword", "true"), ("ApplyImmediately", "true"))).Succeeded();
        Assert.Equal("rotating", modified.One("SecretStatus"));
        await _lab.UntilAsync(m => m.DbClusters["app"].MasterSecretStatus == "active");
        Assert.NotEqual(before, await PasswordAsync("AWSCURRENT"));
        Assert.Equal(before, await PasswordAsync("AWSPREVIOUS"));
    }

    [Fact]
    public async Task A_new_cluster_has_endpoints_a_secret_and_after_its_instance_an_answer()
    {
        (await CreateAsync("fresh")).Succeeded();
        await _lab.UntilAsync(m => m.DbClusters["fresh"].Status == "available");
        var bastion = Model.Read(m => m.Instances.Values.First(i => i.PublicAddress is null).Id);
        var address = Reachability.Resolve(Model, bastion, Model.Read(m => m.DbClusters["fresh"].Endpoint))!;
        Assert.Equal(Verdict.Refused, Reachability.FromInstance(Model, bastion, address, 5432).Verdict);

        (await _lab.RdsAsync("CreateDBInstance", ("DBInstanceIdentifier", "fresh-1"), ("DBClusterIdentifier", "fresh"), ("Engine", "aurora-postgresql"), ("DBInstanceClass", "db.serverless"))).Succeeded();
        await _lab.UntilAsync(m => m.DbInstances["fresh-1"].Status == "available");
        Assert.Equal(Verdict.Open, Reachability.FromInstance(Model, bastion, address, 5432).Verdict);

        Assert.Equal("InvalidDBClusterStateFault", (await _lab.RdsAsync("DeleteDBCluster", ("DBClusterIdentifier", "fresh"), ("SkipFinalSnapshot", "true"))).ErrorCode);
        (await _lab.RdsAsync("DeleteDBInstance", ("DBInstanceIdentifier", "fresh-1"))).Succeeded();
        await _lab.UntilAsync(m => !m.DbInstances.ContainsKey("fresh-1"));
        var secret = Model.Read(m => m.DbClusters["fresh"].MasterSecretArn!);
        (await _lab.RdsAsync("DeleteDBCluster", ("DBClusterIdentifier", "fresh"), ("SkipFinalSnapshot", "true"))).Succeeded();
        await _lab.UntilAsync(m => !m.DbClusters.ContainsKey("fresh"));
        Assert.Equal("ResourceNotFoundException", (await _lab.SecretsAsync("GetSecretValue", $$"""{"SecretId":"{{secret}}"}""")).ErrorCode);
    }

    [Theory]
    [InlineData("WithExpressConfiguration", "true", "InvalidParameterCombination")]
    [InlineData("Engine", "aurora-mysql", "InvalidParameterValue")]
    [InlineData("EngineVersion", "16.6", "InvalidParameterCombination")]
    [InlineData("DBSubnetGroupName", "nowhere", "DBSubnetGroupNotFoundFault")]
    [InlineData("MasterUserPassword", "password", "InvalidParameterCombination")]
    [InlineData("ServerlessV2ScalingConfiguration.MinCapacity", "0.3", "InvalidParameterValue")]
    [InlineData("DBClusterIdentifier", "app", "DBClusterAlreadyExistsFault")]
    [InlineData("DBClusterIdentifier", "9lives", "InvalidParameterValue")]
    public async Task A_cluster_that_cannot_be_made_is_refused(string parameter, string value, string code) => Assert.Equal(code, (await CreateAsync("other", (parameter, value))).ErrorCode);

    [Fact]
    public async Task A_capacity_of_zero_pauses_and_says_after_how_long()
    {
        var modified = (await _lab.RdsAsync("ModifyDBCluster", ("DBClusterIdentifier", "app"), ("ServerlessV2ScalingConfiguration.MinCapacity", "0"))).Succeeded();
        Assert.Equal("300", modified.One("SecondsUntilAutoPause"));
        Assert.Contains("0", (await _lab.RdsAsync("DescribeDBEngineVersions", ("Engine", "aurora-postgresql"), ("EngineVersion", modified.One("EngineVersion")))).Succeeded().All("MinCapacity"));
    }

    [Fact]
    public async Task Both_endpoints_of_a_cluster_are_told()
    {
        var answer = (await _lab.RdsAsync("DescribeDBClusterEndpoints", ("DBClusterIdentifier", "app"))).Succeeded();
        Assert.Equal(["WRITER", "READER"], answer.All("EndpointType"));
        Assert.Equal(Model.Read(m => m.DbClusters["app"].Endpoint), answer.One("Endpoint"));
    }

    private Task<LabAnswer> CreateAsync(string id, params (string Name, string Value)[] changes)
    {
        var parameters = new Dictionary<string, string>
        {
            ["DBClusterIdentifier"] = id,
            ["Engine"] = "aurora-postgresql",
            ["MasterUsername"] = "postgres",
            ["ManageMasterUserPassword"] = "true",
            ["DBSubnetGroupName"] = "private",
            ["VpcSecurityGroupIds.VpcSecurityGroupId.1"] = Model.Read(m => m.DbClusters["app"].SecurityGroupIds[0]),
            ["ServerlessV2ScalingConfiguration.MinCapacity"] = "0.5",
            ["ServerlessV2ScalingConfiguration.MaxCapacity"] = "2",
        };
        foreach (var (name, value) in changes)
            parameters[name] = value;
        return _lab.RdsAsync("CreateDBCluster", [.. parameters.Select(p => (p.Key, p.Value))]);
    }
}
