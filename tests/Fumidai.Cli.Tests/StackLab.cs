using System.Globalization;
using System.Text.Json.Nodes;
using Fumidai.Lab;

namespace Fumidai.Cli.Tests;

/// <summary>
/// An account of the lab without machines behind it, in this process: what waits there and here is over at once, so that a stack is up in the time
/// its calls take. The caller is a user of its own, who may do everything until <see cref="Allow"/> says what.
/// </summary>
internal sealed class StackLab : IAsyncDisposable
{
    private readonly LabHost _host;
    private readonly List<string> _calls;
    private readonly string _folder = Directory.CreateTempSubdirectory("fumidai-stacks-").FullName;

    private StackLab(LabHost host, List<string> calls) => (_host, _calls) = (host, calls);

    public static async Task<StackLab> StartAsync(bool isEmpty = true, Func<LabContext, IReadOnlyList<ManagedInstance>>? agents = null)
    {
        var calls = new List<string>();
        StackLab? lab = null;
        var host = await LabHost.StartAsync(new LabOptions { Empty = isEmpty, Time = new HurriedTime(), OnCall = line => lab?.Called(line) }, [context => new PaperMachines(context, agents)], CancellationToken.None);
        lab = new StackLab(host, calls);
        host.Context.Model.Change(m => m.Users[LabModel.Key(LabAccounts.Main, "builder")] = new User
        {
            Id = Ids.Iam("AIDA"),
            Account = LabAccounts.Main,
            Region = "",
            Name = "builder",
            // The keys of this process (TestMachine).
            AccessKeyId = "AKIDTEST",
            SecretAccessKey = "opens-nothing",
        });
        return lab;
    }

    /// <summary>Told of every call answered, on the thread that answers.</summary>
    public Action<string>? OnCall { get; set; }

    public string Folder => _folder;

    public string Url => _host.Context.ApiAddress.GetLeftPart(UriPartial.Authority);

    public T Read<T>(Func<LabModel, T> read) => _host.Context.Model.Read(read);

    public void Change(Action<LabModel> change) => _host.Context.Model.Change(m =>
    {
        change(m);
        return 0;
    });

    private User Builder => Read(m => m.Users[LabModel.Key(LabAccounts.Main, "builder")]);

    /// <summary>From now on the caller may do this and nothing else; null: everything.</summary>
    public void Allow(string? policy) => Change(_ =>
    {
        Builder.InlinePolicies.Clear();
        if (policy is not null)
            Builder.InlinePolicies["only"] = policy;
    });

    /// <summary>Everything but these actions.</summary>
    public void Deny(params string[] actions) => Allow(new JsonObject
    {
        ["Version"] = "2012-10-17",
        ["Statement"] = new JsonArray(
            new JsonObject { ["Effect"] = "Allow", ["Action"] = "*", ["Resource"] = "*" },
            new JsonObject { ["Effect"] = "Deny", ["Action"] = new JsonArray([.. actions.Select(a => (JsonNode)a)]), ["Resource"] = "*" }),
    }.ToJsonString());

    public Task<InProcess> RunAsync(params string[] words) => RunAsync(null, words);

