using System.Globalization;

namespace Fumidai.Lab;

/// <summary>What carries bytes in a lab: the message gateway, the agents, the real servers; and the services whose answers depend on them.</summary>
internal sealed class DataPlane : ILabPart
{
    private readonly LabContext _context;
    private readonly Keeper _keeper;
    private readonly SessionTable _sessions;
    private readonly ControlChannels _controls;
    private readonly VirtualAgents _agents;
    private readonly LabMachines _machines;
    private readonly RdsDataService _dataApi;
    private readonly ConnectTunnels _tunnels;

    public DataPlane(LabContext context) : this(context, new RelayOptions { Service = context.Options.Service })
    {
    }

    internal DataPlane(LabContext context, RelayOptions options)
    {
        if (OperatingSystem.IsWindows())
            throw new LabException("the lab's servers need Linux or macOS; on Windows run it in WSL");
        _context = context;
        _keeper = Keeper.Start();
        var folder = ServerFolder.ForServers(context.Directory);
        _keeper.Remove(folder);
        var places = new RealEndPoints();
        _sessions = new(context, options);
        _controls = new(_sessions, context.Time);
        _agents = new(context, places, new TerminalShell(_keeper));
        _machines = new(context, _keeper, places, _agents, folder);
        _dataApi = new(context, _machines.Database);
        var instances = new InstanceInformation(context, _controls, () => _agents.Managed);
        Services = [new SsmService(context, new SessionOperations(context, _sessions, _controls, instances, new StartThrottle(options.Service, context.Time)), instances), new InstanceConnect(context, _machines.PushKey), _dataApi];
        _tunnels = new(context, places);
        Routes = [new RelayRoutes(context, options, _sessions, _controls, ClientArrived), _tunnels];
    }

    public IReadOnlyList<IAwsService> Services { get; }

    public IReadOnlyList<ILabRoutes> Routes { get; }

    public ILabMachines Machines => _machines;

    /// <summary>The Data API, for tests of this project.</summary>
    internal RdsDataService DataApi => _dataApi;

    /// <summary>The sessions, for tests of this project.</summary>
    internal SessionTable Sessions => _sessions;

    public Task StartAsync(CancellationToken cancellationToken) => _machines.StartAsync(cancellationToken);

    public Task ReadyAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public IReadOnlyList<string> Describe()
    {
        var lines = new List<string>();
        foreach (var cluster in _context.Model.Read(model => model.DbClusters.Values.ToArray()))
        {
            if (_machines.Database(cluster.Id) is { } at)
                lines.Add($"PostgreSQL of cluster {cluster.Id} on {at}");
        }
        foreach (var agent in _agents.Managed)
            lines.Add($"agent of {agent.InstanceId} {agent.AgentVersion} {(agent.IsConnected ? "Online" : "ConnectionLost")}");
        foreach (var (instance, bastion) in _machines.Bastions)
        {
            if (bastion.Front is { } front)
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"sshd of {instance} on {front.Address} port {front.Port}, user {BastionSshd.User}"));
        }
        if (_machines.WhyNoSshd is { Length: > 0 } why)
            lines.Add(why);
        return lines;
    }

    private void ClientArrived(RelaySession session)
    {
        if (!_controls.IsConnected(session.Order.Target))
            _agents.Serve(session);
    }

    public async ValueTask DisposeAsync()
    {
        _tunnels.Dispose();
        _sessions.Dispose();
        _controls.Dispose();
        await _agents.DisposeAsync().ConfigureAwait(false);
        await _dataApi.DisposeAsync().ConfigureAwait(false);
        await _machines.DisposeAsync().ConfigureAwait(false);
        await _keeper.DisposeAsync().ConfigureAwait(false);
    }
}
