namespace Fumidai.Aws.Tests;

/// <summary>Answers written from the service models; <see cref="FindTargetsTests"/> lets the AWS CLI read the RDS ones too.</summary>
internal static class Golden
{
    public const string ClustersPage1 = """
        <DescribeDBClustersResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBClustersResult><Marker>page+2/=</Marker><DBClusters>
        <DBCluster><DBClusterIdentifier>app</DBClusterIdentifier><DBClusterArn>arn:aws:rds:ap-northeast-1:123456789012:cluster:app</DBClusterArn><Engine>aurora-postgresql</Engine><EngineVersion>16.8</EngineVersion>
        <Status>available</Status><Endpoint>app.cluster-x.ap-northeast-1.rds.amazonaws.com</Endpoint><ReaderEndpoint>app.cluster-ro-x.ap-northeast-1.rds.amazonaws.com</ReaderEndpoint><Port>5433</Port>
        <DBSubnetGroup>private</DBSubnetGroup><DatabaseName>appdb</DatabaseName><MasterUsername>postgres</MasterUsername>
        <MasterUserSecret><SecretArn>arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:rds!cluster-1</SecretArn><SecretStatus>active</SecretStatus></MasterUserSecret>
        <VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-db</VpcSecurityGroupId><Status>active</Status></VpcSecurityGroupMembership>
        <VpcSecurityGroupMembership><VpcSecurityGroupId>sg-db2</VpcSecurityGroupId><Status>active</Status></VpcSecurityGroupMembership></VpcSecurityGroups>
        <ServerlessV2ScalingConfiguration><MinCapacity>0.5</MinCapacity><MaxCapacity>4</MaxCapacity></ServerlessV2ScalingConfiguration></DBCluster>
        <DBCluster><DBClusterIdentifier>graph</DBClusterIdentifier><DBClusterArn>arn:aws:rds:ap-northeast-1:123456789012:cluster:graph</DBClusterArn><Engine>neptune</Engine><Status>available</Status></DBCluster>
        </DBClusters></DescribeDBClustersResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeDBClustersResponse>
        """;

    public const string ClustersPage2 = """
        <DescribeDBClustersResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBClustersResult><DBClusters>
        <DBCluster><DBClusterIdentifier>empty</DBClusterIdentifier><DBClusterArn>arn:aws:rds:ap-northeast-1:123456789012:cluster:empty</DBClusterArn><Engine>aurora-mysql</Engine><Status>creating</Status><DBSubnetGroup>other</DBSubnetGroup></DBCluster>
        <DBCluster><DBClusterIdentifier>docs</DBClusterIdentifier><DBClusterArn>arn:aws:rds:ap-northeast-1:123456789012:cluster:docs</DBClusterArn><Engine>docdb</Engine><Status>available</Status></DBCluster>
        </DBClusters></DescribeDBClustersResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeDBClustersResponse>
        """;

    public const string InstancesPage1 = """
        <DescribeDBInstancesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBInstancesResult><Marker>i2</Marker><DBInstances>
        <DBInstance><DBInstanceIdentifier>app-1</DBInstanceIdentifier><DBInstanceArn>arn:aws:rds:ap-northeast-1:123456789012:db:app-1</DBInstanceArn><DBClusterIdentifier>app</DBClusterIdentifier><Engine>aurora-postgresql</Engine><DBInstanceStatus>available</DBInstanceStatus>
        <PubliclyAccessible>true</PubliclyAccessible><DBSubnetGroup><DBSubnetGroupName>private</DBSubnetGroupName><VpcId>vpc-1</VpcId></DBSubnetGroup></DBInstance>
        </DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>
        """;

    public const string InstancesPage2 = """
        <DescribeDBInstancesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBInstancesResult><DBInstances>
        <DBInstance><DBInstanceIdentifier>solo</DBInstanceIdentifier><DBInstanceArn>arn:aws:rds:ap-northeast-1:123456789012:db:solo</DBInstanceArn><Engine>postgres</Engine><EngineVersion>17.2</EngineVersion><DBInstanceStatus>stopped</DBInstanceStatus>
        <Endpoint><Address>solo.x.ap-northeast-1.rds.amazonaws.com</Address><Port>5432</Port></Endpoint><DBName>solodb</DBName><MasterUsername>admin1</MasterUsername><PubliclyAccessible>false</PubliclyAccessible>
        <VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-solo</VpcSecurityGroupId></VpcSecurityGroupMembership></VpcSecurityGroups>
        <DBSubnetGroup><DBSubnetGroupName>private</DBSubnetGroupName><VpcId>vpc-1</VpcId></DBSubnetGroup></DBInstance>
        </DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>
        """;

    public const string SubnetGroups = """
        <DescribeDBSubnetGroupsResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBSubnetGroupsResult><DBSubnetGroups>
        <DBSubnetGroup><DBSubnetGroupName>private</DBSubnetGroupName><VpcId>vpc-1</VpcId></DBSubnetGroup><DBSubnetGroup><DBSubnetGroupName>other</DBSubnetGroupName><VpcId>vpc-2</VpcId></DBSubnetGroup>
        </DBSubnetGroups></DescribeDBSubnetGroupsResult></DescribeDBSubnetGroupsResponse>
        """;

    public static FakeAnswer Rds(FakeRequest request) => (request.Operation, request.Form.GetValueOrDefault("Marker")) switch
    {
        ("DescribeDBClusters", null) => FakeAnswer.Xml(ClustersPage1),
        ("DescribeDBClusters", "page+2/=") => FakeAnswer.Xml(ClustersPage2),
        ("DescribeDBInstances", null) => FakeAnswer.Xml(InstancesPage1),
        ("DescribeDBInstances", "i2") => FakeAnswer.Xml(InstancesPage2),
        ("DescribeDBSubnetGroups", null) => FakeAnswer.Xml(SubnetGroups),
        _ => FakeAnswer.QueryError(400, "Unexpected", request.Body.Replace("&", "&amp;", StringComparison.Ordinal)),
    };

    public static string Instance(string id, string state, string extra = "") => $"""
        <item><reservationId>r-1</reservationId><instancesSet><item><instanceId>{id}</instanceId><instanceState><code>16</code><name>{state}</name></instanceState>{extra}</item></instancesSet></item>
        """;

    public static FakeAnswer Instances(string reservations, string? next = null) => FakeAnswer.Xml($"""
        <DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><reservationSet>{reservations}</reservationSet>{(next is null ? "" : $"<nextToken>{next}</nextToken>")}</DescribeInstancesResponse>
        """);

    public static FakeAnswer Nodes(string? next, params (string Id, string Status)[] nodes) => FakeAnswer.Ok($$"""
        {"InstanceInformationList":[{{string.Join(',', nodes.Select(n => $$"""{"InstanceId":"{{n.Id}}","PingStatus":"{{n.Status}}","AgentVersion":"3.3.987.0"}"""))}}]{{(next is null ? "" : $",\"NextToken\":\"{next}\"")}}}
        """);
}
