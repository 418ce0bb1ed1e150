namespace Fumidai.Aws;

/// <summary>A cluster or an instance.</summary>
public enum DatabaseKind
{
    /// <summary>An Aurora (or Multi-AZ) cluster.</summary>
    Cluster,
    /// <summary>An RDS instance outside a cluster.</summary>
    Instance,
}
