using System.Globalization;
using Fumidai.Aws;

namespace Fumidai.Cli;

/// <summary>Whether Fumidai signs in for a client.</summary>
internal enum ProxyUse
{
    /// <summary>The client does it: psql, which can tell the name in the certificate from the address of the socket.</summary>
    No,
    /// <summary>Where the login is known to us.</summary>
    Yes,
    /// <summary>And no password is asked on loopback.</summary>
    Trusting,
}

/// <summary>What <c>connect</c> and <c>exec</c> share: a tunnel, a sign-in, a client in the foreground, its exit code.</summary>
internal static class ClientRun
{
    /// <summary>How long the loss of a tunnel may become known after its client ended of it.</summary>
    private static readonly TimeSpan LossGrace = TimeSpan.FromMilliseconds(250);

    /// <param name="run">The run.</param>
    /// <param name="commandLine">Settings typed.</param>
    /// <param name="name">The target typed.</param>
    /// <param name="mayAsk">Whether a target may be picked on the terminal.</param>
    /// <param name="client">Program and arguments.</param>
    /// <param name="databaseOnly">Whether the target must speak PostgreSQL (connect).</param>
    /// <param name="use">Whether to sign in for the client.</param>
    internal static async Task<int> RunAsync(Run run, CommandLineSettings commandLine, string? name, bool mayAsk, IReadOnlyList<string> client, bool databaseOnly, ProxyUse use)
    {
        var (screen, stop, surroundings) = (run.Screen, run.Stop, run.Surroundings);
        var settings = Settings.Load(commandLine, surroundings.WorkingDirectory, surroundings.Environment);
        if (name is not null)
            TargetCatalog.CheckName(settings, name);
        var program = ClientProgram.Find(client[0], surroundings);
        using var access = AwsAccess.Open(settings.Aws, surroundings.Time);
        var target = await TargetChoice.FindAsync(run, access, settings, name, mayAsk);
        if (databaseOnly && target.Database is { IsPostgres: false } other)
            throw new FumidaiException(Reason.Usage, $"cannot open {target.Name} with psql", $"its engine is {other.Engine}", $"Use fumidai exec {target.Name} -- and its own client");
        var request = new TunnelRequest
        {
            Target = target,
            Settings = settings,
            Access = access,
            Events = screen,
            AskPassphrase = run.Passphrase.AskAsync,
            Admit = new AddressFollowing(run, access).AdmitAsync,
            LoggerFactory = run.Logs,
            Time = surroundings.Time,
            ServesChild = true,
        };
        screen.HoldReady();
        LocalEndpoint? endpoint = null;
        if (DataApiGateway.IsNamed(request))
        {
            screen.Waiting($"Asking {target.Name}");
            var gateway = await ExplainedAsync(run, request, () => DataApiGateway.PrepareAsync(request, surroundings.Environment, use == ProxyUse.Trusting, screen.Waiting, stop.Token));
            (request, endpoint) = (request with { DataApi = gateway }, gateway);
        }
        else if (use != ProxyUse.No && target.IsPostgres)
        {
            screen.Waiting("Fetching the sign-in");
            var proxy = await AuthProxy.PrepareAsync(request, surroundings.Environment, use == ProxyUse.Trusting, stop.Token);
            (request, endpoint) = (request with { AuthProxy = proxy }, proxy);
        }
        int code;
        FumidaiException? lost;
        await using (var tunnel = await ExplainedAsync(run, request, () => Tunnel.OpenAsync(request, stop.Token)))
        {
            var variables = endpoint?.Environment(tunnel.Local);
            if (variables is null)
            {
                screen.Waiting("Fetching the sign-in");
                variables = Variables(await ExplainedAsync(run, request, () => SignIn.PrepareAsync(request, tunnel.Local, surroundings.Environment, stop.Token)));
            }
            screen.Waiting(null);
            screen.Release();
            (code, lost) = await RunClientAsync(run, tunnel, program, client, variables);
        }
        screen.Waiting(null);
        if (stop.ExitCode != 0)
            return stop.ExitCode;
        if (code != 0 && lost is not null)
            throw lost;
        Tell(screen, client[0], code);
        return code;
    }

    /// <summary>What fails gets doctor's word beside its own.</summary>
    internal static async Task<T> ExplainedAsync<T>(Run run, TunnelRequest request, Func<Task<T>> open)
    {
        try
        {
            return await open();
        }
        catch (FumidaiException e)
        {
            // What doctor walks are network paths; the Data API needs none.
            if (!DataApiGateway.IsNamed(request))
                await Verdict.TellAsync(run, request.Access, request.Settings, request.Target, e);
            throw;
        }
    }

    private static async Task<(int Code, FumidaiException? Lost)> RunClientAsync(Run run, Tunnel tunnel, string program, IReadOnlyList<string> client, IReadOnlyDictionary<string, string?> variables)
    {
        var ended = ClientProcess.RunAsync(program, client[0], [.. client.Skip(1)], variables, run.Stop, run.Surroundings.Time);
        if (await Task.WhenAny(ended, tunnel.Ended) == tunnel.Ended && await tunnel.Ended is { } early)
            run.Screen.Report(new TunnelEvent("lost", early.Message, new Dictionary<string, string>(StringComparer.Ordinal) { ["target"] = tunnel.Target.Name }));
        var code = await ended;
        if (code == 0)
            return (0, null);
        try
        {
            return (code, await tunnel.Ended.WaitAsync(LossGrace, run.Surroundings.Time));
        }
        catch (TimeoutException)
        {
            return (code, null);
        }
    }

    /// <summary>The client's variables; a service of the user's own would overrule them all, so it goes.</summary>
    internal static Dictionary<string, string?> Variables(ClientEnvironment signIn)
    {
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal) { ["PGSERVICE"] = null };
        foreach (var (variable, value) in signIn.Variables)
            variables[variable] = value;
        if (signIn.Password is { } password)
            variables["PGPASSWORD"] = password.Reveal();
        return variables;
    }

    // The last word says whose exit code it is.
    private static void Tell(Screen screen, string client, int code)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(client)} ended with exit code {code}, its own");
        if (screen.Mode.Json)
        {
            screen.Report(new TunnelEvent("child_exit", text, new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["program"] = client,
                ["exit_code"] = code.ToString(CultureInfo.InvariantCulture),
            }));
        }
        else if (code != 0)
        {
            screen.LastWord($"fumidai: {text}");
        }
    }
}
