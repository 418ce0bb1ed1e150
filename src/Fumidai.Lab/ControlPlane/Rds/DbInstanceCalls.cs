namespace Fumidai.Lab;

/// <summary>The instances of clusters.</summary>
internal sealed class DbInstanceCalls(LabContext context)
{
    public AwsAnswer Describe(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var found = RdsList.Choose(form, RdsList.Mine(m.DbInstances, call), "DBInstanceIdentifier", RdsList.NoInstance, (i, f) => f switch
        {
            "db-instance-id" => [i.Id, $"arn:aws:rds:{i.Region}:{i.Account}:db:{i.Id}"],
            "db-cluster-id" => [i.ClusterId, $"arn:aws:rds:{i.Region}:{i.Account}:cluster:{i.ClusterId}"],
            "dbi-resource-id" => [i.ResourceId],
            "engine" => [i.Engine],
            _ => null,
        });
        return RdsList.Set("DBInstances", "DBInstance", found, (x, i) => RdsXml.Instance(x, m, i));
    });

    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        var id = form.Required("DBInstanceIdentifier");
        var instanceClass = form.Required("DBInstanceClass");
        var engine = form.Required("Engine");
        var clusterId = form.Text("DBClusterIdentifier") ?? throw new AwsError("InvalidParameterCombination", "Instances outside clusters are not modelled by this lab.");
        var (instance, answer) = context.Model.Change(m =>
        {
            var cluster = ClusterCalls.Find(m, call, clusterId);
            if (m.DbInstances.Keys.Contains(id, StringComparer.OrdinalIgnoreCase))
                throw new AwsError("DBInstanceAlreadyExists", "DB instance already exists");
            if (engine != cluster.Engine)
                throw new AwsError("InvalidParameterCombination", "The engine name requested for your DB instance doesn't match the engine name of your DB cluster.");
            if (instanceClass == "db.serverless" && cluster.MinCapacity is null)
                throw new AwsError("InvalidParameterCombination", "Set the Serverless v2 scaling configuration on the parent DB cluster before creating a Serverless v2 DB instance.");
            var zone = cluster.Endpoint.Split('.')[1]["cluster-".Length..];
            var made = new DbInstance
            {
                Id = id,
                Account = call.Caller.Account,
                Region = call.Region,
                ClusterId = cluster.Id,
                Engine = engine,
                InstanceClass = instanceClass,
                Status = "creating",
                Endpoint = $"{id}.{zone}.{call.Region}.rds.amazonaws.com",
                AvailabilityZone = form.Text("AvailabilityZone") ?? m.Subnets[m.DbSubnetGroups[cluster.SubnetGroup].SubnetIds[0]].AvailabilityZone,
                IsWriter = !RdsXml.Members(m, cluster).Any(i => i.IsWriter),
                ResourceId = Ids.RdsResource("db"),
            };
            RdsTags.Put(made, form);
            m.DbInstances[id] = made;
            return (made, new XmlText().Group("DBInstance", x => RdsXml.Instance(x, m, made)).ToAnswer());
        });
        // An instance of a cluster that is still being made waits for it: the cluster's own transition makes it available too.
        context.Transitions.Start($"Instance {id} creating", () => context.Model.Change(m => instance.Status == "creating" && m.DbClusters[clusterId].Status == "available" ? instance.Status = "available" : instance.Status));
        return answer;
    }

    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        var id = form.Required("DBInstanceIdentifier");
        var (instance, answer) = context.Model.Change(m =>
        {
            var found = RdsList.Mine(m.DbInstances, call).FirstOrDefault(i => i.Id == id) ?? throw RdsList.NoInstance(id);
            if (found.Status == "deleting")
                throw new AwsError("InvalidDBInstanceState", $"Instance {id} is already being deleted.");
            found.Status = "deleting";
            return (found, new XmlText().Group("DBInstance", x => RdsXml.Instance(x, m, found)).ToAnswer());
        });
        context.Transitions.Start($"Instance {id} deleting", () => context.Model.Change(m =>
        {
            var wasRemoved = m.DbInstances.Remove(id);
            // Another instance takes over as writer.
            if (instance.IsWriter && m.DbInstances.Values.FirstOrDefault(i => i.ClusterId == instance.ClusterId) is { } next)
                next.IsWriter = true;
            return wasRemoved;
        }));
        return answer;
    }
}
