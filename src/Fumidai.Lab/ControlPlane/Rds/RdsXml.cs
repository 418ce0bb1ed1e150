namespace Fumidai.Lab;

/// <summary>RDS's clusters, instances and subnet groups as it writes them.</summary>
internal static class RdsXml
{
    public static void Cluster(XmlText x, LabModel m, DbCluster c)
    {
        x.Element("DBClusterIdentifier", c.Id).Element("DBClusterArn", MasterSecret.ArnOf(c)).Element("DbClusterResourceId", c.ResourceId).Element("Status", c.Status)
            .Element("Engine", c.Engine).Element("EngineVersion", c.EngineVersion).Element("EngineMode", "provisioned").Element("Endpoint", c.Endpoint).Element("ReaderEndpoint", c.ReaderEndpoint)
            .Element("Port", c.Port).Element("DatabaseName", c.DatabaseName).Element("MasterUsername", c.MasterUsername).Element("DBSubnetGroup", c.SubnetGroup)
            .Element("DBClusterParameterGroup", $"default.aurora-postgresql{c.EngineVersion.Split('.')[0]}").Element("AllocatedStorage", 1).Element("BackupRetentionPeriod", c.BackupRetentionDays).Element("MultiAZ", false)
            .Element("StorageEncrypted", true).Element("DeletionProtection", c.DeletionProtection).Element("CopyTagsToSnapshot", c.CopyTagsToSnapshot).Element("IAMDatabaseAuthenticationEnabled", c.IamAuthentication)
            .Element("HttpEndpointEnabled", c.HttpEndpoint).Element("ClusterCreateTime", c.CreatedAt).Element("NetworkType", "IPV4")
            .List("VpcSecurityGroups", "VpcSecurityGroupMembership", c.SecurityGroupIds, (g, id) => g.Element("VpcSecurityGroupId", id).Element("Status", "active"))
            .List("DBClusterMembers", "DBClusterMember", Members(m, c), (i, member) => i.Element("DBInstanceIdentifier", member.Id).Element("IsClusterWriter", member.IsWriter)
                .Element("DBClusterParameterGroupStatus", "in-sync").Element("PromotionTier", 1));
        if (c.MinCapacity is { } least)
        {
            x.Group("ServerlessV2ScalingConfiguration", s => s.Element("MinCapacity", least).Element("MaxCapacity", c.MaxCapacity)
                // Not told while the cluster cannot pause (aws-facts §4.2).
                .Element("SecondsUntilAutoPause", least == 0 ? c.SecondsUntilAutoPause ?? 300 : null));
        }
        if (c.MasterSecretArn is { } secret)
            x.Group("MasterUserSecret", s => s.Element("SecretArn", secret).Element("SecretStatus", c.MasterSecretStatus).Element("KmsKeyId", $"arn:aws:kms:{c.Region}:{c.Account}:alias/aws/secretsmanager"));
        Tags(x, c);
    }

    public static void Instance(XmlText x, LabModel m, DbInstance i)
    {
        var cluster = m.DbClusters[i.ClusterId!];
        x.Element("DBInstanceIdentifier", i.Id).Element("DBInstanceArn", $"arn:aws:rds:{i.Region}:{i.Account}:db:{i.Id}").Element("DbiResourceId", i.ResourceId).Element("DBInstanceClass", i.InstanceClass)
            .Element("DBInstanceStatus", i.Status).Element("Engine", i.Engine).Element("EngineVersion", cluster.EngineVersion).Element("MasterUsername", cluster.MasterUsername).Element("DBName", cluster.DatabaseName)
            .Group("Endpoint", e => e.Element("Address", i.Endpoint).Element("Port", cluster.Port)).Element("AvailabilityZone", i.AvailabilityZone).Element("MultiAZ", false).Element("PubliclyAccessible", false)
            .Element("DBClusterIdentifier", i.ClusterId).Element("StorageEncrypted", true).Element("PromotionTier", 1).Element("IAMDatabaseAuthenticationEnabled", cluster.IamAuthentication)
            .Element("CACertificateIdentifier", "rds-ca-rsa2048-g1")
            .List("VpcSecurityGroups", "VpcSecurityGroupMembership", cluster.SecurityGroupIds, (g, id) => g.Element("VpcSecurityGroupId", id).Element("Status", "active"));
        if (m.DbSubnetGroups.TryGetValue(cluster.SubnetGroup, out var group))
            x.Group("DBSubnetGroup", g => SubnetGroup(g, m, group));
        Tags(x, i);
    }

    public static void SubnetGroup(XmlText x, LabModel m, DbSubnetGroup g) => x
        .Element("DBSubnetGroupName", g.Id).Element("DBSubnetGroupDescription", g.Description).Element("VpcId", g.VpcId).Element("SubnetGroupStatus", "Complete")
        .List("Subnets", "Subnet", g.SubnetIds, (s, id) => s.Element("SubnetIdentifier", id).Group("SubnetAvailabilityZone", z => z.Element("Name", m.Subnets.GetValueOrDefault(id)?.AvailabilityZone)).Element("SubnetStatus", "Active"))
        .Element("DBSubnetGroupArn", $"arn:aws:rds:{g.Region}:{g.Account}:subgrp:{g.Id}");

    public static IEnumerable<DbInstance> Members(LabModel m, DbCluster c) => m.DbInstances.Values.Where(i => i.ClusterId == c.Id);

    private static void Tags(XmlText x, Resource resource) => x.List("TagList", "Tag", resource.Tags, (t, tag) => t.Element("Key", tag.Key).Element("Value", tag.Value));
}
