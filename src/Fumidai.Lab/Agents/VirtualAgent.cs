using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Fumidai.SessionManager;

namespace Fumidai.Lab;

/// <summary>
/// The SSM agent of one running instance. It is connected while <see cref="Reachability.AgentOnline"/> says so. One that boots before its way out
/// works sleeps five minutes and more before it tries again; one that loses its way tries again sooner, and its sessions' sockets break at once.
/// </summary>
internal sealed class VirtualAgent : IAsyncDisposable
{
    /// <summary>After a failed registration: 5 minutes, then steps of 10 to 60 minutes, three tries a step (aws-facts §2.6).</summary>
    private static readonly int[] s_minutes = [5, 10, 10, 10, 20, 20, 20, 40, 40, 40];

    private readonly LabContext _context;
    private readonly string _instanceId;
    private readonly InstanceNetwork _network;
    private readonly IAgentShell _shell;
    private readonly AgentUplink _uplink;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<RelaySession, Task> _sessions = [];
    private Task _running = Task.CompletedTask;
    private bool _isRegistered;
    private bool _isConnected;
    private DateTimeOffset _lastPing;

    public VirtualAgent(LabContext context, string instanceId, RealEndPoints places, IAgentShell shell)
    {
        _context = context;
        _instanceId = instanceId;
        _shell = shell;
        _network = new(context.Model, instanceId, places, context.Time);
        _uplink = new(context, instanceId);
    }

    /// <summary>As Session Manager knows it; null: it never registered.</summary>
    public ManagedInstance? Managed
    {
        get
        {
            var version = Version;
            lock (_lock)
                return _isRegistered ? new(_instanceId, version, _isConnected, _lastPing) : null;
        }
    }

    /// <summary>Its instance runs now: the first attempt is made before this returns. An agent that was registered earlier is again only when it gets through.</summary>
    public void Boot()
    {
        var changed = _context.Model.NextChange;
        var reach = Reachability.AgentOnline(_context.Model, _instanceId);
        if (reach.Verdict == Verdict.Open)
            Ping();
        _running = RunAsync(changed, reach);
    }

    /// <summary>Takes a session on.</summary>
    public void Serve(RelaySession session)
    {
        lock (_lock)
        {
            if (_stop.IsCancellationRequested || _sessions.ContainsKey(session))
                return;
            _sessions[session] = ServeAsync(session);
        }
    }

