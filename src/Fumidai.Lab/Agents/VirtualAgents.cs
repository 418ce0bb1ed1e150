using System.Collections.Concurrent;
using Fumidai.SessionManager;

namespace Fumidai.Lab;

/// <summary>The agents of all instances, and what is remembered of those whose instance was stopped.</summary>
internal sealed class VirtualAgents(LabContext context, RealEndPoints places, IAgentShell shell) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, VirtualAgent> _agents = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ManagedInstance> _gone = new(StringComparer.Ordinal);

    /// <summary>All that ever registered and whose instance exists.</summary>
    public IReadOnlyList<ManagedInstance> Managed
    {
        get
        {
            var known = new Dictionary<string, ManagedInstance>(_gone, StringComparer.Ordinal);
            foreach (var agent in _agents.Values)
            {
                if (agent.Managed is { } managed)
                    known[managed.InstanceId] = managed;
            }
            return context.Model.Read(model => known.Values.Where(one => model.Instances.TryGetValue(one.InstanceId, out var instance) && instance.State != "terminated").ToList());
        }
    }

    public void Boot(string instanceId)
    {
        var agent = new VirtualAgent(context, instanceId, places, shell);
        if (_agents.TryAdd(instanceId, agent))
            agent.Boot();
    }

    public async Task HaltAsync(string instanceId)
    {
        if (!_agents.TryRemove(instanceId, out var agent))
            return;
        var last = agent.Managed;
        await agent.DisposeAsync().ConfigureAwait(false);
        if (last is not null)
            _gone[instanceId] = last with { IsConnected = false };
    }

    /// <summary>The client of a session has come. Its agent takes it, unless a foreign one has already.</summary>
    public void Serve(RelaySession session)
    {
        if (!session.HasAgent && _agents.TryGetValue(session.Order.Target, out var agent) && agent.Managed is { IsConnected: true })
            agent.Serve(session);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents.Values)
            await agent.DisposeAsync().ConfigureAwait(false);
    }
}
