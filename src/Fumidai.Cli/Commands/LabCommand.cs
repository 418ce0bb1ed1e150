using System.Globalization;
using Fumidai.Lab;

namespace Fumidai.Cli;

/// <summary><c>fumidai lab</c>: the embedded AWS, in the foreground, around a command, or its variables printed.</summary>
internal sealed record LabCommand(OutputMode Output, bool PrintEnv, int? Port, string? Directory, bool AcceptUnsignedChannel, bool Empty, ServiceModel Service, AgentPace Agent, IReadOnlyList<string>? Client) : ICommand
{
    internal static readonly VerbSpec Spec = new()
    {
        Name = "lab",
        Summary = "the embedded AWS, to try everything on (--print-env: what to export)",
        Usage = "[--options] [-- COMMAND [ARGUMENTS]]",
        Description = """
            Runs an AWS on loopback with a VPC, bastions and a real PostgreSQL behind its endpoints.
            Alone it stays in the foreground, prints what to export and each call it answers, until
            Ctrl-C (exit code 130). With a COMMAND it runs that inside the lab, the variables set, and
            ends with its exit code. --print-env starts nothing: it prints the variables of the lab
            that runs already (the youngest; --port chooses), exit code 5 when none does.
            """,
        Tail = Tail.Command,
        TailMeaning = "a command to run in the lab",
        Options = [Options.PrintEnv, Options.LabPort, Options.Directory, Options.AcceptUnsignedChannel, Options.Empty, Options.Service, Options.Agent, .. Options.OfOutput],
        Examples =
        [
            ("fumidai lab", "in one terminal, and in another:"),
            ("eval \"$(fumidai lab --print-env)\"; fumidai connect cluster/app", "psql on the lab's database"),
            ("fumidai lab -- sh", "a shell in a lab of its own"),
        ],
        Create = Create,
    };

    // Variables that would lead away from the lab.
    private static readonly string[] Misleading = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"];

    public bool EventsOnOutput => Client is null;

    public Task<int> RunAsync(Run run) => PrintEnv ? Task.FromResult(Print(run)) : ServeAsync(run);

    private static LabCommand Create(Typed typed)
    {
        var command = new LabCommand(
            typed.Output, typed.Has(Options.PrintEnv), typed.Number(Options.LabPort), typed.Value(Options.Directory),
            typed.Has(Options.AcceptUnsignedChannel), typed.Has(Options.Empty),
            typed.Value(Options.Service) is { } service ? ServiceModel.Parse(service)! : ServiceModel.Open,
            typed.Value(Options.Agent) is { } agent ? AgentPace.Parse(agent)! : AgentPace.Open, typed.Tail);
        if (command is { PrintEnv: true, Client: not null })
            throw new FumidaiException(Reason.Usage, "--print-env does not go with a command", next: "A command after -- gets the variables anyway");
        if (command.PrintEnv && (command.Directory is not null || command.AcceptUnsignedChannel || command.Empty))
            throw new FumidaiException(Reason.Usage, "--print-env starts no lab, so only --port goes with it", next: "Give the other options to the fumidai lab that is to start");
        return command;
    }

    private int Print(Run run)
    {
        var labs = new RunningLabs(run.Surroundings.Environment).Find();
        var lab = labs.FirstOrDefault(l => Port is null or 0 || l.Port == Port) ?? throw new FumidaiException(
            Reason.NotFound,
            Port is > 0 ? string.Create(CultureInfo.InvariantCulture, $"no lab runs on port {Port}") : "no lab runs",
            next: labs.Count == 0 ? "Start one in another terminal: fumidai lab" : $"There is one on port {string.Join(", ", labs.Select(l => l.Port))}");
        if (labs.Count > 1 && Port is (null or 0))
            run.Screen.Note(string.Create(CultureInfo.InvariantCulture, $"{labs.Count} labs run; these are the variables of the youngest, on port {lab.Port}. --port chooses."));
        if (Output.Json)
            run.Screen.Result(JsonEvents.Variables(lab.Variables));
        else
            foreach (var (name, value) in lab.Variables)
                run.Screen.Result(Exports.Line(name, value));
        return ExitCodes.Success;
    }

    private async Task<int> ServeAsync(Run run)
    {
        var (screen, stop, surroundings) = (run.Screen, run.Stop, run.Surroundings);
        var program = Client is null ? null : ClientProgram.Find(Client[0], surroundings);
        screen.Waiting("Starting the lab");
        var options = new LabOptions
        {
            Port = Port ?? 0,
            Directory = Directory is null ? null : Path.GetFullPath(Directory, surroundings.WorkingDirectory),
            AcceptUnsignedChannel = AcceptUnsignedChannel,
            Empty = Empty,
            Service = Service,
            Pace = Agent,
            OnCall = Calls(screen),
            Time = surroundings.Time,
        };
        await using var lab = await LabHost.StartAsync(options, stop.Token);
        screen.Waiting(null);
        if (program is not null)
        {
            if (!Output.Json)
                Describe(screen, lab);
            return await RunClientAsync(run, lab, program);
        }

        using var watch = new DeathWatch();
        using var word = new RunningLabs(surroundings.Environment).Announce(
            new RunningLab(Environment.ProcessId, lab.Port, surroundings.Time.GetUtcNow(), lab.Environment), watch);
        Show(screen, lab);
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (stop.Token.UnsafeRegister(_ => stopped.TrySetResult(), null))
            await stopped.Task;
        screen.Waiting("Ending the lab");
        return stop.ExitCode;
    }

    private Action<string>? Calls(Screen screen)
    {
        if (Output.Json)
            return Client is null ? line => screen.Report(new TunnelEvent("call", Visible.Line(line), new Dictionary<string, string>())) : null;
        // Around a command the terminal is the command's.
        return Output.Quiet || (Client is not null && !Output.Verbose) ? null : screen.Note;
    }

    private static void Show(Screen screen, LabHost lab)
    {
        if (screen.Mode.Json)
        {
            var port = lab.Port.ToString(CultureInfo.InvariantCulture);
            screen.Report(new TunnelEvent("lab_ready", $"The lab serves on 127.0.0.1:{port}", new Dictionary<string, string>(StringComparer.Ordinal) { ["port"] = port }));
            return;
        }
        Describe(screen, lab);
        foreach (var (name, value) in lab.Environment)
            screen.Result(Exports.Line(name, value));
        screen.Note("Ready. Ctrl-C ends it. In another terminal: eval \"$(fumidai lab --print-env)\"");
    }

    private static void Describe(Screen screen, LabHost lab)
    {
        foreach (var line in lab.Describe())
            screen.Note(line);
    }

    private async Task<int> RunClientAsync(Run run, LabHost lab, string program)
    {
        var variables = Misleading.ToDictionary(name => name, _ => (string?)null, StringComparer.Ordinal);
        foreach (var (name, value) in lab.Environment)
            variables[name] = value;
        var code = await ClientProcess.RunAsync(program, Client![0], [.. Client.Skip(1)], variables, run.Stop, run.Surroundings.Time);
        return run.Stop.ExitCode != 0 ? run.Stop.ExitCode : code;
    }
}