    /// <summary>The instance stops: all of it is gone at once.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] sessions;
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
                return;
            _stop.Cancel();
            _isConnected = false;
            sessions = [.. _sessions.Values];
        }
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(sessions).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _uplink.Dispose();
        _stop.Dispose();
    }

    private string Version => _context.Model.Read(model => model.Instances.GetValueOrDefault(_instanceId)?.AgentVersion) ?? "";

    private void Ping()
    {
        var now = _context.Time.GetUtcNow();
        lock (_lock)
        {
            _isRegistered = _isConnected = true;
            _lastPing = now;
        }
    }

    private async Task RunAsync(Task changed, Reach reach)
    {
        var failures = 0;
        var wasConnected = reach.Verdict == Verdict.Open;
        while (true)
        {
            if (reach.Verdict == Verdict.Open)
            {
                failures = 0;
                wasConnected = true;
                await WaitAsync(changed, InstanceInformation.Heartbeat - (_context.Time.GetUtcNow() - _lastPing)).ConfigureAwait(false);
            }
            else
            {
                if (wasConnected && failures == 0)
                    Lose();
                await WaitAsync(null, wasConnected ? Reconnect(failures) : Register(failures, reach)).ConfigureAwait(false);
                failures++;
            }
            changed = _context.Model.NextChange;
            reach = Reachability.AgentOnline(_context.Model, _instanceId);
            if (reach.Verdict == Verdict.Open && (!_isConnected || _context.Time.GetUtcNow() - _lastPing >= InstanceInformation.Heartbeat))
                Ping();
        }
    }

    private async Task WaitAsync(Task? changed, TimeSpan limit)
    {
        _stop.Token.ThrowIfCancellationRequested();
        if (limit <= TimeSpan.Zero)
            return;
        try
        {
            await (changed ?? Task.Delay(Timeout.InfiniteTimeSpan, _context.Time, _stop.Token)).WaitAsync(limit, _context.Time, _stop.Token).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Time to look again.
        }
    }

    private void Lose()
    {
        RelaySession[] cut;
        lock (_lock)
        {
            _isConnected = false;
            cut = [.. _sessions.Keys];
        }
        foreach (var session in cut)
            session.CutAgent();
    }

    /// <summary>A refused role: 25 to 30 minutes; no way out: five minutes, growing to an hour.</summary>
    private static TimeSpan Register(int failures, Reach reach) => reach.Verdict == Verdict.Refused
        ? TimeSpan.FromSeconds(RandomNumberGenerator.GetInt32(25 * 60, 30 * 60))
        : TimeSpan.FromMinutes(failures < s_minutes.Length ? s_minutes[failures] : 60);

    /// <summary>First within 2.5 s, then from 5 to 10 s, doubled each time, 40 minutes at most (protocol §7.2).</summary>
    private static TimeSpan Reconnect(int failures)
    {
        if (failures == 0)
            return TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(1, 2500));
        var seconds = Math.Min(40 * 60, RandomNumberGenerator.GetInt32(5000, 10_000) / 1000.0 * Math.Pow(2, Math.Min(failures - 1, 20)));
        return TimeSpan.FromSeconds(seconds);
    }

    private async Task ServeAsync(RelaySession session)
    {
        await Task.Yield();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var serving = RunSessionAsync(session, over.Token);
        await Task.WhenAny(serving, session.Ended).ConfigureAwait(false);
        if (!serving.IsCompleted)
        {
            // channel_closed has been sent; an agent that is cut off never hears it.
            try
            {
                await serving.WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                await over.CancelAsync().ConfigureAwait(false);
            }
        }
        var end = await serving.ConfigureAwait(false);
        lock (_lock)
            _sessions.Remove(session);
        if (!_stop.IsCancellationRequested)
            session.End(end.Kind == SessionEndKind.Failed ? end.Output : "");
    }

    private Task<SessionEnd> RunSessionAsync(RelaySession session, CancellationToken cancellationToken)
    {
        var document = session.Order.Document;
        ValueTask<System.Net.WebSockets.WebSocket> Connect(CancellationToken cancel) => _uplink.ConnectAsync(session, cancel);
        if (document.SessionType == SessionTypes.Port)
        {
            return PortAgent.RunAsync(new AgentSessionOptions
            {
                SessionId = session.Order.Id,
                InstanceId = _instanceId,
                AgentVersion = Version,
                Properties = document.Properties,
                Network = _network,
                IsForbidden = IsReserved,
                MessagesPerSecond = _context.Options.Pace.MessagesPerSecond,
                Connect = Connect,
            }, cancellationToken);
        }
        return ShellAgent.RunAsync(new AgentShellOptions
        {
            SessionId = session.Order.Id,
            InstanceId = _instanceId,
            AgentVersion = Version,
            SessionType = document.SessionType,
            Command = document.Properties.GetValueOrDefault("commands"),
            SeparateOutput = document.SessionType == SessionTypes.NonInteractiveCommand && document.Properties.GetValueOrDefault("separateOutputStream") is "True" or "true",
            Shell = _shell,
            Connect = Connect,
        }, cancellationToken);
    }

    /// <summary>The first four addresses and the last of the VPC (protocol §5.4).</summary>
    private bool IsReserved(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetwork)
            return false;
        var cidr = _context.Model.Read(model => model.Vpcs[model.Instances[_instanceId].VpcId].Cidr);
        if (!cidr.Contains(address))
            return false;
        var offset = Number(address) - Number(cidr.BaseAddress);
        return offset < 4 || offset == (uint)((1UL << (32 - cidr.PrefixLength)) - 1);
    }

    private static uint Number(IPAddress address) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());
}
