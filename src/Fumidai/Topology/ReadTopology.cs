using System.Collections.Concurrent;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Asks AWS for a topology: each question once, those that depend on nothing side by side.</summary>
public sealed class ReadTopology : IDisposable
{
    /// <summary>Questions under way at the same time; AWS throttles bursts by account and region.</summary>
    private const int Parallel = 6;

    /// <summary>Roles looked at: of likely bastions only, whatever the account holds.</summary>
    private const int MaxRoles = 4;

    /// <summary>Agents whose connection is asked for: of the likeliest bastions only.</summary>
    private const int MaxConnections = 2;

    private readonly AwsAccess _access;
    private readonly CancellationToken _stop;
    private readonly SemaphoreSlim _turns = new(Parallel);
    private readonly ConcurrentDictionary<string, string> _unread = new(StringComparer.Ordinal);

    private ReadTopology(AwsAccess access, CancellationToken stop) => (_access, _stop) = (access, stop);

    /// <summary>Reads everything a diagnosis of this target needs.</summary>
    /// <param name="access">Account and region.</param>
    /// <param name="settings">Settings: the bastion named, the secret named, the address service.</param>
    /// <param name="target">The target, found.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="AwsFailure">Credentials or configuration: then nothing can be asked.</exception>
    public static Task<Topology> AskAsync(AwsAccess access, Settings settings, Target target, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(target);
        return ReadAsync(access, settings, target, cancellationToken);
    }

    /// <summary>Ends it.</summary>
    public void Dispose() => _turns.Dispose();

    private static async Task<Topology> ReadAsync(AwsAccess access, Settings settings, Target target, CancellationToken cancellationToken)
    {
        using var reading = new ReadTopology(access, cancellationToken);
        return await reading.AskAsync(settings, target).ConfigureAwait(false);
    }

    private async Task<Topology> AskAsync(Settings settings, Target target)
    {
        // The one question that needs no permission: whoever is refused here is refused everywhere.
        var caller = await AskCallerIdentity.AskAsync(_access, _stop).ConfigureAwait(false);
        var chosen = TunnelSettings.Of(settings, target);
        var database = target.Database;
        var secretId = chosen.Secret ?? database?.MasterSecretArn;

        var clock = TryAsync(TopologyQuestions.Clock, () => AskClock.OffsetAsync(_access, _stop), null);
        var own = TryAsync(TopologyQuestions.OwnAddress, async () => (System.Net.IPAddress?)await AskOwnAddress.AskAsync(_access, settings.MyIpUrl, _stop).ConfigureAwait(false), null);
        var preferences = TryAsync(TopologyQuestions.Preferences, async () => (SessionPreferences?)await ReadSessionPreferences.AskAsync(_access, _stop).ConfigureAwait(false), null);
        var state = database is null ? Task.FromResult<DatabaseState?>(null)
            : TryAsync(TopologyQuestions.State, async () => (DatabaseState?)await ReadClusterState.OfAsync(_access, database, _stop).ConfigureAwait(false), null);
        var secret = secretId is null ? Task.FromResult<SecretState?>(null)
            : TryAsync(TopologyQuestions.Secret, async () => (SecretState?)await ReadSecretState.OfAsync(_access, secretId, _stop).ConfigureAwait(false), null);
        var instances = TryAsync(TopologyQuestions.Instances, () => ReadInstances.OfAsync(_access, chosen.Bastion is null ? database?.VpcId : null, _stop), []);
        var vpcId = database?.VpcId ?? VpcOf(await instances.ConfigureAwait(false), chosen.Bastion);
        var network = NetworkAsync(vpcId);

        var likely = Candidates(await instances.ConfigureAwait(false), chosen.Bastion).ToList();
        var roles = await RolesAsync(likely).ConfigureAwait(false);
        var connections = ConnectionsAsync(likely);
        var actions = RoleActionsAsync(roles);
        var mine = CallerActionsAsync(caller, likely, secretId, chosen.Auth == "iam" ? database?.ResourceId : null, chosen.User ?? database?.MasterUsername);
        var read = await network.ConfigureAwait(false);
        return read with
        {
            Region = _access.Region,
            Caller = caller,
            Target = target,
            ClockOffset = await clock.ConfigureAwait(false),
            OwnAddress = await own.ConfigureAwait(false),
            Preferences = await preferences.ConfigureAwait(false),
            State = await state.ConfigureAwait(false),
            Secret = await secret.ConfigureAwait(false),
            Instances = await instances.ConfigureAwait(false),
            Connections = await connections.ConfigureAwait(false),
            Roles = roles,
            RoleActions = await actions.ConfigureAwait(false),
            CallerActions = await mine.ConfigureAwait(false),
            Unread = new Dictionary<string, string>(_unread, StringComparer.Ordinal),
        };
    }

