using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Fumidai.Lab;

/// <summary>
/// One instance with its sshd and the gates around it: one in front of it at the instance's public address, ruled by <see cref="Reachability.FromInternet"/>,
/// and one for each private name, ruled by <see cref="Reachability.FromInstance"/>. Dialling an address of the VPC by number from inside its sshd
/// meets no gate: the machine's kernel has but one loopback.
/// </summary>
internal sealed class Bastion(LabContext context, string instanceId, BastionSshd sshd, RealEndPoints places, InnerAddresses inner) : IAsyncDisposable
{
    private const int SshPort = 22;
    public const string PortTag = "fumidai:ssh-port";
    public const string UserTag = "fumidai:ssh-user";

    private readonly Dictionary<(IPAddress Address, int Port), Gate> _outward = [];
    private readonly Dictionary<IPAddress, IPAddress> _stands = [];
    private Gate? _front;
    private IPAddress? _publicAddress;

    public BastionSshd Sshd => sshd;

    /// <summary>Where the laptop finds it; null: it has no public address.</summary>
    public IPEndPoint? Front => _front?.At;

    /// <summary>Brings gates and names into line with the model.</summary>
    public async Task FollowAsync()
    {
        var model = context.Model;
        if (model.Read(m => m.Instances.GetValueOrDefault(instanceId)) is not { } self)
            return;
        var address = self.PublicAddress;
        var own = model.Stands.Of(self.VpcId, self.PrivateAddress);
        if (!Equals(address, _publicAddress))
            await MoveAsync(address).ConfigureAwait(false);
        _front?.Apply(FrontRule());

        var names = new List<KeyValuePair<string, IPAddress>>();
        foreach (var (name, port) in model.Read(Names))
        {
            if (Reachability.Resolve(model, instanceId, name) is not { } real)
                continue;
            var stand = model.Stands.Of(self.VpcId, real);
            var gate = Outward(real, stand, port, own);
            gate.Apply(OutwardRule(real, stand, port));
            names.Add(new(name, gate.At.Address));
        }
        sshd.SetNames(names);
    }

    public async ValueTask DisposeAsync()
    {
        if (_front is not null)
            await _front.DisposeAsync().ConfigureAwait(false);
        await sshd.DisposeAsync().ConfigureAwait(false);
        foreach (var gate in _outward.Values)
            await gate.DisposeAsync().ConfigureAwait(false);
    }

    private async Task MoveAsync(IPAddress? address)
    {
        if (_front is not null)
            await _front.DisposeAsync().ConfigureAwait(false);
        _front = address is null ? null : Front22(address);
        _publicAddress = address;
        if (_front is not null)
        {
            context.Model.Change(m =>
            {
                if (m.Instances.TryGetValue(instanceId, out var instance))
                {
                    instance.Tags[PortTag] = _front.At.Port.ToString(CultureInfo.InvariantCulture);
                    instance.Tags[UserTag] = BastionSshd.User;
                }
                return 0;
            });
        }
    }

    /// <summary>Port 22 takes root's rights; else any port, told by a tag. The model's rules speak of 22 either way.</summary>
    private Gate Front22(IPAddress address)
    {
        try
        {
            return new Gate(new(address, SshPort), () => sshd.Listening, null) { RuleNow = FrontRule };
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.AccessDenied or SocketError.AddressAlreadyInUse)
        {
            return new Gate(new(address, 0), () => sshd.Listening, null) { RuleNow = FrontRule };
        }
    }

    private GateRule FrontRule()
    {
        if (sshd.Exited.IsCompleted)
            return GateRule.Refused;
        // The rules can only let in whole networks of the groups' own rules: the first address of each speaks for it.
        var sources = context.Model.Read(m => m.Instances.TryGetValue(instanceId, out var instance)
            ? instance.SecurityGroupIds.Where(m.SecurityGroups.ContainsKey).SelectMany(id => m.SecurityGroups[id].Rules).Where(rule => rule.Direction == RuleDirection.Ingress && rule.Cidr is not null).Select(rule => rule.Cidr!).ToHashSet()
            : []);
        sources.Add("127.0.0.1/32");
        var open = new List<IPNetwork>();
        Verdict? laptop = null;
        foreach (var source in sources)
        {
            if (!IPNetwork.TryParse(source, out var network) || network.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
                continue;
            var verdict = Reachability.FromInternet(context.Model, network.BaseAddress, instanceId, SshPort).Verdict;
            if (verdict == Verdict.Open)
                open.Add(network);
            if (source == "127.0.0.1/32")
                laptop = verdict;
        }
        return open.Count == 0 && laptop == Verdict.Refused ? GateRule.Refused : new GateRule(true, open);
    }

    /// <param name="real">The address inside the VPC, which the rules speak of.</param>
    /// <param name="place">The loopback address that stands for it, where the process is.</param>
    /// <param name="port">The port there.</param>
    /// <param name="own">What the process sees as its peer.</param>
    private Gate Outward(IPAddress real, IPAddress place, int port, IPAddress own)
    {
        if (_outward.TryGetValue((place, port), out var gate))
            return gate;
        if (!_stands.TryGetValue(place, out var stand))
            _stands[place] = stand = inner.Next(port);
        return _outward[(place, port)] = new Gate(new(stand, port), () => places.TryFind(place, port, out var process) ? process : null, own)
        {
            RuleNow = () => OutwardRule(real, place, port),
        };
    }

    private GateRule OutwardRule(IPAddress real, IPAddress place, int port)
    {
        var verdict = Reachability.FromInstance(context.Model, instanceId, real, port).Verdict;
        return verdict == Verdict.Open && !(places.TryFind(place, port, out var process) && process is not null) ? GateRule.Refused : GateRule.From(verdict);
    }

    private static List<(string Name, int Port)> Names(LabModel model)
    {
        var names = new List<(string, int)>();
        foreach (var cluster in model.DbClusters.Values)
        {
            names.Add((cluster.Endpoint, cluster.Port));
            names.Add((cluster.ReaderEndpoint, cluster.Port));
            names.AddRange(model.DbInstances.Values.Where(member => member.ClusterId == cluster.Id).Select(member => (member.Endpoint, cluster.Port)));
        }
        return names;
    }
}
