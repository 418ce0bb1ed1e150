using System.Net;

namespace Fumidai.Lab;

/// <summary>
/// The real servers and agents behind the model. The control plane calls it after it has changed the model; implementations follow
/// <see cref="LabModel.NextChange"/> for everything else (rules, routes, roles).
/// </summary>
internal interface ILabMachines : IAsyncDisposable
{
    /// <summary>initdb and start of a PostgreSQL with TLS for a new cluster; its master user and database exist afterwards.</summary>
    Task CreateDatabaseAsync(DbCluster cluster, string masterPassword, CancellationToken cancellationToken);
    /// <summary>Starts a stopped one.</summary>
    Task StartDatabaseAsync(string clusterId, CancellationToken cancellationToken);
    /// <summary>Stops it: its port then refuses.</summary>
    Task StopDatabaseAsync(string clusterId, CancellationToken cancellationToken);
    /// <summary>Cuts its clients; it answers at the cluster's address from now on, and no longer at the former one.</summary>
    Task MoveDatabaseAsync(DbCluster cluster, IPAddress former, CancellationToken cancellationToken);
    /// <summary>Ends it for good: its cluster is being deleted.</summary>
    Task RemoveDatabaseAsync(DbCluster cluster, CancellationToken cancellationToken);
    /// <summary>Changes the master password (rotation).</summary>
    Task SetMasterPasswordAsync(string clusterId, string password, CancellationToken cancellationToken);
    /// <summary>An instance entered the running state: its agent boots, its sshd (if it is a public bastion) starts.</summary>
    Task BootInstanceAsync(string instanceId, CancellationToken cancellationToken);
    /// <summary>An instance left the running state: its agent and sshd are gone.</summary>
    Task HaltInstanceAsync(string instanceId, CancellationToken cancellationToken);
}