    public Task<InProcess> RunAsync(IQuestions? questions, params string[] words) => InProcess.RunAsync(
        words, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["AWS_ENDPOINT_URL"] = Url,
            ["FUMIDAI_MY_IP_URL"] = Url + "/my-ip",
        }, _folder, new HurriedTime(mayHurryClock: false), questions);

    /// <summary>A profile with temporary keys of the caller, and what lets their time run out.</summary>
    public string Profile(out Action expire)
    {
        var life = TimeSpan.FromMinutes(1);
        var keys = _host.Context.Identities.Issue(Identities.CallerOf(Builder), life).Keys;
        // Less than the clock skew that signatures may have: nothing but the keys' end is felt.
        expire = () => _host.Context.Time.Advance(life);
        var name = "until-" + keys.AccessKeyId;
        lock (s_profiles)
        {
            // The process's own variables name the file, so it is one for all tests.
            Environment.SetEnvironmentVariable("AWS_CONFIG_FILE", s_profiles);
            File.AppendAllText(s_profiles, $"[profile {name}]\naws_access_key_id = {keys.AccessKeyId}\naws_secret_access_key = {keys.SecretAccessKey}\naws_session_token = {keys.SessionToken}\n");
        }
        return name;
    }

    private static readonly string s_profiles = ProfilesFile();

    private static string ProfilesFile()
    {
        var folder = Directory.CreateTempSubdirectory("fumidai-profiles-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Delete(recursive: true);
        return Path.Combine(folder.FullName, "config");
    }

    /// <summary>The same in the lab's region, at the lab's address.</summary>
    public Task<InProcess> HereAsync(params string[] words) => RunAsync([.. words, "--region", LabRegions.Main, "--endpoint-url", Url]);

    /// <summary>Everything the account has but users, roles of AWS's own and snapshots, one a line.</summary>
    public string Inventory() => Read(m => string.Join('\n', new IEnumerable<string>[]
    {
        m.Stacks.Values.Where(s => s.Status != "DELETE_COMPLETE").Select(s => $"{s.Name} {s.Status}"),
        m.Vpcs.Keys, m.Subnets.Keys, m.InternetGateways.Keys, m.RouteTables.Keys, m.Endpoints.Keys,
        m.SecurityGroups.Values.Select(g => string.Create(CultureInfo.InvariantCulture, $"{g.Id} {string.Join(",", g.Rules.Select(r => $"{r.Direction} {r.Protocol} {r.FromPort} {r.Cidr}{r.GroupId}"))}")),
        m.NatGateways.Values.Where(n => n.State != "deleted").Select(n => n.Id), m.ElasticAddresses.Keys,
        m.Instances.Values.Where(i => i.State != "terminated").Select(i => i.Id),
        m.Roles.Values.Where(r => r.Path == "/" && r.Name != "operator").Select(r => r.Name), m.InstanceProfiles.Keys,
        m.DbClusters.Values.Select(c => $"{c.Id} {c.MinCapacity} {c.MaxCapacity}"), m.DbInstances.Keys, m.DbSubnetGroups.Keys,
    }.SelectMany(part => part)));

    private void Called(string line)
    {
        lock (_calls)
            _calls.Add(line);
        OnCall?.Invoke(line);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Session Manager's answers for instances that nobody runs.</summary>
    private sealed class PaperMachines : ILabPart
    {
        private readonly SessionTable _sessions;
        private readonly ControlChannels _controls;

        public PaperMachines(LabContext context, Func<LabContext, IReadOnlyList<ManagedInstance>>? agents)
        {
            var options = new RelayOptions();
            _sessions = new SessionTable(context, options);
            _controls = new ControlChannels(_sessions, context.Time);
            var instances = new InstanceInformation(context, _controls, () => agents?.Invoke(context) ?? []);
            Services = [new SsmService(context, new SessionOperations(context, _sessions, _controls, instances, new StartThrottle(options.Service, context.Time)), instances)];
        }

        public IReadOnlyList<IAwsService> Services { get; }

        public IReadOnlyList<ILabRoutes> Routes => [];

        public ILabMachines? Machines => null;

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task ReadyAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public IReadOnlyList<string> Describe() => [];

        public ValueTask DisposeAsync()
        {
            _sessions.Dispose();
            _controls.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>
/// The system's calendar, but waits take a hundredth. With the stopwatch hurried too, whoever compares the two finds them agreed; without, limits stay
/// what they are. A limit is a timer of a <see cref="CancellationTokenSource"/>, and is never hurried.
/// </summary>
internal sealed class HurriedTime(bool mayHurryClock = true) : TimeProvider
{
    private const int Times = 100;

    public override long GetTimestamp() => System.GetTimestamp() * (mayHurryClock ? Times : 1);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        state is CancellationTokenSource ? System.CreateTimer(callback, state, dueTime, period) : new Hurried(System.CreateTimer(callback, state, Shorter(dueTime), Shorter(period)));

    private static TimeSpan Shorter(TimeSpan time) => time > TimeSpan.Zero ? time / Times : time;

    private sealed class Hurried(ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(Shorter(dueTime), Shorter(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
