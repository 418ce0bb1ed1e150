using System.Globalization;

namespace Fumidai.Aws;

/// <summary>What of a database decides whether somebody can sign in.</summary>
public sealed record DatabaseState
{
    /// <summary>Writers and readers: instance id, whether it writes, its status (null: not told).</summary>
    public IReadOnlyList<(string Id, bool IsWriter, string? Status)> Members { get; init; } = [];
    /// <summary>Where its instances stand.</summary>
    public IReadOnlyList<string> Zones { get; init; } = [];
    /// <summary>Subnets of its subnet group.</summary>
    public IReadOnlyList<string> SubnetIds { get; init; } = [];
    /// <summary>IAM authentication switched on.</summary>
    public bool HasIamAuthentication { get; init; }
    /// <summary>Data API switched on.</summary>
    public bool HasDataApi { get; init; }
    /// <summary>State of the RDS-managed secret: active, rotating, impaired, creating; null: none.</summary>
    public string? SecretStatus { get; init; }
    /// <summary>Most capacity of Serverless v2, in ACU.</summary>
    public double? MaxCapacity { get; init; }
}

/// <summary>In what state is a database? DescribeDBClusters, DescribeDBInstances, DescribeDBSubnetGroups.</summary>
public static class ReadClusterState
{
    /// <summary>State of a database that was found.</summary>
    public static async Task<DatabaseState> OfAsync(AwsAccess access, Database database, CancellationToken cancellationToken)
    {
        var isCluster = database.Kind == DatabaseKind.Cluster;
        Task<System.Xml.Linq.XElement> Ask(string operation, params KeyValuePair<string, string>[] form) =>
            access.AskAsync(AwsService.Rds, operation, stop => access.Rds.QueryAsync(operation, form, stop), cancellationToken);
        var instances = Ask("DescribeDBInstances", isCluster
            ? [new("Filters.Filter.1.Name", "db-cluster-id"), new("Filters.Filter.1.Values.Value.1", database.Id)]
            : [new("DBInstanceIdentifier", database.Id)]);
        var cluster = isCluster ? (await Ask("DescribeDBClusters", new KeyValuePair<string, string>("DBClusterIdentifier", database.Id)).ConfigureAwait(false)).Children("DBClusters", "DBCluster").FirstOrDefault() : null;
        var rows = (await instances.ConfigureAwait(false)).Children("DBInstances", "DBInstance").ToList();
        var subnets = rows.SelectMany(r => r.Child("DBSubnetGroup").Children("Subnets", "Subnet")).Select(s => s.Text("SubnetIdentifier")).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        if (subnets.Count == 0 && cluster.Text("DBSubnetGroup") is { } group)
            subnets = [.. (await Ask("DescribeDBSubnetGroups", new KeyValuePair<string, string>("DBSubnetGroupName", group)).ConfigureAwait(false))
                .Children("DBSubnetGroups", "DBSubnetGroup").SelectMany(g => g.Children("Subnets", "Subnet")).Select(s => s.Text("SubnetIdentifier")).OfType<string>()];
        var one = cluster ?? rows.FirstOrDefault();
        return new DatabaseState
        {
            Members = cluster is null ? [.. rows.Select(r => (r.Text("DBInstanceIdentifier") ?? "", true, r.Text("DBInstanceStatus")))]
                : [.. cluster.Children("DBClusterMembers", "DBClusterMember").Select(m => (m.Text("DBInstanceIdentifier") ?? "", m.Text("IsClusterWriter") == "true",
                    rows.Find(r => r.Text("DBInstanceIdentifier") == m.Text("DBInstanceIdentifier")).Text("DBInstanceStatus")))],
            Zones = [.. rows.Select(r => r.Text("AvailabilityZone")).OfType<string>().Distinct(StringComparer.Ordinal)],
            SubnetIds = subnets,
            HasIamAuthentication = one.Text("IAMDatabaseAuthenticationEnabled") == "true",
            HasDataApi = one.Text("HttpEndpointEnabled") == "true",
            SecretStatus = one?.Child("MasterUserSecret").Text("SecretStatus"),
            MaxCapacity = double.TryParse(one?.Child("ServerlessV2ScalingConfiguration").Text("MaxCapacity"), CultureInfo.InvariantCulture, out var acu) ? acu : null,
        };
    }
}
