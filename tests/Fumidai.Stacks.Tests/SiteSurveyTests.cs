using Fumidai.Aws;
using Fumidai.Aws.Tests;
using Xunit;

namespace Fumidai.Stacks.Tests;

/// <summary>Surveys of clusters and versions, which moto tells wrongly or not at all; the rest is in <see cref="MotoTests"/>.</summary>
public sealed class SiteSurveyTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Cluster(string vpc = "vpc-0123456789abcdef0", string secret = "<MasterUserSecret><SecretArn>arn:aws:secretsmanager:x</SecretArn></MasterUserSecret>", string port = "<Port>5433</Port>") =>
        $"<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster><DBClusterIdentifier>app</DBClusterIdentifier><DBClusterArn>arn:aws:rds:ap-northeast-1:1:cluster:app</DBClusterArn><Engine>aurora-postgresql</Engine><Status>available</Status><Endpoint>app.cluster-x</Endpoint>{port}<DBSubnetGroup>{vpc}</DBSubnetGroup><VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-0123456789abcdef5</VpcSecurityGroupId></VpcSecurityGroupMembership></VpcSecurityGroups>{secret}</DBCluster></DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>";

    private static Func<FakeRequest, FakeAnswer> Account(string? cluster = null, string versions = "", string vpcOfCluster = "vpc-0123456789abcdef0") => request => request.Operation switch
    {
        "DescribeDBClusters" => FakeAnswer.Xml(cluster ?? Cluster()),
        "DescribeDBInstances" => FakeAnswer.Xml($"<R><DescribeDBInstancesResult><DBInstances><DBInstance><DBInstanceIdentifier>w</DBInstanceIdentifier><DBClusterIdentifier>app</DBClusterIdentifier><Engine>aurora-postgresql</Engine><DBSubnetGroup><VpcId>{vpcOfCluster}</VpcId></DBSubnetGroup></DBInstance></DBInstances></DescribeDBInstancesResult></R>"),
        "DescribeDBEngineVersions" when versions.Length > 0 => FakeAnswer.Xml($"<R><DescribeDBEngineVersionsResult><DBEngineVersions>{versions}</DBEngineVersions></DescribeDBEngineVersionsResult></R>"),
        "DescribeDBEngineVersions" => FakeAnswer.QueryError(403, "AccessDenied", "no"),
        "DescribeVpcs" => FakeAnswer.Xml("<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-0123456789abcdef0</vpcId><cidrBlock>10.86.0.0/16</cidrBlock></item></vpcSet></DescribeVpcsResponse>"),
        "DescribeSubnets" => FakeAnswer.Xml("<DescribeSubnetsResponse><subnetSet><item><subnetId>subnet-0123456789abcdef1</subnetId><vpcId>vpc-0123456789abcdef0</vpcId><availabilityZone>ap-northeast-1a</availabilityZone><cidrBlock>10.86.0.0/20</cidrBlock></item></subnetSet></DescribeSubnetsResponse>"),
        "DescribeRouteTables" => FakeAnswer.Xml("<DescribeRouteTablesResponse><routeTableSet><item><routeTableId>rtb-1</routeTableId><associationSet><item><main>true</main></item></associationSet><routeSet><item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><natGatewayId>nat-1</natGatewayId><state>active</state></item></routeSet></item></routeTableSet></DescribeRouteTablesResponse>"),
        "DescribeVpcEndpoints" => FakeAnswer.Xml("<DescribeVpcEndpointsResponse><vpcEndpointSet/></DescribeVpcEndpointsResponse>"),
        "DescribeVpcAttribute" => FakeAnswer.Xml("<DescribeVpcAttributeResponse><enableDnsSupport><value>true</value></enableDnsSupport><enableDnsHostnames><value>false</value></enableDnsHostnames></DescribeVpcAttributeResponse>"),
        _ => FakeAnswer.QueryError(400, "InvalidAction", request.Operation),
    };

    private static async Task<StackSite> AskAsync(Func<FakeRequest, FakeAnswer> account, StackOptions options)
    {
        await using var server = new FakeAws(account);
        using var access = TestMachine.Open(server.Url);
        return await SiteSurvey.AskAsync(access, options, Stop);
    }

    private static async Task<string> RefusalOf(Func<FakeRequest, FakeAnswer> account, StackOptions options)
    {
        var failure = await Assert.ThrowsAsync<StackFailure>(() => AskAsync(account, options));
        Assert.Equal(StackFailureReason.Usage, failure.Reason);
        return failure.Message;
    }

    [Fact]
    public async Task A_cluster_brings_its_VPC_its_group_and_its_port()
    {
        var options = new StackOptions { Cluster = "app", Endpoints = EndpointChoice.None };
        var site = await AskAsync(Account(), options);
        Assert.Equal(("vpc-0123456789abcdef0", "sg-0123456789abcdef5", 5433, (string?)null), (site.VpcId, site.ClusterGroup, site.ClusterPort, site.PublicSubnet));
        // One private subnet with a NAT gateway is enough for a bastion.
        var plan = StackPlan.Compose(options, site);
        Assert.Equal("subnet-0123456789abcdef1", plan.Parameters["PrivateSubnetA"]);
        Assert.Contains(plan.Remarks, r => r.Contains("must already have endpoints or a NAT gateway", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cluster_without_a_managed_secret_needs_one_named()
    {
        var options = new StackOptions { Cluster = "app", Endpoints = EndpointChoice.None };
        Assert.Contains("no master secret managed by RDS", await RefusalOf(Account(Cluster(secret: "")), options), StringComparison.Ordinal);
        Assert.NotNull((await AskAsync(Account(Cluster(secret: "")), options with { ClusterSecret = "arn:aws:secretsmanager:mine" })).ClusterGroup);
    }

    [Fact]
    public async Task A_cluster_elsewhere_or_not_ready_is_refused()
    {
        Assert.Contains("is in vpc-0123456789abcdef0, not in vpc-00000000000000001", await RefusalOf(Account(), new StackOptions { Cluster = "app", Vpc = "vpc-00000000000000001" }), StringComparison.Ordinal);
        Assert.Contains("no endpoint yet", await RefusalOf(Account(Cluster(port: "")), new StackOptions { Cluster = "app" }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_VPC_without_DNS_hostnames_takes_no_endpoints() =>
        Assert.Contains("--enable-dns-hostnames", await RefusalOf(Account(), new StackOptions { Cluster = "app" }), StringComparison.Ordinal);

    [Theory]
    [InlineData("17", 0, null)]
    [InlineData("17.4", 0, null)]
    [InlineData("16.6", 0, "16.6 is not on offer in ap-northeast-1. There is 16.1, 16.8")]
    [InlineData("16.1", 0, "16.1 cannot pause")]
    [InlineData("16.1", 0.5, null)]
    public async Task A_version_must_be_on_offer_and_able_to_pause(string version, double minimum, string? refusal)
    {
        const string Offered = "<DBEngineVersion><EngineVersion>16.1</EngineVersion><ServerlessV2FeaturesSupport><MinCapacity>0.5</MinCapacity></ServerlessV2FeaturesSupport></DBEngineVersion>"
            + "<DBEngineVersion><EngineVersion>16.8</EngineVersion><ServerlessV2FeaturesSupport><MinCapacity>0.0</MinCapacity></ServerlessV2FeaturesSupport></DBEngineVersion>"
            + "<DBEngineVersion><EngineVersion>17.4</EngineVersion><ServerlessV2FeaturesSupport><MinCapacity>0.0</MinCapacity></ServerlessV2FeaturesSupport></DBEngineVersion>";
        var options = new StackOptions { EngineVersion = version, MinAcu = (decimal)minimum };
        if (refusal is null)
            Assert.Equal("10.87.0.0/16", (await AskAsync(Account(versions: Offered), options)).Cidr);
        else
            Assert.Contains(refusal, await RefusalOf(Account(versions: Offered), options), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_sessions_of_a_bastion_are_told_with_their_owners()
    {
        await using var server = new FakeAws(_ => FakeAnswer.Ok("""{"Sessions":[{"SessionId":"alice-0a1b","Target":"i-0abc","Status":"Connected","StartDate":1795478400.0,"Owner":"arn:aws:iam::1:user/alice","DocumentName":"AWS-StartPortForwardingSessionToRemoteHost"}]}"""));
        using var access = TestMachine.Open(server.Url);
        var session = Assert.Single(await ReadSessions.OnAsync(access, "i-0abc", Stop));
        Assert.Equal(new OpenSession("alice-0a1b", "i-0abc", "arn:aws:iam::1:user/alice", DateTimeOffset.FromUnixTimeSeconds(1795478400), "AWS-StartPortForwardingSessionToRemoteHost"), session);
        Assert.Equal(("Active", "i-0abc"), (server.Requests.Single().Json.GetProperty("State").GetString(), server.Requests.Single().Json.GetProperty("Filters")[0].GetProperty("value").GetString()));
    }

    [Fact]
    public async Task Who_may_not_ask_for_versions_builds_without_knowing() => Assert.Equal("10.87.0.0/16", (await AskAsync(Account(), new StackOptions())).Cidr);
}
