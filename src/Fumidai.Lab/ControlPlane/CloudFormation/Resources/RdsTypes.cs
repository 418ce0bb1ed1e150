using System.Globalization;

namespace Fumidai.Lab;

/// <summary>What RDS's types share: tags by ARN.</summary>
internal abstract class RdsType(string name, string properties, string attributes) : ResourceType(name, properties + " Tags.Key Tags.Value", attributes)
{
    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        if (!changed.Contains("Tags") || work.Lab.Model.Read(m => Find(m, work.Resource)) is not { } found)
            return;
        var arn = ("ResourceName", (string?)RdsTags.ArnOf(found));
        if (work.Resource.Tags.Keys.Except(work.Tags.Keys).ToList() is { Count: > 0 } gone)
            await work.CallAsync("rds", "RemoveTagsFromResource", [arn, .. ResourceWork.Numbered("TagKeys.member", gone)]).ConfigureAwait(false);
        await work.CallAsync("rds", "AddTagsToResource", [arn, .. ResourceWork.Pairs("Tags.Tag", work.Tags)]).ConfigureAwait(false);
    }

    protected static IEnumerable<(string, string?)> Tags(ResourceWork work) => ResourceWork.Pairs("Tags.Tag", work.Tags);

    protected static string? Flag(ResourceWork work, string property) => work.Text(property)?.ToLowerInvariant();
}

/// <summary>AWS::RDS::DBSubnetGroup.</summary>
internal sealed class DbSubnetGroupType() : RdsType("AWS::RDS::DBSubnetGroup", "^DBSubnetGroupName DBSubnetGroupDescription! SubnetIds!", "")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        var name = (work.Text("DBSubnetGroupName") ?? work.Name(255)).ToLowerInvariant();
        await work.CallAsync("rds", "CreateDBSubnetGroup",
            [("DBSubnetGroupName", name), ("DBSubnetGroupDescription", work.Text("DBSubnetGroupDescription")), .. ResourceWork.Numbered("SubnetIds.SubnetIdentifier", work.Texts("SubnetIds")), .. Tags(work)]).ConfigureAwait(false);
        work.Made(name);
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        if (changed.Any(c => c != "Tags"))
        {
            await work.CallAsync("rds", "ModifyDBSubnetGroup",
                [("DBSubnetGroupName", work.PhysicalId), ("DBSubnetGroupDescription", work.Text("DBSubnetGroupDescription")), .. ResourceWork.Numbered("SubnetIds.SubnetIdentifier", work.Texts("SubnetIds"))]).ConfigureAwait(false);
        }
        await base.UpdateAsync(work, before, changed).ConfigureAwait(false);
    }

    public override Task DeleteAsync(ResourceWork work) => work.RemoveAsync("rds", "DeleteDBSubnetGroup", ("DBSubnetGroupName", work.PhysicalId));

    public override Resource? Find(LabModel m, StackResource resource) => m.DbSubnetGroups.GetValueOrDefault(resource.PhysicalId ?? "");

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is DbSubnetGroup group
        ? [("DBSubnetGroupName", Of(group.Id)), ("DBSubnetGroupDescription", Of(group.Description)), ("SubnetIds", Of(group.SubnetIds))]
        : [];
}

