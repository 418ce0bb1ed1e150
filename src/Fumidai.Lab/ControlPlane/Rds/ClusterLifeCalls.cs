namespace Fumidai.Lab;

/// <summary>Clusters coming, going, stopping. The answer shows the state in passing; the server behind follows.</summary>
internal sealed class ClusterLifeCalls(LabContext context)
{
    public AwsAnswer Start(AwsCall call, QueryForm form) => Pass(call, form, "stopped", "starting", "available",
        (id, cancel) => context.Machines.StartDatabaseAsync(id, cancel));

    public AwsAnswer Stop(AwsCall call, QueryForm form) => Pass(call, form, "available", "stopping", "stopped",
        (id, cancel) => context.Machines.StopDatabaseAsync(id, cancel));

    private AwsAnswer Pass(AwsCall call, QueryForm form, string from, string passing, string to, Func<string, CancellationToken, Task> work)
    {
        var id = form.Required("DBClusterIdentifier");
        var (cluster, answer) = context.Model.Change(m =>
        {
            var found = ClusterCalls.Find(m, call, id);
            if (found.Status != from)
                throw new AwsError("InvalidDBClusterStateFault", $"DbCluster {found.Id} is in {found.Status} state but expected it to be one of {from}.");
            SetStatus(m, found, passing);
            return (found, new XmlText().Group("DBCluster", x => RdsXml.Cluster(x, m, found)).ToAnswer());
        });
        context.Transitions.Start($"Cluster {cluster.Id} {passing}", async cancel =>
        {
            await work(cluster.Id, cancel).ConfigureAwait(false);
            context.Model.Change(m => SetStatus(m, cluster, to));
        });
        return answer;
    }

