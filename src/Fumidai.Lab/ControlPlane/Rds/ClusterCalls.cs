namespace Fumidai.Lab;

/// <summary>What RDS tells of clusters, and their settings.</summary>
internal sealed class ClusterCalls(LabContext context)
{
    public AwsAnswer Describe(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var found = RdsList.Choose(form, RdsList.Mine(m.DbClusters, call), "DBClusterIdentifier", RdsList.NoCluster, (c, f) => f switch
        {
            "db-cluster-id" => [c.Id, MasterSecret.ArnOf(c)],
            "db-cluster-resource-id" => [c.ResourceId],
            "engine" => [c.Engine],
            _ => null,
        });
        return RdsList.Set("DBClusters", "DBCluster", found, (x, c) => RdsXml.Cluster(x, m, c));
    });

    public AwsAnswer DescribeEndpoints(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var id = form.Text("DBClusterIdentifier");
        if (id is not null)
            _ = Find(m, call, id);
        var all = RdsList.Mine(m.DbClusters, call).Where(c => id is null || c.Id == id)
            .SelectMany(c => ((string Type, string Host)[])[("WRITER", c.Endpoint), ("READER", c.ReaderEndpoint)], (c, e) => (Cluster: c, e.Type, e.Host)).ToList();
        foreach (var prefix in form.Structures("Filters.Filter"))
        {
            var wanted = form.Texts($"{prefix}.Values.Value");
            all = form.Required($"{prefix}.Name") switch
            {
                "db-cluster-endpoint-type" => [.. all.Where(e => wanted.Contains(e.Type, StringComparer.OrdinalIgnoreCase))],
                "db-cluster-endpoint-status" => [.. all.Where(_ => wanted.Contains("available"))],
                // The lab has no custom endpoints, which alone have a type of this kind and an identifier.
                "db-cluster-endpoint-custom-type" or "db-cluster-endpoint-id" => [],
                var other => throw new AwsError("InvalidParameterValue", $"Unrecognized filter name: {other}"),
            };
        }
        var page = Paging.Cut(form.Text("DBClusterEndpointIdentifier") is null ? all : [], form.Text("Marker"), form.Number("MaxRecords") ?? 100, () => new AwsError("InvalidParameterValue", "The request marker is invalid"));
        return RdsList.Set("DBClusterEndpoints", "DBClusterEndpointList", page, (x, e) => x
            .Element("DBClusterIdentifier", e.Cluster.Id).Element("Endpoint", e.Host).Element("Status", "available").Element("EndpointType", e.Type));
    });

    public AwsAnswer SetHttpEndpoint(AwsCall call, QueryForm form, bool isOn)
    {
        var arn = form.Required("ResourceArn");
        return context.Model.Change(m =>
        {
            var cluster = RdsList.Mine(m.DbClusters, call).FirstOrDefault(c => MasterSecret.ArnOf(c) == arn)
                ?? throw new AwsError("ResourceNotFoundFault", $"The specified resource ARN {arn} wasn't found.", 404);
            cluster.HttpEndpoint = isOn;
            return new XmlText().Element("ResourceArn", arn).Element("HttpEndpointEnabled", isOn).ToAnswer();
        });
    }

    public AwsAnswer Modify(AwsCall call, QueryForm form)
    {
        var id = form.Required("DBClusterIdentifier");
        var rotates = form.Flag("RotateMasterUserPassword") == true;
        if (rotates && form.Flag("ApplyImmediately") != true)
            throw new AwsError("InvalidParameterCombination", "You must specify apply immediately when rotating the master user password.");
        Refuse(form, "NewDBClusterIdentifier", "EngineVersion", "Port", "MasterUserPassword", "ManageMasterUserPassword", "MasterUserSecretKmsKeyId", "EnableHttpEndpoint");
        var answer = context.Model.Change(m =>
        {
            var cluster = Find(m, call, id);
            if (cluster.Status != "available")
                throw new AwsError("InvalidDBClusterStateFault", $"DBCluster {cluster.Id} isn't in the available state.");
            if (rotates && cluster.MasterSecretArn is null)
                throw new AwsError("InvalidParameterCombination", "You can't rotate the master user password because it isn't managed in AWS Secrets Manager.");
            if (rotates && cluster.MasterSecretStatus != "active")
                throw new AwsError("InvalidDBClusterStateFault", "The master user password is being rotated already.");
            var groups = form.Texts("VpcSecurityGroupIds.VpcSecurityGroupId");
            DemandGroups(m, call, cluster.SubnetGroup, groups);
            SetCapacity(cluster, form);
            cluster.IamAuthentication = form.Flag("EnableIAMDatabaseAuthentication") ?? cluster.IamAuthentication;
            cluster.DeletionProtection = form.Flag("DeletionProtection") ?? cluster.DeletionProtection;
            cluster.CopyTagsToSnapshot = form.Flag("CopyTagsToSnapshot") ?? cluster.CopyTagsToSnapshot;
            cluster.BackupRetentionDays = form.Number("BackupRetentionPeriod") ?? cluster.BackupRetentionDays;
            if (groups.Count > 0)
            {
                cluster.SecurityGroupIds.Clear();
                cluster.SecurityGroupIds.AddRange(groups);
            }
            if (rotates)
                cluster.MasterSecretStatus = "rotating";
            return new XmlText().Group("DBCluster", x => RdsXml.Cluster(x, m, cluster)).ToAnswer();
        });
        if (rotates)
            context.Transitions.Start($"Rotation of {id}", cancel => RotateAsync(id, cancel));
        return answer;
    }

    /// <summary>The database first, then the secret: whoever reads it in between is told an old password once, as with a real rotation.</summary>
    private async Task RotateAsync(string id, CancellationToken cancellationToken)
    {
        var (cluster, secret) = context.Model.Read(m => (m.DbClusters[id], m.Secrets[m.DbClusters[id].MasterSecretArn!]));
        var password = Ids.Password();
        await context.Machines.SetMasterPasswordAsync(id, password, cancellationToken).ConfigureAwait(false);
        context.Model.Change(_ =>
        {
            MasterSecret.Put(secret, cluster.MasterUsername, password, context.Time.GetUtcNow());
            return cluster.MasterSecretStatus = "active";
        });
    }

    public static DbCluster Find(LabModel m, AwsCall call, string id) => RdsList.Mine(m.DbClusters, call).FirstOrDefault(c => string.Equals(c.Id, id, StringComparison.OrdinalIgnoreCase)) ?? throw RdsList.NoCluster(id);

    public static void DemandGroups(LabModel m, AwsCall call, string subnetGroup, IReadOnlyList<string> groups)
    {
        foreach (var id in groups)
        {
            if (!m.SecurityGroups.TryGetValue(id, out var group) || group.Account != call.Caller.Account || group.VpcId != m.DbSubnetGroups[subnetGroup].VpcId)
                throw new AwsError("InvalidParameterValue", $"Invalid security group , groupId= {id}, groupName=.");
        }
    }

    public static void SetCapacity(DbCluster cluster, QueryForm form)
    {
        const string prefix = "ServerlessV2ScalingConfiguration";
        if (!form.Has(prefix))
            return;
        var least = form.Real($"{prefix}.MinCapacity") ?? cluster.MinCapacity;
        var most = form.Real($"{prefix}.MaxCapacity") ?? cluster.MaxCapacity;
        var pause = form.Number($"{prefix}.SecondsUntilAutoPause") ?? cluster.SecondsUntilAutoPause;
        if (least is null || most is null || least < EngineVersions.LeastCapacity(cluster.EngineVersion) || most < Math.Max(1, least.Value) || most > 256 || least * 2 % 1 != 0 || most * 2 % 1 != 0)
            throw new AwsError("InvalidParameterValue", "Serverless v2 capacity is set in steps of 0.5 ACU; the minimum must be one the engine version allows and the maximum at least 1 and no less than the minimum.");
        if (pause is < 300 or > 86_400)
            throw new AwsError("InvalidParameterValue", "SecondsUntilAutoPause must be between 300 and 86400.");
        (cluster.MinCapacity, cluster.MaxCapacity, cluster.SecondsUntilAutoPause) = (least, most, pause);
    }

    /// <summary>What the lab does not model is refused, not ignored.</summary>
    public static void Refuse(QueryForm form, params string[] parameters)
    {
        if (parameters.FirstOrDefault(p => form.Text(p) is not null) is { } name)
            throw new AwsError("InvalidParameterCombination", $"{name} is not modelled by this lab.");
    }
}