/// <summary>AWS::RDS::DBCluster. Removed without another word it leaves a snapshot.</summary>
internal sealed class DbClusterType() : RdsType("AWS::RDS::DBCluster", """
    ^DBClusterIdentifier ^Engine EngineVersion ^DatabaseName ^MasterUsername MasterUserPassword ManageMasterUserPassword ^DBSubnetGroupName VpcSecurityGroupIds ^StorageEncrypted EnableIAMDatabaseAuthentication EnableHttpEndpoint
    ServerlessV2ScalingConfiguration.MinCapacity ServerlessV2ScalingConfiguration.MaxCapacity ServerlessV2ScalingConfiguration.SecondsUntilAutoPause DeletionProtection CopyTagsToSnapshot BackupRetentionPeriod Port
    """, "Endpoint.Address Endpoint.Port ReadEndpoint.Address MasterUserSecret.SecretArn DBClusterResourceId DBClusterArn")
{
    private const string Scaling = "ServerlessV2ScalingConfiguration";

    public override async Task CreateAsync(ResourceWork work)
    {
        var id = (work.Text("DBClusterIdentifier") ?? work.Name(63, isLower: true)).ToLowerInvariant();
        await work.CallAsync("rds", "CreateDBCluster",
        [
            ("DBClusterIdentifier", id), ("Engine", work.Text("Engine")), ("EngineVersion", work.Text("EngineVersion")), ("DatabaseName", work.Text("DatabaseName")), ("MasterUsername", work.Text("MasterUsername")),
            ("MasterUserPassword", work.Text("MasterUserPassword")), ("ManageMasterUserPassword", Flag(work, "ManageMasterUserPassword")), ("DBSubnetGroupName", work.Text("DBSubnetGroupName")),
            ("StorageEncrypted", Flag(work, "StorageEncrypted")), ("EnableHttpEndpoint", Flag(work, "EnableHttpEndpoint")), ("Port", work.Text("Port")), .. Settings(work), .. Tags(work),
        ]).ConfigureAwait(false);
        work.Made(id);
        await work.UntilAsync(m => m.DbClusters.GetValueOrDefault(id)?.Status != "creating").ConfigureAwait(false);
        if (work.Lab.Model.Read(m => m.DbClusters.GetValueOrDefault(id)?.Status) is not "available" and var status)
            throw Template.Wrong($"DBCluster {id} is in {status ?? "deleted"} state and failed to stabilize");
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        if (changed.Contains("EnableHttpEndpoint") && work.Lab.Model.Read(m => Find(m, work.Resource)) is { } found)
            await work.CallAsync("rds", Flag(work, "EnableHttpEndpoint") == "true" ? "EnableHttpEndpoint" : "DisableHttpEndpoint", ("ResourceArn", RdsTags.ArnOf(found))).ConfigureAwait(false);
        if (changed.Any(c => c is not ("Tags" or "EnableHttpEndpoint")))
        {
            string? Changed(string property) => changed.Contains(property) ? work.Text(property) : null;
            await work.CallAsync("rds", "ModifyDBCluster",
            [
                ("DBClusterIdentifier", work.PhysicalId), ("ApplyImmediately", "true"), ("EngineVersion", Changed("EngineVersion")), ("MasterUserPassword", Changed("MasterUserPassword")),
                ("ManageMasterUserPassword", Changed("ManageMasterUserPassword")), ("Port", Changed("Port")), .. Settings(work),
            ]).ConfigureAwait(false);
        }
        await base.UpdateAsync(work, before, changed).ConfigureAwait(false);
    }

    public override async Task DeleteAsync(ResourceWork work)
    {
        var snapshots = work.Resource.DeletionPolicy is null or "Snapshot" && work.Lab.Model.Read(m => m.DbClusters.GetValueOrDefault(work.PhysicalId)?.Status) == "available";
        var final = snapshots ? $"{work.Stack.Name[..Math.Min(work.Stack.Name.Length, 60)]}-snapshot-{work.Resource.LogicalId[..Math.Min(work.Resource.LogicalId.Length, 24)]}-{Guid.NewGuid().ToString("N")[..12]}".ToLowerInvariant() : null;
        if (await work.RemoveAsync("rds", "DeleteDBCluster", ("DBClusterIdentifier", work.PhysicalId), ("SkipFinalSnapshot", snapshots ? "false" : "true"), ("FinalDBSnapshotIdentifier", final)).ConfigureAwait(false))
            await work.UntilAsync(m => !m.DbClusters.ContainsKey(work.PhysicalId)).ConfigureAwait(false);
    }

    public override Resource? Find(LabModel m, StackResource resource) => m.DbClusters.GetValueOrDefault(resource.PhysicalId ?? "");

    public override string? Attribute(LabModel m, StackResource resource, string name) => Find(m, resource) is not DbCluster c ? null : name switch
    {
        "Endpoint.Address" => c.Endpoint,
        "Endpoint.Port" => c.Port.ToString(CultureInfo.InvariantCulture),
        "ReadEndpoint.Address" => c.ReaderEndpoint,
        "MasterUserSecret.SecretArn" => c.MasterSecretArn,
        "DBClusterResourceId" => c.ResourceId,
        _ => RdsTags.ArnOf(c),
    };

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is DbCluster c
        ?
        [
            ("Engine", Of(c.Engine)), ("DatabaseName", c.DatabaseName is { } database ? Of(database) : null), ("MasterUsername", Of(c.MasterUsername)), ("DBSubnetGroupName", Of(c.SubnetGroup)),
            ("VpcSecurityGroupIds", Of(c.SecurityGroupIds)), ("EnableIAMDatabaseAuthentication", Of(c.IamAuthentication)), ("EnableHttpEndpoint", Of(c.HttpEndpoint)), ("DeletionProtection", Of(c.DeletionProtection)),
            ("CopyTagsToSnapshot", Of(c.CopyTagsToSnapshot)),
            (Scaling, Compose([("MinCapacity", Number(c.MinCapacity)), ("MaxCapacity", Number(c.MaxCapacity)), ("SecondsUntilAutoPause", Number(c.SecondsUntilAutoPause))])),
        ]
        : [];

    private static TemplateNode? Number(double? number) => number is { } value ? Of(value.ToString(CultureInfo.InvariantCulture)) : null;

    private static (string, string?)[] Settings(ResourceWork work) =>
    [
        ("EnableIAMDatabaseAuthentication", Flag(work, "EnableIAMDatabaseAuthentication")), ("DeletionProtection", Flag(work, "DeletionProtection")), ("CopyTagsToSnapshot", Flag(work, "CopyTagsToSnapshot")),
        ("BackupRetentionPeriod", work.Text("BackupRetentionPeriod")),
        .. ((string[])["MinCapacity", "MaxCapacity", "SecondsUntilAutoPause"]).Select(n => ($"{Scaling}.{n}", work.Properties[Scaling]?.Member(n)?.Value)),
        .. ResourceWork.Numbered("VpcSecurityGroupIds.VpcSecurityGroupId", work.Texts("VpcSecurityGroupIds")),
    ];
}

