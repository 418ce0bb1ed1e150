using System.Text.Json;
using Fumidai.Aws.Tests;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class PolicyCommandTests
{
    private static FakeAnswer Answer(FakeRequest request) => request.Operation.Split('.')[^1] switch
    {
        "GetCallerIdentity" => FakeAnswer.Xml("<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/alice</Arn><UserId>A</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>"),
        "DescribeDBClusters" => FakeAnswer.Xml("<r><DescribeDBClustersResult><DBClusters><DBCluster><DBClusterIdentifier>app</DBClusterIdentifier><DBClusterArn>arn:aws:rds:ap-northeast-1:111122223333:cluster:app</DBClusterArn>"
            + "<DbClusterResourceId>cluster-ABCDEF</DbClusterResourceId><Engine>aurora-postgresql</Engine><Status>available</Status><Endpoint>app.x</Endpoint><Port>5432</Port><DBSubnetGroup>g</DBSubnetGroup>"
            + "<MasterUserSecret><SecretArn>arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:rds!cluster-1</SecretArn></MasterUserSecret></DBCluster></DBClusters></DescribeDBClustersResult></r>"),
        "DescribeDBInstances" => FakeAnswer.Xml("<r><DescribeDBInstancesResult><DBInstances/></DescribeDBInstancesResult></r>"),
        "DescribeDBSubnetGroups" => FakeAnswer.Xml("<r><DescribeDBSubnetGroupsResult><DBSubnetGroups><DBSubnetGroup><DBSubnetGroupName>g</DBSubnetGroupName><VpcId>vpc-1</VpcId></DBSubnetGroup></DBSubnetGroups></DescribeDBSubnetGroupsResult></r>"),
        "DescribeInstances" => FakeAnswer.Xml("<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><reservationSet><item><instancesSet>"
            + "<item><instanceId>i-1</instanceId><vpcId>vpc-1</vpcId><instanceState><name>running</name></instanceState></item>"
            + "<item><instanceId>i-2</instanceId><vpcId>vpc-1</vpcId><ipAddress>203.0.113.9</ipAddress><instanceState><name>running</name></instanceState></item></instancesSet></item></reservationSet></DescribeInstancesResponse>"),
        "DescribeInstanceInformation" => FakeAnswer.Ok("""{"InstanceInformationList":[{"InstanceId":"i-1","PingStatus":"Online"}]}"""),
        _ => FakeAnswer.QueryError(400, "InvalidAction", request.Operation),
    };

    private static async Task<JsonElement> StatementsAsync(params string[] words)
    {
        await using var aws = new FakeAws(Answer);
        var ran = await InProcess.RunAsync(["policy", .. words, "--region", "ap-northeast-1", "--endpoint-url", aws.Url]);
        Assert.True(ran.ExitCode == 0, ran.ToString());
        return JsonDocument.Parse(ran.Output).RootElement.GetProperty("Statement");
    }

    private static string? Resource(JsonElement statements, string sid) =>
        statements.EnumerateArray().Where(s => s.GetProperty("Sid").GetString() == sid).Select(s => s.GetProperty("Resource").ToString()).FirstOrDefault();

    [Fact]
    public async Task To_connect_it_names_this_instance_this_document_this_secret()
    {
        var statements = await StatementsAsync("--for", "connect", "cluster/app");

        Assert.Contains("arn:aws:ec2:ap-northeast-1:111122223333:instance/i-1", Resource(statements, "Start"), StringComparison.Ordinal);
        Assert.Contains("document/AWS-StartPortForwardingSessionToRemoteHost", Resource(statements, "Start"), StringComparison.Ordinal);
        Assert.Equal("arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:rds!cluster-1", Resource(statements, "Password"));
        Assert.Null(Resource(statements, "SignIn"));
        Assert.Null(Resource(statements, "PushKey"));
    }

    [Fact]
    public async Task Over_ssh_as_a_named_user_it_names_the_other_instance_and_that_user()
    {
        var statements = await StatementsAsync("--for", "connect", "cluster/app", "--via", "ssh", "--user", "analyst");

        Assert.Equal("arn:aws:ec2:ap-northeast-1:111122223333:instance/i-2", Resource(statements, "PushKey"));
        Assert.Equal("arn:aws:rds-db:ap-northeast-1:111122223333:dbuser:cluster-ABCDEF/analyst", Resource(statements, "SignIn"));
        Assert.Null(Resource(statements, "Start"));
    }

    [Fact]
    public async Task To_build_it_holds_what_the_options_need_and_no_more()
    {
        var all = await StatementsAsync("--for", "up", "--pattern", "both", "--endpoints", "nat");
        var attached = await StatementsAsync("--for", "up", "--cluster", "app", "--endpoints", "none");

        Assert.NotNull(Resource(all, "Nat"));
        Assert.NotNull(Resource(all, "Database"));
        Assert.Null(Resource(attached, "Nat"));
        Assert.Null(Resource(attached, "Database"));
        Assert.Null(Resource(attached, "Network"));
    }

    [Fact]
    public async Task For_the_bastion_AWS_is_not_asked()
    {
        var ran = await InProcess.RunAsync(["policy", "--for", "bastion"]);

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Contains("ssmmessages:OpenDataChannel", ran.Output, StringComparison.Ordinal);
    }
}
