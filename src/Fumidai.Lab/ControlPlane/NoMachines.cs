namespace Fumidai.Lab;

/// <summary>A lab of the control plane alone: the model changes, nothing runs behind it.</summary>
internal sealed class NoMachines : ILabMachines
{
    public Task CreateDatabaseAsync(DbCluster cluster, string masterPassword, CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartDatabaseAsync(string clusterId, CancellationToken cancellationToken) => Task.CompletedTask;
    public Task MoveDatabaseAsync(DbCluster cluster, System.Net.IPAddress former, CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopDatabaseAsync(string clusterId, CancellationToken cancellationToken) => Task.CompletedTask;
    public Task RemoveDatabaseAsync(DbCluster cluster, CancellationToken cancellationToken) => Task.CompletedTask;
    public Task SetMasterPasswordAsync(string clusterId, string password, CancellationToken cancellationToken) => Task.CompletedTask;
    public Task BootInstanceAsync(string instanceId, CancellationToken cancellationToken) => Task.CompletedTask;
    public Task HaltInstanceAsync(string instanceId, CancellationToken cancellationToken) => Task.CompletedTask;
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