    /// <summary>Instances that could be meant as bastions, the likeliest first.</summary>
    internal static IEnumerable<InstanceFacts> Candidates(IEnumerable<InstanceFacts> instances, string? named) => instances
        .Where(i => named is null || IsNamed(i, named))
        .OrderByDescending(i => i.Tags.ContainsKey(BastionChoice.StackTag))
        .ThenByDescending(i => i.Tags.Keys.Any(k => k.StartsWith("fumidai:", StringComparison.Ordinal)) || i.Name?.Contains("bastion", StringComparison.OrdinalIgnoreCase) == true)
        .ThenByDescending(i => i.PingStatus == "Online")
        .ThenByDescending(i => i.ProfileArn is not null)
        .ThenBy(i => i.PublicAddress is not null)
        .ThenBy(i => i.Id, StringComparer.Ordinal);

    internal static bool IsNamed(InstanceFacts instance, string named)
    {
        if (!named.StartsWith("tag:", StringComparison.Ordinal))
            return instance.Id == named;
        var equals = named.IndexOf('=', StringComparison.Ordinal);
        return instance.Tags.GetValueOrDefault(named[4..equals]) == named[(equals + 1)..];
    }

    private static string? VpcOf(IReadOnlyList<InstanceFacts> instances, string? named) => Candidates(instances, named).FirstOrDefault()?.VpcId;

    private async Task<Topology> NetworkAsync(string? vpcId)
    {
        var nothing = new Topology { Region = _access.Region, Target = new Target { Name = "", Address = new HostPort("localhost", 1) } };
        if (vpcId is null)
        {
            foreach (var question in (string[])[TopologyQuestions.Vpc, TopologyQuestions.Subnets, TopologyQuestions.RouteTables, TopologyQuestions.NetworkAcls, TopologyQuestions.Groups, TopologyQuestions.Endpoints, TopologyQuestions.Nats, TopologyQuestions.InternetGateways, TopologyQuestions.ConnectEndpoints])
                _unread[question] = "the VPC is not known";
            return nothing;
        }
        var vpc = TryAsync(TopologyQuestions.Vpc, async () => (VpcFacts?)await ReadVpcFacts.OfAsync(_access, vpcId, _stop).ConfigureAwait(false), null);
        var subnets = TryAsync(TopologyQuestions.Subnets, () => ReadSubnets.OfAsync(_access, vpcId, _stop), []);
        var tables = TryAsync(TopologyQuestions.RouteTables, () => ReadRouteTables.OfAsync(_access, vpcId, _stop), []);
        var acls = TryAsync(TopologyQuestions.NetworkAcls, () => ReadNetworkAcls.OfAsync(_access, vpcId, _stop), []);
        var groups = TryAsync(TopologyQuestions.Groups, () => ReadGroups.OfAsync(_access, vpcId, _stop), []);
        var endpoints = TryAsync(TopologyQuestions.Endpoints, () => ReadVpcEndpoints.OfAsync(_access, vpcId, _stop), []);
        var nats = TryAsync(TopologyQuestions.Nats, () => ReadGateways.NatsAsync(_access, vpcId, _stop), []);
        var gateways = TryAsync(TopologyQuestions.InternetGateways, () => ReadGateways.InternetAsync(_access, vpcId, _stop), []);
        var connect = TryAsync(TopologyQuestions.ConnectEndpoints, () => ReadGateways.ConnectEndpointsAsync(_access, vpcId, _stop), []);
        return nothing with
        {
            Vpc = await vpc.ConfigureAwait(false),
            Subnets = await subnets.ConfigureAwait(false),
            RouteTables = await tables.ConfigureAwait(false),
            NetworkAcls = await acls.ConfigureAwait(false),
            Groups = await groups.ConfigureAwait(false),
            Endpoints = await endpoints.ConfigureAwait(false),
            Nats = await nats.ConfigureAwait(false),
            InternetGateways = await gateways.ConfigureAwait(false),
            ConnectEndpoints = await connect.ConfigureAwait(false),
        };
    }

