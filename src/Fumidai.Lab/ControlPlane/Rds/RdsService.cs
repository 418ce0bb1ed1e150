namespace Fumidai.Lab;

/// <summary>RDS as far as Aurora PostgreSQL needs it (aws-facts §1.4).</summary>
internal sealed class RdsService(LabContext context) : IAwsService
{
    private readonly ClusterCalls _clusters = new(context);
    private readonly ClusterLifeCalls _life = new(context);
    private readonly DbInstanceCalls _instances = new(context);

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
            "DescribeDBSubnetGroups" => _clusters.DescribeSubnetGroups(call, form),
            "DescribeDBEngineVersions" => EngineVersions.Describe(form),
            "ModifyDBCluster" => _clusters.Modify(call, form),
            "EnableHttpEndpoint" => _clusters.SetHttpEndpoint(call, form, true),
            "DisableHttpEndpoint" => _clusters.SetHttpEndpoint(call, form, false),
            "StartDBCluster" => _life.Start(call, form),
            "StopDBCluster" => _life.Stop(call, form),
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
        if (form.GetValueOrDefault("ResourceArn") is { } arn)
            return [new PolicyResource(arn)];
        var touched = new List<PolicyResource>();
        if (form.GetValueOrDefault("DBClusterIdentifier") is { } cluster)
            touched.Add(Of(Arn("cluster", cluster), context.Model.Read(m => m.DbClusters.GetValueOrDefault(cluster)?.Tags)));
        if (form.GetValueOrDefault("DBInstanceIdentifier") is { } instance)
            touched.Add(Of(Arn("db", instance), context.Model.Read(m => m.DbInstances.GetValueOrDefault(instance)?.Tags)));
        if (touched.Count > 0)
            return touched;
        return call.Operation switch
        {
            "DescribeDBClusters" => [new PolicyResource(Arn("cluster", "*"))],
            "DescribeDBInstances" => [new PolicyResource(Arn("db", "*"))],
            "DescribeDBSubnetGroups" => [new PolicyResource(Arn("subgrp", form.GetValueOrDefault("DBSubnetGroupName") ?? "*"))],
            _ => PolicyResource.Any,
        };
    }

    private static PolicyResource Of(string arn, Dictionary<string, string>? tags) => new(arn, tags?.ToDictionary(t => $"aws:ResourceTag/{t.Key}", t => t.Value));
}