    /// <summary>Another member becomes the writer: connections are cut and the endpoint's name leads to another address.</summary>
    public AwsAnswer Failover(AwsCall call, QueryForm form)
    {
        var id = form.Required("DBClusterIdentifier");
        var wanted = form.Text("TargetDBInstanceIdentifier");
        var (cluster, former, answer) = context.Model.Change(m =>
        {
            var found = ClusterCalls.Find(m, call, id);
            if (found.Status != "available")
                throw new AwsError("InvalidDBClusterStateFault", $"DbCluster {found.Id} is in {found.Status} state but expected it to be one of available.");
            var members = RdsXml.Members(m, found).ToList();
            if (wanted is not null && !members.Exists(i => i.Id == wanted))
                throw RdsList.NoInstance(wanted);
            var next = members.FirstOrDefault(i => !i.IsWriter && i.Status == "available" && (wanted is null || i.Id == wanted))
                ?? throw new AwsError("InvalidDBClusterStateFault", $"DbCluster {found.Id} doesn't have any failover target, please add a failover target.");
            foreach (var member in members)
                member.IsWriter = member == next;
            var was = found.Address;
            found.FormerAddresses.Add(was);
            found.Address = AddressPlan.Next(m, m.Subnets[m.DbSubnetGroups[found.SubnetGroup].SubnetIds[0]]);
            return (found, was, new XmlText().Group("DBCluster", x => RdsXml.Cluster(x, m, found)).ToAnswer());
        });
        context.Transitions.Start($"Cluster {cluster.Id} failing over", cancel => context.Machines.MoveDatabaseAsync(cluster, former, cancel));
        return answer;
    }

    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        var id = form.Required("DBClusterIdentifier");
        var engine = form.Required("Engine");
        if (id.Length > 63 || !char.IsAsciiLetter(id[0]) || id.EndsWith('-') || id.Contains("--", StringComparison.Ordinal) || !id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            throw new AwsError("InvalidParameterValue", "The parameter DBClusterIdentifier is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.");
        if (engine != EngineVersions.Engine)
            throw new AwsError("InvalidParameterValue", $"Invalid DB engine: {engine} (this lab has {EngineVersions.Engine})");
        ClusterCalls.Refuse(form, "WithExpressConfiguration", "KmsKeyId", "GlobalClusterIdentifier", "ReplicationSourceIdentifier", "EngineMode");
        var isManaged = form.Flag("ManageMasterUserPassword") == true;
        var given = form.Text("MasterUserPassword");
        if (isManaged == (given is not null))
            throw new AwsError("InvalidParameterCombination", isManaged ? "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled." : "The parameter MasterUserPassword must be provided.");
        if (given is { Length: < 8 })
            throw new AwsError("InvalidParameterValue", "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters.");
        var username = form.Required("MasterUsername");
        var version = EngineVersions.Resolve(form.Text("EngineVersion"));
        var groupName = form.Text("DBSubnetGroupName") ?? "default";
        var (cluster, password, answer) = context.Model.Change(m =>
        {
            // RDS stores identifiers in lower case: "App" and "app" are the same.
            if (m.DbClusters.Keys.Contains(id, StringComparer.OrdinalIgnoreCase))
                throw new AwsError("DBClusterAlreadyExistsFault", "DB Cluster already exists");
            var group = RdsList.Mine(m.DbSubnetGroups, call).FirstOrDefault(g => g.Id == groupName) ?? throw RdsList.NoSubnetGroup(groupName);
            var groups = form.Texts("VpcSecurityGroupIds.VpcSecurityGroupId");
            ClusterCalls.DemandGroups(m, call, group.Id, groups);
            var zone = RdsList.Mine(m.DbClusters, call).Select(c => c.Endpoint.Split('.')[1]["cluster-".Length..]).FirstOrDefault() ?? Ids.RdsZone();
            var made = new DbCluster
            {
                Id = id,
                Account = call.Caller.Account,
                Region = call.Region,
                Engine = engine,
                EngineVersion = version,
                Status = "creating",
                Endpoint = $"{id}.cluster-{zone}.{call.Region}.rds.amazonaws.com",
                ReaderEndpoint = $"{id}.cluster-ro-{zone}.{call.Region}.rds.amazonaws.com",
                Port = form.Number("Port") ?? 5432,
                Address = AddressPlan.Next(m, m.Subnets[group.SubnetIds[0]]),
                SubnetGroup = group.Id,
                DatabaseName = form.Text("DatabaseName"),
                MasterUsername = username,
                IamAuthentication = form.Flag("EnableIAMDatabaseAuthentication") == true,
                HttpEndpoint = form.Flag("EnableHttpEndpoint") == true,
                DeletionProtection = form.Flag("DeletionProtection") == true,
                CopyTagsToSnapshot = form.Flag("CopyTagsToSnapshot") == true,
                BackupRetentionDays = form.Number("BackupRetentionPeriod") ?? 1,
                ResourceId = Ids.RdsResource("cluster"),
                CreatedAt = context.Time.GetUtcNow(),
            };
            ClusterCalls.SetCapacity(made, form);
            made.SecurityGroupIds.AddRange(groups.Count > 0 ? groups : m.SecurityGroups.Values.Where(g => g.VpcId == group.VpcId && g.Name == "default").Select(g => g.Id));
            RdsTags.Put(made, form);
            m.DbClusters[id] = made;
            RdsService.MakeServiceRole(m, made.Account, context.Time.GetUtcNow());
            var secretWord = given ?? "";
            if (isManaged)
                made.MasterSecretArn = MasterSecret.Create(m, made, context.Time.GetUtcNow(), out secretWord).Arn;
            return (made, secretWord, new XmlText().Group("DBCluster", x => RdsXml.Cluster(x, m, made)).ToAnswer());
        });
        context.Transitions.Start($"Cluster {id} creating", async cancel =>
        {
            try
            {
                await context.Machines.CreateDatabaseAsync(cluster, password, cancel).ConfigureAwait(false);
                context.Model.Change(m => SetStatus(m, cluster, "available"));
            }
            catch (LabException)
            {
                // What RDS calls a cluster whose host could not be made; the reason is on the call log.
                context.Model.Change(m => SetStatus(m, cluster, "failed"));
                throw;
            }
        });
        return answer;
    }

    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        var id = form.Required("DBClusterIdentifier");
        var final = form.Text("FinalDBSnapshotIdentifier");
        if (form.Flag("SkipFinalSnapshot") == true == final is not null)
        {
            throw new AwsError("InvalidParameterCombination", final is null
                ? "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
                : "FinalDBSnapshotIdentifier can not be specified when deleting a cluster with SkipFinalSnapshot");
        }
        var (cluster, answer) = context.Model.Change(m =>
        {
            var found = ClusterCalls.Find(m, call, id);
            if (found.DeletionProtection)
                throw new AwsError("InvalidParameterCombination", "Cannot delete protected Cluster, please disable deletion protection and try again.");
            if (found.Status == "deleting")
                throw new AwsError("InvalidDBClusterStateFault", $"DbCluster {found.Id} is already being deleted.");
            if (RdsXml.Members(m, found).Any(i => i.Status != "deleting"))
                throw new AwsError("InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances in non-deleting state.");
            if (final is not null)
                SnapshotCalls.Demand(m, final);
            SetStatus(m, found, "deleting");
            return (found, new XmlText().Group("DBCluster", x => RdsXml.Cluster(x, m, found)).ToAnswer());
        });
        context.Transitions.Start($"Cluster {cluster.Id} deleting", async cancel =>
        {
            await context.Machines.RemoveDatabaseAsync(cluster, cancel).ConfigureAwait(false);
            context.Model.Change(m =>
            {
                if (final is not null)
                    SnapshotCalls.Take(m, cluster, final, context.Time.GetUtcNow());
                foreach (var member in RdsXml.Members(m, cluster).ToList())
                    m.DbInstances.Remove(member.Id);
                // Deleting the cluster deletes its managed secret (aws-facts §3.1).
                if (cluster.MasterSecretArn is { } secret)
                    m.Secrets.Remove(secret);
                return m.DbClusters.Remove(cluster.Id);
            });
        });
        return answer;
    }

    private static string SetStatus(LabModel m, DbCluster cluster, string status)
    {
        foreach (var member in RdsXml.Members(m, cluster))
            member.Status = status;
        return cluster.Status = status;
    }
}
