using System.Globalization;
using System.Xml.Linq;

namespace Fumidai.Aws;

/// <summary>Which databases are there? Clusters first, then instances outside clusters; all pages.</summary>
/// <remarks>
/// Source: aws-facts §1.4. The VPC of a cluster is read from its instances, and only where it has none from DescribeDBSubnetGroups;
/// who may not ask that gets databases without a VPC.
/// </remarks>
public static class FindTargets
{
    // The RDS endpoint lists these too; they are other products with protocols of their own.
    private static readonly string[] OtherEngines = ["neptune", "docdb"];

    /// <summary>
    /// Every cluster and stand-alone instance of the region (Neptune and DocumentDB left out). Who may describe only clusters, or only
    /// instances, gets those.
    /// </summary>
    /// <exception cref="AwsFailure">Permission when neither may be described.</exception>
    public static async Task<IReadOnlyList<Database>> ListAsync(AwsAccess access, CancellationToken cancellationToken)
    {
        var clusters = AllowedPagesAsync(access, "DescribeDBClusters", "DBClusters", "DBCluster", cancellationToken);
        var instances = AllowedPagesAsync(access, "DescribeDBInstances", "DBInstances", "DBInstance", cancellationToken);
        var all = await Task.WhenAll(clusters, instances).ConfigureAwait(false);
        if (all is [{ Refused: { } refused }, { Refused: not null }])
            throw refused;
        return await DescribeAsync(access, all[0].Found, all[1].Found, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One cluster or instance by id.</summary>
    /// <exception cref="AwsFailure">NotFound when there is none of this id.</exception>
    public static async Task<Database> GetAsync(AwsAccess access, DatabaseKind kind, string id, CancellationToken cancellationToken)
    {
        List<XElement> clusters = [], instances;
        if (kind == DatabaseKind.Instance)
        {
            instances = await PagesAsync(access, "DescribeDBInstances", "DBInstances", "DBInstance", [new("DBInstanceIdentifier", id)], cancellationToken).ConfigureAwait(false);
        }
        else
        {
            clusters = await PagesAsync(access, "DescribeDBClusters", "DBClusters", "DBCluster", [new("DBClusterIdentifier", id)], cancellationToken).ConfigureAwait(false);
            instances = (await AllowedPagesAsync(access, "DescribeDBInstances", "DBInstances", "DBInstance", cancellationToken,
                new("Filters.Filter.1.Name", "db-cluster-id"), new("Filters.Filter.1.Values.Value.1", id)).ConfigureAwait(false)).Found;
        }
        var found = await DescribeAsync(access, clusters, instances, cancellationToken, withMembers: kind == DatabaseKind.Instance).ConfigureAwait(false);
        var noun = kind == DatabaseKind.Cluster ? "cluster" : "instance";
        return found.FirstOrDefault(d => d.Kind == kind && d.Id.Equals(id, StringComparison.OrdinalIgnoreCase))
            ?? throw new AwsFailure(AwsFailureKind.NotFound, "rds:DescribeDB" + (kind == DatabaseKind.Cluster ? "Clusters" : "Instances"), null,
                $"there is no {noun} {id} for PostgreSQL, MySQL or another RDS engine in {access.Region}");
    }

    /// <summary>The instance that is a cluster's writer now; null: none is, or it is not told.</summary>
    /// <exception cref="AwsFailure">NotFound, Permission.</exception>
    public static async Task<string?> WriterAsync(AwsAccess access, string cluster, CancellationToken cancellationToken)
    {
        var found = await PagesAsync(access, "DescribeDBClusters", "DBClusters", "DBCluster", [new("DBClusterIdentifier", cluster)], cancellationToken).ConfigureAwait(false);
        return found.Select(Writer).FirstOrDefault(w => w is not null);
    }

    private static string? Writer(XElement cluster) =>
        cluster.Child("DBClusterMembers")?.Elements().FirstOrDefault(m => IsTrue(m.Text("IsClusterWriter")))?.Text("DBInstanceIdentifier");

    private static async Task<IReadOnlyList<Database>> DescribeAsync(AwsAccess access, List<XElement> clusters, List<XElement> instances, CancellationToken cancellationToken, bool withMembers = false)
    {
        var members = instances.Where(i => i.Text("DBClusterIdentifier") is not null).ToLookup(i => i.Text("DBClusterIdentifier")!, StringComparer.OrdinalIgnoreCase);
        var found = clusters.Select(c => Cluster(c, members[c.Text("DBClusterIdentifier") ?? ""]))
            .Concat(instances.Where(i => withMembers || i.Text("DBClusterIdentifier") is null).Select(Instance))
            .Where(d => !OtherEngines.Any(e => d.Engine.StartsWith(e, StringComparison.Ordinal)))
            .ToList();
        if (!found.Any(d => d.VpcId is null))
            return found;
        var groups = clusters.Concat(instances).Select(e => (Id: e.Text("DBClusterArn") ?? e.Text("DBInstanceArn"), Group: e.Text("DBSubnetGroup")))
            .Where(x => x is { Id: not null, Group: not null }).DistinctBy(x => x.Id).ToDictionary(x => x.Id!, x => x.Group!, StringComparer.Ordinal);
        if (!found.Any(d => d.VpcId is null && groups.ContainsKey(d.Arn)))
            return found;
        var vpcs = await VpcsOfSubnetGroupsAsync(access, cancellationToken).ConfigureAwait(false);
        return [.. found.Select(d => d.VpcId is null && groups.TryGetValue(d.Arn, out var group) && vpcs.TryGetValue(group, out var vpc) ? d with { VpcId = vpc } : d)];
    }

    private static Database Cluster(XElement cluster, IEnumerable<XElement> members)
    {
        var instances = members.ToList();
        return new Database
        {
            Kind = DatabaseKind.Cluster,
            Id = cluster.Text("DBClusterIdentifier") ?? "",
            Arn = cluster.Text("DBClusterArn") ?? "",
            ResourceId = cluster.Text("DbClusterResourceId"),
            Engine = cluster.Text("Engine") ?? "",
            EngineVersion = cluster.Text("EngineVersion"),
            Status = cluster.Text("Status") ?? "unknown",
            Endpoint = cluster.Text("Endpoint"),
            ReaderEndpoint = cluster.Text("ReaderEndpoint"),
            Writer = Writer(cluster),
            Port = Number(cluster.Text("Port")),
            VpcId = instances.Select(i => i.Child("DBSubnetGroup").Text("VpcId")).FirstOrDefault(v => v is not null),
            SecurityGroupIds = SecurityGroups(cluster),
            DatabaseName = cluster.Text("DatabaseName"),
            MasterUsername = cluster.Text("MasterUsername"),
            MasterSecretArn = cluster.Child("MasterUserSecret").Text("SecretArn"),
            MinCapacity = double.TryParse(cluster.Child("ServerlessV2ScalingConfiguration").Text("MinCapacity"), CultureInfo.InvariantCulture, out var acu) ? acu : null,
            IsIamEnabled = IsTrue(cluster.Text("IAMDatabaseAuthenticationEnabled")),
            IsPubliclyAccessible = IsTrue(cluster.Text("PubliclyAccessible")) || instances.Exists(i => IsTrue(i.Text("PubliclyAccessible"))),
        };
    }

    private static Database Instance(XElement instance) => new()
    {
        Kind = DatabaseKind.Instance,
        Id = instance.Text("DBInstanceIdentifier") ?? "",
        Arn = instance.Text("DBInstanceArn") ?? "",
        ResourceId = instance.Text("DbiResourceId"),
        Engine = instance.Text("Engine") ?? "",
        EngineVersion = instance.Text("EngineVersion"),
        Status = instance.Text("DBInstanceStatus") ?? "unknown",
        Endpoint = instance.Child("Endpoint").Text("Address"),
        Port = Number(instance.Child("Endpoint").Text("Port")),
        VpcId = instance.Child("DBSubnetGroup").Text("VpcId"),
        SecurityGroupIds = SecurityGroups(instance),
        DatabaseName = instance.Text("DBName"),
        MasterUsername = instance.Text("MasterUsername"),
        MasterSecretArn = instance.Child("MasterUserSecret").Text("SecretArn"),
        IsIamEnabled = IsTrue(instance.Text("IAMDatabaseAuthenticationEnabled")),
        IsPubliclyAccessible = IsTrue(instance.Text("PubliclyAccessible")),
    };

    private static async Task<Dictionary<string, string>> VpcsOfSubnetGroupsAsync(AwsAccess access, CancellationToken cancellationToken)
    {
        var groups = await AllowedPagesAsync(access, "DescribeDBSubnetGroups", "DBSubnetGroups", "DBSubnetGroup", cancellationToken).ConfigureAwait(false);
        return groups.Found.Where(g => g.Text("DBSubnetGroupName") is not null && g.Text("VpcId") is not null)
            .ToDictionary(g => g.Text("DBSubnetGroupName")!, g => g.Text("VpcId")!, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Nothing, and the refusal, where the caller may not ask.</summary>
    private static async Task<(List<XElement> Found, AwsFailure? Refused)> AllowedPagesAsync(AwsAccess access, string operation, string list, string item, CancellationToken cancellationToken, params KeyValuePair<string, string>[] parameters)
    {
        try
        {
            return (await PagesAsync(access, operation, list, item, parameters, cancellationToken).ConfigureAwait(false), null);
        }
        catch (AwsFailure f) when (f.Kind == AwsFailureKind.Permission)
        {
            return ([], f);
        }
    }

    private static async Task<List<XElement>> PagesAsync(AwsAccess access, string operation, string list, string item, KeyValuePair<string, string>[] parameters, CancellationToken cancellationToken)
    {
        var all = new List<XElement>();
        string? marker = null;
        do
        {
            KeyValuePair<string, string>[] page = marker is null ? parameters : [.. parameters, new("Marker", marker)];
            var answer = await access.AskAsync(AwsService.Rds, operation, stop => access.Rds.QueryAsync(operation, page, stop), cancellationToken).ConfigureAwait(false);
            all.AddRange(answer.Children(list, item));
            var next = answer.Text("Marker");
            // A marker that does not move would turn here for ever.
            marker = next == marker ? null : next;
        }
        while (marker is not null);
        return all;
    }

    private static List<string> SecurityGroups(XElement database) =>
        [.. database.Children("VpcSecurityGroups", "VpcSecurityGroupMembership").Select(g => g.Text("VpcSecurityGroupId")).OfType<string>()];

    private static int Number(string? text) => int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static bool IsTrue(string? text) => string.Equals(text, "true", StringComparison.OrdinalIgnoreCase);
}
