using System.Net;
using Fumidai.Aws;

namespace Fumidai.Cli;

/// <summary><c>fumidai tunnel TARGET...</c>: tunnels in the foreground until Ctrl-C.</summary>
internal sealed record TunnelCommand(
    IReadOnlyList<string> Targets, CommandLineSettings Settings, OutputMode Output, ProxyUse Proxy, TimeSpan Drain, IPEndPoint? Health) : ICommand
{
    internal static readonly VerbSpec Spec = new()
    {
        Name = "tunnel",
        Summary = "tunnels in the foreground until Ctrl-C; one ready line each on stdout",
        Usage = "TARGET... [--options]",
        Description = """
            Opens one tunnel for each TARGET and prints a line when it is ready, that is, when the far
            end has answered. Ctrl-C ends them (exit code 130). If one cannot be opened, none stays;
            if one is lost for good later, the others go on, and the exit code is 7. With --auth-proxy
            any PostgreSQL client signs in at the local port, without TLS, with the run's own password
            or through a Unix socket; TLS to the database, secret or IAM token are Fumidai's business.
            SIGTERM takes no new connections and lets those that are open finish (exit code 143); a
            second signal ends at once. As a systemd service: docs/service.md.
            """,
        Targets = TargetCount.Several,
        Options = Options.OfTunnel,
        Examples =
        [
            ("fumidai tunnel cluster/app --port 15432", "one tunnel, on a port of your choice"),
            ("fumidai tunnel app reports host/10.0.1.7:6379", "three tunnels, each on a free port"),
            ("fumidai tunnel app --auth-proxy --port 15432", "for clients that know neither IAM nor hostaddr: JDBC, GUIs"),
            ("fumidai tunnel app --json", "one JSON object per event, for programs"),
            ("fumidai tunnel app --port 15432 --health-port 9090", "a service with health checks and Prometheus metrics"),
        ],
        Create = Create,
    };

    public bool EventsOnOutput => true;

    public async Task<int> RunAsync(Run run)
    {
        var stop = run.Stop;
        var settings = Fumidai.Settings.Load(Settings, run.Surroundings.WorkingDirectory, run.Surroundings.Environment);
        foreach (var name in Targets)
            TargetCatalog.CheckName(settings, name);
        await using var service = TunnelService.Start(run, Drain, Health);
        using var access = AwsAccess.Open(settings.Aws, run.Surroundings.Time);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        // A socket's folder outlives a SIGKILL; only other processes can see to that.
        var watch = new Lazy<DeathWatch>(() => new DeathWatch());
        var following = new AddressFollowing(run, access);
        var opening = Targets.Select(name => OpenAsync(run, access, settings, name, following.AdmitAsync, watch, giveUp)).ToArray();
        try
        {
            await Task.WhenAll(opening);
            Tunnel[] tunnels = [.. opening.Select(o => o.Result)];
            service.Ready(tunnels);
            var code = await WatchAsync(run, tunnels);
            if (stop.ExitCode == ExitCodes.Terminated)
                await service.DrainAsync(tunnels);
            return code;
        }
        catch (Exception) when (opening.FirstOrDefault(o => o.IsFaulted) is { } broken)
        {
            // The first that broke, not those that were given up because of it.
            throw broken.Exception!.InnerExceptions[0];
        }
        finally
        {
            await Task.WhenAll(opening.Where(o => o.IsCompletedSuccessfully).Select(o => o.Result.DisposeAsync().AsTask()));
            if (watch.IsValueCreated)
                watch.Value.Dispose();
        }
    }

    private static TunnelCommand Create(Typed typed)
    {
        if (typed.Targets.Count > 1 && typed.Number(Options.Port) is > 0)
            throw new FumidaiException(Reason.Usage, "--port is for one target", $"{typed.Targets.Count} were named", "Give each its port in fumidai.yaml, or leave --port out");
        var twice = typed.Targets.GroupBy(t => t, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1);
        if (typed.Has(Options.HealthAddress) && !typed.Has(Options.HealthPort))
            throw new FumidaiException(Reason.Usage, "--health-address needs --health-port", next: "Name the port too: --health-port 9090");
        var health = typed.Number(Options.HealthPort) is { } port
            ? new IPEndPoint(IPAddress.Parse(typed.Value(Options.HealthAddress) ?? "127.0.0.1"), port)
            : null;
        OptionSpec[] ofProxy = [Options.Auth, Options.SecretId, Options.User, Options.DatabaseName, Options.CaFile, Options.TrustLoopback, Options.AllowMd5];
        var signsIn = typed.Has(Options.AuthProxy) || typed.Settings.Via == "data-api";
        if (!signsIn && Array.Find(ofProxy, typed.Has) is { } lonely)
            throw new FumidaiException(Reason.Usage, $"{lonely.Name} is for a tunnel that signs in", next: "Add --auth-proxy");
        var proxy = !signsIn ? ProxyUse.No : typed.Has(Options.TrustLoopback) ? ProxyUse.Trusting : ProxyUse.Yes;
        return twice is null
            ? new TunnelCommand(typed.Targets, typed.Settings, typed.Output, proxy, Duration.Read(typed.Value(Options.Drain) ?? "30s")!.Value, health)
            : throw new FumidaiException(Reason.Usage, $"{Visible.Quote(twice.Key)} was named twice", next: "Name each target once: a tunnel serves any number of connections");
    }

    private async Task<Tunnel> OpenAsync(
        Run run, AwsAccess access, Settings settings, string name, Func<BastionInstance, System.Net.IPAddress, CancellationToken, ValueTask<bool>> admit, Lazy<DeathWatch> watch, CancellationTokenSource giveUp)
    {
        try
        {
            var request = new TunnelRequest
            {
                Target = await TargetCatalog.FindAsync(access, settings, name, giveUp.Token),
                Settings = settings,
                Access = access,
                Events = run.Screen,
                AskPassphrase = run.Passphrase.AskAsync,
                Admit = admit,
                LoggerFactory = run.Logs,
                Time = run.Surroundings.Time,
            };
            if (DataApiGateway.IsNamed(request))
                request = request with { DataApi = await DataApiGateway.PrepareAsync(request, run.Surroundings.Environment, Proxy == ProxyUse.Trusting, run.Screen.Waiting, giveUp.Token) };
            else if (Proxy != ProxyUse.No)
                request = request with { AuthProxy = await PrepareProxyAsync(run, request, giveUp.Token) };
            var tunnel = await ClientRun.ExplainedAsync(run, request, () => Tunnel.OpenAsync(request, giveUp.Token));
            if ((request.AuthProxy ?? (LocalEndpoint?)request.DataApi)?.SocketFolder is { } folder)
                watch.Value.RemoveFolder(folder);
            return tunnel;
        }
        catch when (!giveUp.IsCancellationRequested)
        {
            await giveUp.CancelAsync();
            throw;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new OperationCanceledException("given up", e, giveUp.Token);
        }
    }

    private async Task<AuthProxy> PrepareProxyAsync(Run run, TunnelRequest request, CancellationToken cancellationToken)
    {
        if (!request.Target.IsPostgres)
            throw new FumidaiException(Reason.Usage, $"cannot sign in to {request.Target.Name} for its clients", "--auth-proxy speaks PostgreSQL only", "Leave --auth-proxy out");
        return await AuthProxy.PrepareAsync(request, run.Surroundings.Environment, Proxy == ProxyUse.Trusting, cancellationToken)
            ?? throw new FumidaiException(Reason.SignIn, $"cannot sign in to {request.Target.Name} for its clients", "no login is known here", "Name a secret with --secret, use --auth iam, or write the login into ~/.pgpass");
    }

    private static async Task<int> WatchAsync(Run run, IReadOnlyList<Tunnel> tunnels)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = run.Stop.Token.UnsafeRegister(_ => stopped.TrySetResult(), null);
        var running = tunnels.Select(t => t.Ended).ToList();
        var code = 0;
        while (running.Count > 0)
        {
            var first = await Task.WhenAny([stopped.Task, .. running]);
            if (first == stopped.Task)
                break;
            var ended = (Task<FumidaiException?>)first;
            running.Remove(ended);
            if (await ended is not { } lost)
                continue;
            run.Screen.Fail(Failure.Of(lost));
            code = ExitCodes.Of(lost);
        }
        return code != 0 ? code : run.Stop.ExitCode;
    }
}
