namespace Fumidai.Aws;

/// <summary>A database as RDS describes it. Source: DescribeDBClusters, DescribeDBInstances, DescribeDBSubnetGroups (aws-facts §1.4).</summary>
public sealed record Database
{
    /// <summary>Cluster or instance.</summary>
    public required DatabaseKind Kind { get; init; }
    /// <summary>DBClusterIdentifier or DBInstanceIdentifier.</summary>
    public required string Id { get; init; }
    /// <summary>ARN.</summary>
    public required string Arn { get; init; }
    /// <summary>Resource id (<c>cluster-…</c>, <c>db-…</c>), which IAM's <c>rds-db:connect</c> names instead of <see cref="Id"/>; null: not told.</summary>
    public string? ResourceId { get; init; }
    /// <summary>Engine, e.g. <c>aurora-postgresql</c>.</summary>
    public required string Engine { get; init; }
    /// <summary>Engine version, if told.</summary>
    public string? EngineVersion { get; init; }
    /// <summary>Status, e.g. <c>available</c>, <c>stopped</c>.</summary>
    public required string Status { get; init; }
    /// <summary>Writer endpoint's host; null while there is none.</summary>
    public string? Endpoint { get; init; }
    /// <summary>Reader endpoint's host.</summary>
    public string? ReaderEndpoint { get; init; }
    /// <summary>The member of a cluster that is its writer; null: none is, or it is not told.</summary>
    public string? Writer { get; init; }
    /// <summary>Port of the endpoints; 0 while there is none.</summary>
    public int Port { get; init; }
    /// <summary>VPC of its subnet group; null: none (express clusters) or not allowed to ask.</summary>
    public string? VpcId { get; init; }
    /// <summary>Its VPC security groups.</summary>
    public IReadOnlyList<string> SecurityGroupIds { get; init; } = [];
    /// <summary>Initial database's name; null: only <c>postgres</c>.</summary>
    public string? DatabaseName { get; init; }
    /// <summary>Master user.</summary>
    public string? MasterUsername { get; init; }
    /// <summary>ARN of the RDS-managed master secret.</summary>
    public string? MasterSecretArn { get; init; }
    /// <summary>Minimum ACU of Serverless v2; 0 means it may be paused; null: not Serverless v2.</summary>
    public double? MinCapacity { get; init; }
    /// <summary>Whether IAM database authentication is enabled (IAMDatabaseAuthenticationEnabled).</summary>
    public bool IsIamEnabled { get; init; }
    /// <summary>Region by the ARN; null: not told.</summary>
    public string? Region => Arn.Split(':') is [_, _, _, { Length: > 0 } region, ..] ? region : null;
    /// <summary>Account by the ARN; null: not told.</summary>
    public string? Account => Arn.Split(':') is [_, _, _, _, { Length: > 0 } account, ..] ? account : null;
    /// <summary>Whether clients can reach it from outside the VPC (PubliclyAccessible).</summary>
    public bool IsPubliclyAccessible { get; init; }
    /// <summary>Whether the engine speaks the PostgreSQL protocol.</summary>
    public bool IsPostgres => Engine.Contains("postgres", StringComparison.Ordinal);
}