    private async Task<Dictionary<string, InstanceRole?>> RolesAsync(IReadOnlyList<InstanceFacts> likely)
    {
        var roles = new Dictionary<string, InstanceRole?>(StringComparer.Ordinal);
        foreach (var arn in likely.Select(i => i.ProfileArn).OfType<string>().Distinct(StringComparer.Ordinal).Take(MaxRoles))
        {
            var (isKnown, role) = await TryAsync(TopologyQuestions.Roles, async () => (true, await ReadInstanceRole.OfAsync(_access, arn, _stop).ConfigureAwait(false)), (false, null)).ConfigureAwait(false);
            if (isKnown)
                roles[arn] = role;
        }
        return roles;
    }

    private async Task<IReadOnlyDictionary<string, IReadOnlyDictionary<string, bool>>> RoleActionsAsync(Dictionary<string, InstanceRole?> roles)
    {
        var all = new Dictionary<string, IReadOnlyDictionary<string, bool>>(StringComparer.Ordinal);
        foreach (var arn in roles.Values.Select(r => r?.RoleArn).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            var actions = await TryAsync(TopologyQuestions.RoleActions, () => SimulatePolicy.AskAsync(_access, arn, TopologyQuestions.OfAgent, [], _stop), null!).ConfigureAwait(false);
            if (actions is not null)
                all[arn] = actions;
        }
        return all;
    }

    private async Task<IReadOnlyDictionary<string, bool>> ConnectionsAsync(List<InstanceFacts> likely)
    {
        var all = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var instance in likely.Where(i => i is { State: "running", PingStatus: not null }).Take(MaxConnections))
        {
            if (await TryAsync(TopologyQuestions.Connections, async () => (bool?)await AskConnection.IsOpenAsync(_access, instance.Id, _stop).ConfigureAwait(false), null).ConfigureAwait(false) is { } isOpen)
                all[instance.Id] = isOpen;
        }
        return all;
    }

    private async Task<IReadOnlyDictionary<string, bool>> CallerActionsAsync(CallerIdentity caller, List<InstanceFacts> likely, string? secretId, string? resourceId, string? user)
    {
        if (caller.Arn.EndsWith(":root", StringComparison.Ordinal))
            return new Dictionary<string, bool>();
        var none = new Dictionary<string, bool>();
        Task<IReadOnlyDictionary<string, bool>> Ask(string[] actions, params string[] on) =>
            TryAsync<IReadOnlyDictionary<string, bool>>(TopologyQuestions.CallerActions, () => SimulatePolicy.AskAsync(_access, caller.Arn, actions, on, _stop), none);
        var all = new List<Task<IReadOnlyDictionary<string, bool>>>();
        if (likely.FirstOrDefault() is { } bastion)
        {
            var instance = $"arn:aws:ec2:{_access.Region}:{caller.Account}:instance/{bastion.Id}";
            all.Add(Ask(["ssm:StartSession"], instance, $"arn:aws:ssm:{_access.Region}::document/AWS-StartPortForwardingSessionToRemoteHost"));
            all.Add(Ask(["ssmmessages:OpenDataChannel"], $"arn:aws:ssm:{_access.Region}:{caller.Account}:session/{caller.Arn.Split('/')[^1]}-0"));
            all.Add(Ask(["ec2-instance-connect:SendSSHPublicKey"], likely.Find(i => i.PublicAddress is not null) is { } open ? $"arn:aws:ec2:{_access.Region}:{caller.Account}:instance/{open.Id}" : instance));
        }
        if (secretId?.StartsWith("arn:", StringComparison.Ordinal) == true)
            all.Add(Ask(["secretsmanager:GetSecretValue"], secretId));
        if (resourceId is not null)
            all.Add(Ask(["rds-db:connect"], $"arn:aws:rds-db:{_access.Region}:{caller.Account}:dbuser:{resourceId}/{user ?? "*"}"));
        var merged = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var (action, isAllowed) in (await Task.WhenAll(all).ConfigureAwait(false)).SelectMany(a => a))
            merged[action] = isAllowed;
        return merged;
    }

    private async Task<T> TryAsync<T>(string question, Func<Task<T>> ask, T otherwise)
    {
        await _turns.WaitAsync(_stop).ConfigureAwait(false);
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (AwsFailure f) when (f.Kind is not (AwsFailureKind.Credentials or AwsFailureKind.Configuration))
        {
            _unread[question] = f.Code is { } code && !f.Message.Contains(code, StringComparison.Ordinal) ? $"{code}: {f.Message}" : f.Message;
            return otherwise;
        }
        finally
        {
            _turns.Release();
        }
    }
}
