namespace Fumidai.Lab;

/// <summary>RDS as far as Aurora PostgreSQL needs it (aws-facts §1.4).</summary>
internal sealed class RdsService(LabContext context) : IAwsService
{
    private readonly ClusterCalls _clusters = new(context);
    private readonly ClusterLifeCalls _life = new(context);
    private readonly DbInstanceCalls _instances = new(context);
    private readonly SubnetGroupCalls _subnetGroups = new(context);
    private readonly SnapshotCalls _snapshots = new(context);
    private readonly RdsTags _tags = new(context);

    private const string ServiceRole = "AWSServiceRoleForRDS";
    private const string ServiceRolePath = "/aws-service-role/rds.amazonaws.com/";

    public string SigningName => "rds";
    public AwsProtocol Protocol => AwsProtocol.Query;
    public string TargetPrefixOrVersion => "2014-10-31";

    public ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken)
    {
        var form = QueryForm.Of(call, Protocol);
        return ValueTask.FromResult(call.Operation switch
        {
            "DescribeDBClusters" => _clusters.Describe(call, form),
            "DescribeDBClusterEndpoints" => _clusters.DescribeEndpoints(call, form),
            "DescribeDBSubnetGroups" => _subnetGroups.Describe(call, form),
            "CreateDBSubnetGroup" => _subnetGroups.Create(call, form),
            "ModifyDBSubnetGroup" => _subnetGroups.Modify(call, form),
            "DeleteDBSubnetGroup" => _subnetGroups.Delete(call, form),
            "DescribeDBClusterSnapshots" => _snapshots.Describe(call, form),
            "CreateDBClusterSnapshot" => _snapshots.Create(call, form),
            "DeleteDBClusterSnapshot" => _snapshots.Delete(call, form),
            "AddTagsToResource" => _tags.Add(call, form),
            "RemoveTagsFromResource" => _tags.Remove(call, form),
            "ListTagsForResource" => _tags.List(call, form),
            "DescribeDBEngineVersions" => EngineVersions.Describe(form),
            "ModifyDBCluster" => _clusters.Modify(call, form),
            "EnableHttpEndpoint" => _clusters.SetHttpEndpoint(call, form, true),
            "DisableHttpEndpoint" => _clusters.SetHttpEndpoint(call, form, false),
            "StartDBCluster" => _life.Start(call, form),
            "StopDBCluster" => _life.Stop(call, form),
            "FailoverDBCluster" => _life.Failover(call, form),
            "CreateDBCluster" => _life.Create(call, form),
            "DeleteDBCluster" => _life.Delete(call, form),
            "DescribeDBInstances" => _instances.Describe(call, form),
            "CreateDBInstance" => _instances.Create(call, form),
            "DeleteDBInstance" => _instances.Delete(call, form),
            _ => throw ApiDispatch.UnknownOperation(this, call),
        });
    }

    public IReadOnlyList<PolicyResource> ResourcesOf(AwsCall call)
    {
        string Arn(string kind, string id) => id.StartsWith("arn:", StringComparison.Ordinal) ? id : $"arn:aws:rds:{call.Region}:{call.Caller.Account}:{kind}:{id}";
        var form = call.Form!;
        if ((form.GetValueOrDefault("ResourceArn") ?? form.GetValueOrDefault("ResourceName")) is { } arn)
            return [new PolicyResource(arn)];
        var touched = new List<PolicyResource>();
        if (form.GetValueOrDefault("DBClusterIdentifier") is { } cluster)
            touched.Add(Of(Arn("cluster", cluster), context.Model.Read(m => m.DbClusters.GetValueOrDefault(cluster)?.Tags)));
        if (form.GetValueOrDefault("DBInstanceIdentifier") is { } instance)
            touched.Add(Of(Arn("db", instance), context.Model.Read(m => m.DbInstances.GetValueOrDefault(instance)?.Tags)));
        if (form.GetValueOrDefault("DBClusterSnapshotIdentifier") is { } snapshot)
            touched.Add(Of(Arn("cluster-snapshot", snapshot), context.Model.Read(m => m.DbClusterSnapshots.GetValueOrDefault(snapshot)?.Tags)));
        if (form.GetValueOrDefault("DBSubnetGroupName") is { } group)
            touched.Add(Of(Arn("subgrp", group), context.Model.Read(m => m.DbSubnetGroups.GetValueOrDefault(group)?.Tags)));
        if (touched.Count > 0)
            return touched;
        return call.Operation switch
        {
            "DescribeDBClusters" => [new PolicyResource(Arn("cluster", "*"))],
            "DescribeDBInstances" => [new PolicyResource(Arn("db", "*"))],
            "DescribeDBSubnetGroups" => [new PolicyResource(Arn("subgrp", "*"))],
            "DescribeDBClusterSnapshots" => [new PolicyResource(Arn("cluster-snapshot", "*"))],
            _ => PolicyResource.Any,
        };
    }

    public IReadOnlyList<(string Action, PolicyResource Resource)> AlsoDemanded(AwsCall call)
    {
        var also = new List<(string, PolicyResource)>();
        var form = QueryForm.Of(call, Protocol);
        if (call.Operation.StartsWith("Create", StringComparison.Ordinal) && (form.Has("Tags.Tag") || form.Has("Tags.member")))
            also.AddRange(ResourcesOf(call).Take(1).Select(r => ("rds:AddTagsToResource", r)));
        // The first cluster of an account makes the role that RDS works with ("Using service-linked roles for Amazon RDS").
        if (call.Operation == "CreateDBCluster" && context.Model.Read(m => m.FindRole(call.Caller.Account, ServiceRole) is null))
        {
            also.Add(("iam:CreateServiceLinkedRole", new($"arn:aws:iam::{call.Caller.Account}:role{ServiceRolePath}{ServiceRole}",
                new Dictionary<string, string> { ["iam:AWSServiceName"] = "rds.amazonaws.com" })));
        }
        if (call.Operation == "CreateDBCluster" && form.Flag("ManageMasterUserPassword") == true)
        {
            // "Permissions required for Secrets Manager integration", RDS user guide.
            var secret = new PolicyResource($"arn:aws:secretsmanager:{call.Region}:{call.Caller.Account}:secret:rds!cluster-{Guid.NewGuid()}");
            also.Add(("kms:DescribeKey", new($"arn:aws:kms:{call.Region}:{call.Caller.Account}:key/{Guid.Empty}")));
            also.Add(("secretsmanager:CreateSecret", secret));
            also.Add(("secretsmanager:TagResource", secret));
        }
        if (call.Operation == "DeleteDBCluster" && form.Text("FinalDBSnapshotIdentifier") is { } final)
            also.Add(("rds:CreateDBClusterSnapshot", new($"arn:aws:rds:{call.Region}:{call.Caller.Account}:cluster-snapshot:{final}")));
        return also;
    }

    /// <summary>As it is from an account's first cluster on.</summary>
    internal static void MakeServiceRole(LabModel m, string account, DateTimeOffset now)
    {
        if (m.FindRole(account, ServiceRole) is not null)
            return;
        m.Roles[LabModel.Key(account, ServiceRole)] = new Role
        {
            Id = Ids.Iam("AROA"),
            Account = account,
            Region = "",
            Name = ServiceRole,
            Path = ServiceRolePath,
            CreatedAt = now,
            TrustPolicy = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}""",
        };
    }

    private static PolicyResource Of(string arn, Dictionary<string, string>? tags) => new(arn, tags?.ToDictionary(t => $"aws:ResourceTag/{t.Key}", t => t.Value));
}
