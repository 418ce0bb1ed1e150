using System.Collections.Concurrent;
using System.Net;

namespace Fumidai.Lab;

/// <summary>The real servers and virtual agents behind the model. Everything but their beginning and end follows the model by itself.</summary>
internal sealed class LabMachines(LabContext context, Keeper keeper, RealEndPoints places, VirtualAgents agents, string folder) : ILabMachines
{
    private readonly ConcurrentDictionary<string, PostgresServer> _databases = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Bastion> _bastions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TokenBinds> _tokens = new(StringComparer.Ordinal);
    private readonly IamTokenCheck _check = new(context);
    private readonly InnerAddresses _inner = new();
    private readonly SemaphoreSlim _following = new(1);
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;
    private SshdRoom _room = new SshdRoom.None("");

    /// <summary>Bastions of which sshd runs, by instance.</summary>
    public IReadOnlyDictionary<string, Bastion> Bastions => _bastions;

    /// <summary>Why there is no sshd on this machine; null: there is one.</summary>
    public string? WhyNoSshd => (_room as SshdRoom.None)?.Why;

    /// <summary>Finds out what the machine offers and begins to follow the model.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _room = await SshdRoom.FindAsync(cancellationToken).ConfigureAwait(false);
        _loop = FollowAsync();
    }

    /// <summary>Where a cluster's server listens; null: stopped.</summary>
    public IPEndPoint? Database(string clusterId) => _databases.GetValueOrDefault(clusterId)?.Listening;

    public async Task CreateDatabaseAsync(DbCluster cluster, string masterPassword, CancellationToken cancellationToken)
    {
        if (!cluster.Engine.Contains("postgres", StringComparison.Ordinal))
            return;
        // Members may come later: their names are ID.ZONE.REGION….
        var members = "*." + cluster.Endpoint[(cluster.Endpoint.IndexOf(".cluster-", StringComparison.Ordinal) + ".cluster-".Length)..];
        using var certificate = context.Authority.IssueServer([cluster.Endpoint, cluster.ReaderEndpoint, members], []);
        var server = await PostgresServer.CreateAsync(Path.Combine(folder, "pg-" + Guid.NewGuid().ToString("N")[..8]), new(StandOf(cluster), cluster.Port), certificate,
            cluster.MasterUsername, masterPassword, cluster.DatabaseName, keeper, cancellationToken).ConfigureAwait(false);
        _databases[cluster.Id] = server;
        await PlaceAsync(cluster, server).ConfigureAwait(false);
    }

    public async Task StartDatabaseAsync(string clusterId, CancellationToken cancellationToken)
    {
        if (_databases.TryGetValue(clusterId, out var server))
        {
            await server.StartAsync(cancellationToken).ConfigureAwait(false);
            await PlaceAsync(clusterId, server).ConfigureAwait(false);
        }
    }

    public async Task StopDatabaseAsync(string clusterId, CancellationToken cancellationToken)
    {
        if (_databases.TryGetValue(clusterId, out var server))
        {
            await server.StopAsync().ConfigureAwait(false);
            await PlaceAsync(clusterId, server).ConfigureAwait(false);
        }
    }

    public async Task MoveDatabaseAsync(DbCluster cluster, IPAddress former, CancellationToken cancellationToken)
    {
        places.Set(StandOf(cluster, former), cluster.Port, null);
        if (!_databases.TryGetValue(cluster.Id, out var server))
            return;
        await server.StopAsync().ConfigureAwait(false);
        await server.StartAsync(cancellationToken).ConfigureAwait(false);
        await PlaceAsync(cluster, server).ConfigureAwait(false);
    }

    public async Task RemoveDatabaseAsync(DbCluster cluster, CancellationToken cancellationToken)
    {
        places.Forget(StandOf(cluster), cluster.Port);
        if (_databases.TryRemove(cluster.Id, out var server))
            await server.DisposeAsync().ConfigureAwait(false);
        await FollowOnceAsync().ConfigureAwait(false);
    }

    public Task SetMasterPasswordAsync(string clusterId, string password, CancellationToken cancellationToken)
    {
        var username = context.Model.Read(model => model.DbClusters.GetValueOrDefault(clusterId)?.MasterUsername);
        return username is not null && _databases.TryGetValue(clusterId, out var server) ? server.SetPasswordAsync(username, password, cancellationToken) : Task.CompletedTask;
    }

    public async Task BootInstanceAsync(string instanceId, CancellationToken cancellationToken)
    {
        if (_room is not SshdRoom.None && !_bastions.ContainsKey(instanceId))
        {
            var sshd = await BastionSshd.StartAsync(_room, Path.Combine(folder, instanceId), _inner.Next(0), keeper, context.Time, cancellationToken).ConfigureAwait(false);
            var bastion = new Bastion(context, instanceId, sshd, places, _inner);
            if (!_bastions.TryAdd(instanceId, bastion))
                await bastion.DisposeAsync().ConfigureAwait(false);
            else
                places.Set(PrivateAddress(instanceId), 22, sshd.Listening);
            await FollowOnceAsync().ConfigureAwait(false);
        }
        agents.Boot(instanceId);
    }

    public async Task HaltInstanceAsync(string instanceId, CancellationToken cancellationToken)
    {
        await agents.HaltAsync(instanceId).ConfigureAwait(false);
        if (!_bastions.TryRemove(instanceId, out var bastion))
            return;
        await _following.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (PrivateAddress(instanceId) is { } address)
                places.Set(address, 22, null);
            await bastion.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _following.Release();
        }
    }

    /// <summary>Hands a pushed key to an instance's sshd. Without one it is taken all the same, as by an image without EC2 Instance Connect.</summary>
    public void PushKey(string instanceId, string user, string key)
    {
        if (_bastions.TryGetValue(instanceId, out var bastion))
            bastion.Sshd.Keys.Push(user, key);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var bastion in _bastions.Values)
            await bastion.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_databases.Values.Select(server => server.DisposeAsync().AsTask())).ConfigureAwait(false);
        foreach (var binds in _tokens.Values)
            await binds.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
        _following.Dispose();
    }

    private IPAddress PrivateAddress(string instanceId) => context.Model.Read(model => model.Stands.Of(model.Instances[instanceId].VpcId, model.Instances[instanceId].PrivateAddress));

    private IPAddress StandOf(DbCluster cluster) => StandOf(cluster, cluster.Address);

    private IPAddress StandOf(DbCluster cluster, IPAddress address) =>
        context.Model.Read(model => model.DbSubnetGroups.TryGetValue(cluster.SubnetGroup, out var group) ? model.Stands.Of(group.VpcId, address) : address);

    private Task PlaceAsync(string clusterId, PostgresServer server) =>
        context.Model.Read(model => model.DbClusters.GetValueOrDefault(clusterId)) is { } cluster ? PlaceAsync(cluster, server) : Task.CompletedTask;

    private Task PlaceAsync(DbCluster cluster, PostgresServer server)
    {
        places.Set(StandOf(cluster), cluster.Port, server.Listening);
        return FollowOnceAsync();
    }

    private async Task FollowAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var changed = context.Model.NextChange;
            await FollowOnceAsync().ConfigureAwait(false);
            await DropDeletedAsync().ConfigureAwait(false);
            await changed.WaitAsync(_stop.Token).ConfigureAwait(false);
        }
    }

    private async Task FollowOnceAsync()
    {
        await _following.WaitAsync(_stop.Token).ConfigureAwait(false);
        try
        {
            foreach (var (cluster, server) in _databases)
                await FollowAuthenticationAsync(cluster, server).ConfigureAwait(false);
            foreach (var (instance, bastion) in _bastions)
            {
                try
                {
                    await bastion.FollowAsync().ConfigureAwait(false);
                }
                catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException or LabException)
                {
                    // One bastion's trouble must not stop the others from following; it is told, not hidden.
                    context.Calls.Report($"lab:Gates({instance})", null, error.Message);
                }
            }
        }
        finally
        {
            _following.Release();
        }
    }

    private async Task FollowAuthenticationAsync(string clusterId, PostgresServer server)
    {
        try
        {
            var isEnabled = context.Model.Read(model => model.DbClusters.GetValueOrDefault(clusterId)?.IamAuthentication) == true;
            await server.UseTokensAsync(isEnabled ? _tokens.GetOrAdd(clusterId, NewBinds).At : null, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException or LabException)
        {
            context.Calls.Report($"lab:IamAuthentication({clusterId})", null, error.Message);
        }
    }

    private TokenBinds NewBinds(string clusterId) => new((user, token) =>
    {
        var why = _check.WhyNot(clusterId, user, token);
        // The reason is for the lab's owner; it holds nothing of the token.
        context.Calls.Report($"lab:IamSignIn({clusterId}/{user})", null, why ?? "200");
        return why is null;
    });

    /// <summary>The server of a deleted cluster goes with it.</summary>
    private async Task DropDeletedAsync()
    {
        var alive = context.Model.Read(model => model.DbClusters.Keys.ToHashSet(StringComparer.Ordinal));
        foreach (var clusterId in _databases.Keys.Where(id => !alive.Contains(id)))
        {
            if (_databases.TryRemove(clusterId, out var server))
                await server.DisposeAsync().ConfigureAwait(false);
        }
    }
}
