namespace Fumidai.Lab;

/// <summary>Cluster snapshots: that they are there, not what is in them.</summary>
internal sealed class SnapshotCalls(LabContext context)
{
    public static AwsError NoSnapshot(string id) => new("DBClusterSnapshotNotFoundFault", $"DBClusterSnapshot {id} not found.", 404);

    public AwsAnswer Describe(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var cluster = form.Text("DBClusterIdentifier");
        var type = form.Text("SnapshotType");
        var all = RdsList.Mine(m.DbClusterSnapshots, call).Where(s => (cluster is null || string.Equals(s.ClusterId, cluster, StringComparison.OrdinalIgnoreCase)) && type is null or "manual");
        var found = RdsList.Choose(form, all, "DBClusterSnapshotIdentifier", NoSnapshot, (s, f) => f switch
        {
            "db-cluster-id" => [s.ClusterId],
            "db-cluster-snapshot-id" => [s.Id],
            "engine" => [s.Engine],
            "snapshot-type" => ["manual"],
            _ => null,
        });
        return RdsList.Set("DBClusterSnapshots", "DBClusterSnapshot", found, Write);
    });

    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        var (id, clusterId) = (form.Required("DBClusterSnapshotIdentifier"), form.Required("DBClusterIdentifier"));
        return context.Model.Change(m =>
        {
            var cluster = ClusterCalls.Find(m, call, clusterId);
            if (cluster.Status != "available")
                throw new AwsError("InvalidDBClusterStateFault", $"DBCluster {cluster.Id} isn't in the available state.");
            var snapshot = Take(m, cluster, id, context.Time.GetUtcNow());
            RdsTags.Put(snapshot, form);
            return new XmlText().Group("DBClusterSnapshot", x => Write(x, snapshot)).ToAnswer();
        });
    }

    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        var id = form.Required("DBClusterSnapshotIdentifier");
        return context.Model.Change(m =>
        {
            var snapshot = RdsList.Mine(m.DbClusterSnapshots, call).FirstOrDefault(s => string.Equals(s.Id, id, StringComparison.OrdinalIgnoreCase)) ?? throw NoSnapshot(id);
            m.DbClusterSnapshots.Remove(snapshot.Id);
            return new XmlText().Group("DBClusterSnapshot", x => Write(x, snapshot)).ToAnswer();
        });
    }

    /// <summary>Takes one of a cluster. Call it under <see cref="LabModel.Change"/>.</summary>
    public static DbClusterSnapshot Take(LabModel m, DbCluster cluster, string id, DateTimeOffset now)
    {
        id = id.ToLowerInvariant();
        Demand(m, id);
        var snapshot = new DbClusterSnapshot
        {
            Id = id,
            Account = cluster.Account,
            Region = cluster.Region,
            ClusterId = cluster.Id,
            Engine = cluster.Engine,
            EngineVersion = cluster.EngineVersion,
            MasterUsername = cluster.MasterUsername,
            VpcId = m.DbSubnetGroups.GetValueOrDefault(cluster.SubnetGroup)?.VpcId ?? "",
            Port = cluster.Port,
            CreatedAt = now,
            ClusterCreatedAt = cluster.CreatedAt,
        };
        // Tags of AWS's own are not copied.
        foreach (var (key, value) in cluster.CopyTagsToSnapshot ? cluster.Tags.Where(t => !t.Key.StartsWith("aws:", StringComparison.Ordinal)) : [])
            snapshot.Tags[key] = value;
        return m.DbClusterSnapshots[id] = snapshot;
    }

    /// <summary>Refuses an identifier that is taken or malformed.</summary>
    public static void Demand(LabModel m, string id)
    {
        if (id.Length is 0 or > 255 || !char.IsAsciiLetter(id[0]) || id.EndsWith('-') || id.Contains("--", StringComparison.Ordinal) || !id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            throw new AwsError("InvalidParameterValue", "The parameter DBClusterSnapshotIdentifier is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.");
        if (m.DbClusterSnapshots.ContainsKey(id.ToLowerInvariant()))
            throw new AwsError("DBClusterSnapshotAlreadyExistsFault", $"Cannot create the cluster snapshot because a snapshot with the identifier {id} already exists.");
    }

    private static void Write(XmlText x, DbClusterSnapshot s) => x
        .Element("DBClusterSnapshotIdentifier", s.Id).Element("DBClusterSnapshotArn", RdsTags.ArnOf(s)).Element("DBClusterIdentifier", s.ClusterId).Element("SnapshotType", "manual").Element("Status", s.Status)
        .Element("Engine", s.Engine).Element("EngineVersion", s.EngineVersion).Element("EngineMode", "provisioned").Element("MasterUsername", s.MasterUsername).Element("VpcId", s.VpcId).Element("Port", s.Port)
        .Element("AllocatedStorage", 1).Element("PercentProgress", 100).Element("StorageEncrypted", true).Element("SnapshotCreateTime", s.CreatedAt).Element("ClusterCreateTime", s.ClusterCreatedAt)
        .List("TagList", "Tag", s.Tags, (t, tag) => t.Element("Key", tag.Key).Element("Value", tag.Value));
}