/// <summary>AWS::RDS::DBInstance, in a cluster.</summary>
internal sealed class DbInstanceType() : RdsType("AWS::RDS::DBInstance", "^DBInstanceIdentifier ^DBClusterIdentifier! ^Engine DBInstanceClass ^PubliclyAccessible ^AvailabilityZone PromotionTier",
    "Endpoint.Address Endpoint.Port DbiResourceId DBInstanceArn")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        if (Flag(work, "PubliclyAccessible") == "true")
            throw Template.Wrong("Public database instances are not modelled by this lab.");
        var id = (work.Text("DBInstanceIdentifier") ?? work.Name(63, isLower: true)).ToLowerInvariant();
        await work.CallAsync("rds", "CreateDBInstance",
        [
            ("DBInstanceIdentifier", id), ("DBClusterIdentifier", work.Text("DBClusterIdentifier")), ("Engine", work.Text("Engine")), ("DBInstanceClass", work.Text("DBInstanceClass")),
            ("AvailabilityZone", work.Text("AvailabilityZone")), .. Tags(work),
        ]).ConfigureAwait(false);
        work.Made(id);
        await work.UntilAsync(m => m.DbInstances.GetValueOrDefault(id)?.Status != "creating").ConfigureAwait(false);
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        if (changed.Any(c => c != "Tags"))
            throw Template.Wrong($"A change of {string.Join(", ", changed)} of a database instance is not modelled by this lab.");
        await base.UpdateAsync(work, before, changed).ConfigureAwait(false);
    }

    public override async Task DeleteAsync(ResourceWork work)
    {
        if (await work.RemoveAsync("rds", "DeleteDBInstance", ("DBInstanceIdentifier", work.PhysicalId), ("SkipFinalSnapshot", "true")).ConfigureAwait(false))
            await work.UntilAsync(m => !m.DbInstances.ContainsKey(work.PhysicalId)).ConfigureAwait(false);
    }

    public override Resource? Find(LabModel m, StackResource resource) => m.DbInstances.GetValueOrDefault(resource.PhysicalId ?? "");

    public override string? Attribute(LabModel m, StackResource resource, string name) => Find(m, resource) is not DbInstance i ? null : name switch
    {
        "Endpoint.Address" => i.Endpoint,
        "Endpoint.Port" => m.DbClusters.GetValueOrDefault(i.ClusterId ?? "")?.Port.ToString(CultureInfo.InvariantCulture),
        "DbiResourceId" => i.ResourceId,
        _ => RdsTags.ArnOf(i),
    };

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is DbInstance i
        ? [("DBClusterIdentifier", i.ClusterId is { } cluster ? Of(cluster) : null), ("Engine", Of(i.Engine)), ("DBInstanceClass", Of(i.InstanceClass)), ("AvailabilityZone", Of(i.AvailabilityZone))]
        : [];
}
