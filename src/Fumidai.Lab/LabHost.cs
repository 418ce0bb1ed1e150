using System.Globalization;

namespace Fumidai.Lab;

/// <summary>A running lab.</summary>
public sealed class LabHost : IAsyncDisposable
{
    /// <summary>The parts around the API, in the order of their start. Each is made from the context before the port is open.</summary>
    private static readonly IReadOnlyList<Func<LabContext, ILabPart>> s_parts = [static context => new DataPlane(context)];

    private readonly LabContext _context;
    private readonly ApiServer _server;
    private readonly IReadOnlyList<ILabPart> _parts;
    private readonly Stack<IAsyncDisposable> _started;

    private LabHost(LabContext context, ApiServer server, IReadOnlyList<ILabPart> parts, Stack<IAsyncDisposable> started)
    {
        _context = context;
        _server = server;
        _parts = parts;
        _started = started;
    }

    /// <summary>Starts the API, the relay, the virtual agents and the real servers; returns when the seed's agents are Online and PostgreSQL answers.</summary>
    /// <exception cref="LabException">Something is missing on this machine, with what to install.</exception>
    public static Task<LabHost> StartAsync(LabOptions options, CancellationToken cancellationToken) => StartAsync(options, s_parts, cancellationToken);

    /// <summary>Starts a lab of these parts; with none it is the control plane alone.</summary>
    internal static async Task<LabHost> StartAsync(LabOptions options, IReadOnlyList<Func<LabContext, ILabPart>> parts, CancellationToken cancellationToken)
    {
        var started = new Stack<IAsyncDisposable>();
        T Own<T>(T disposable) where T : IDisposable
        {
            started.Push(new Owned(disposable));
            return disposable;
        }

        try
        {
            var directory = Own(LabDirectory.Open(options.Directory));
            var plan = Own(AddressPlan.Claim());
            var authority = Own(LabAuthority.Create(directory.Path));
            var time = new LabClock(options.Time);
            var model = new LabModel { Stands = plan.Stands() };
            var identities = new Identities(model, time);
            var calls = new CallLog(options.OnCall, time);
            var context = new LabContext
            {
                Options = options,
                Model = model,
                Time = time,
                Authority = authority,
                Identities = identities,
                Authentication = new RequestAuthentication(identities, time),
                Permissions = new Permissions(model),
                Calls = calls,
                Transitions = new Transitions(time, calls),
                Directory = directory.Path,
            };
            var databases = model.Change(_ => Plant(options, new Seed(model, plan, time.GetUtcNow())));
            var made = new List<ILabPart>();
            foreach (var make in parts)
            {
                var part = make(context);
                made.Add(part);
                started.Push(part);
                context.Machines = part.Machines ?? context.Machines;
            }
            // Ends before the parts that it works on.
            started.Push(context.Transitions);
            var server = await ApiServer.StartAsync(context, made, cancellationToken).ConfigureAwait(false);
            started.Push(server);
            foreach (var part in made)
                await part.StartAsync(cancellationToken).ConfigureAwait(false);
            foreach (var (cluster, password) in databases)
                await context.Machines.CreateDatabaseAsync(cluster, password, cancellationToken).ConfigureAwait(false);
            foreach (var instance in model.Read(m => m.Instances.Values.Where(i => i.State == "running").Select(i => i.Id).ToArray()))
                await context.Machines.BootInstanceAsync(instance, cancellationToken).ConfigureAwait(false);
            foreach (var part in made)
                await part.ReadyAsync(cancellationToken).ConfigureAwait(false);
            return new LabHost(context, server, made, started);
        }
        catch
        {
            await EndAsync(started).ConfigureAwait(false);
            throw;
        }
    }

    private static IReadOnlyList<(DbCluster Cluster, string Password)> Plant(LabOptions options, Seed seed)
    {
        seed.Identities();
        if (options.Empty)
            return [];
        seed.SecondRegion();
        return [seed.Architecture()];
    }

    /// <summary>The API's port.</summary>
    public int Port => _context.ApiAddress.Port;

    /// <summary>What the parts share, for tests of this project.</summary>
    internal LabContext Context => _context;

    /// <summary>What to export, in order: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_CA_BUNDLE, SSL_CERT_FILE …</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Environment
    {
        get
        {
            var user = _context.Model.Read(m => m.Users.Values.First(u => u.Account == LabAccounts.Main));
            return
            [
                new("AWS_ENDPOINT_URL", _context.ApiAddress.GetLeftPart(UriPartial.Authority)),
                new("AWS_ACCESS_KEY_ID", user.AccessKeyId),
                new("AWS_SECRET_ACCESS_KEY", user.SecretAccessKey),
                new("AWS_REGION", LabRegions.Main),
                new("AWS_DEFAULT_REGION", LabRegions.Main),
                new("AWS_CA_BUNDLE", _context.Authority.CertificateFile),
                new("SSL_CERT_FILE", _context.Authority.CertificateFile),
                new("FUMIDAI_MY_IP_URL", new Uri(_context.ApiAddress, ControlRoutes.OwnAddressPath).ToString()),
            ];
        }
    }

    /// <summary>Lines that tell what is served (for the foreground display).</summary>
    public IReadOnlyList<string> Describe()
    {
        var lines = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"AWS on {_context.ApiAddress.GetLeftPart(UriPartial.Authority)} (https and wss on the same port, CA {_context.Authority.CertificateFile})"),
            $"services: {string.Join(", ", _server.ServiceNames)}",
            $"accounts: {LabAccounts.Main}, {LabAccounts.Other}; regions: {string.Join(", ", LabRegions.All)}",
        };
        lines.AddRange(_context.Model.Read(LabDescription.Of));
        foreach (var part in _parts)
            lines.AddRange(part.Describe());
        return lines;
    }

    /// <summary>Stops everything and removes what it made.</summary>
    public ValueTask DisposeAsync() => EndAsync(_started);

    /// <summary>Last started, first ended; a second call finds nothing left.</summary>
    private static async ValueTask EndAsync(Stack<IAsyncDisposable> started)
    {
        while (started.TryPop(out var part))
            await part.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class Owned(IDisposable disposable) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            disposable.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>The lab cannot run here; the message says what to install or change.</summary>
public sealed class LabException(string message, Exception? inner = null) : Exception(message, inner);
