using Fumidai.Aws;

namespace Fumidai.Cli;

/// <summary><c>fumidai doctor [TARGET]</c>: every hop checked, the broken one named, the fix shown.</summary>
internal sealed record DoctorCommand(string? Target, CommandLineSettings Settings, OutputMode Output, bool Fix, bool Yes, bool WithoutProof) : ICommand
{
    private static readonly OptionSpec FixOption = new("--fix", null, "carry out the fixes that touch only what fumidai up built, after asking, and look again", OptionGroup.Output);
    private static readonly OptionSpec NoProof = new("--no-proof", null, "read only: open no session, sign in nowhere (and wake no paused database)", OptionGroup.Output);
    private static readonly OptionSpec YesOption = new("--yes", null, "with --fix: agree beforehand, for scripts", OptionGroup.Output);

    internal static readonly VerbSpec Spec = new()
    {
        Name = "doctor",
        Summary = "every hop to the SQL prompt checked, the broken one named, the fix shown",
        Usage = "[TARGET] [--options]",
        Description = """
            Reads what AWS shows of the path (bastion, role, endpoints, groups, ACLs, routes, database,
            secret), walks every route that could serve, and proves what looks sound by doing it: a real
            session, TLS to the real name, a sign-in. What is broken is named with evidence and a
            command to paste. Exit code 0 when a path works, else that of the first broken hop.
            """,
        Targets = TargetCount.Optional,
        Options = [Options.Via, Options.Bastion, Options.Identity, Options.Port, Options.Auth, Options.SecretId, Options.User, Options.DatabaseName, Options.CaFile, FixOption, NoProof, .. Options.OfAws, Options.Config, .. Options.OfOutput, YesOption],
        Examples =
        [
            ("fumidai doctor cluster/app", "why can it not be reached, or how well can it"),
            ("fumidai doctor app --via ssm --fix", "one route; repair what is ours"),
            ("fumidai doctor app --json | jq '.routes[].findings'", "for programs"),
        ],
        Create = typed => new DoctorCommand(typed.Targets is [var target] ? target : null, typed.Settings, typed.Output, typed.Has(FixOption), typed.Has(YesOption), typed.Has(NoProof)),
    };

    public bool EventsOnOutput => true;

    public async Task<int> RunAsync(Run run)
    {
        var settings = Fumidai.Settings.Load(Settings, run.Surroundings.WorkingDirectory, run.Surroundings.Environment);
        if (Target is not null)
            TargetCatalog.CheckName(settings, Target);
        var examination = new Examination(run, Settings, Target);
        var report = await examination.AskAsync(settings, !WithoutProof);
        // What is mended may show what stood behind it: an agent that sleeps behind a door that was shut.
        var offered = new HashSet<string>(StringComparer.Ordinal);
        while (Fix && await RepairAsync(run, settings, report, offered))
            report = await examination.AskAsync(settings, !WithoutProof);
        if (Output.Json)
            run.Screen.Result(report.Json());
        else
            foreach (var line in report.Lines(run.Surroundings.UsesColor))
                run.Screen.Result(line);
        return report.ExitCode;
    }

    private async Task<bool> RepairAsync(Run run, Settings settings, DoctorReport report, HashSet<string> offered)
    {
        var ours = report.Findings.Where(f => f.Fix is { Change: not null, Stack: not null } && offered.Add(f.Fix.Command)).ToList();
        if (ours.Count == 0)
        {
            if (offered.Count > 0)
                return false;
            run.Screen.Note(report.Findings.Count > 0 ? "Nothing of this touches only what fumidai up built: the commands are yours to run." : "There is nothing to repair.");
            return false;
        }
        using var access = AwsAccess.Open(settings.Aws, run.Surroundings.Time);
        var isDone = false;
        foreach (var finding in ours)
        {
            run.Screen.LastWord($"{finding.What}. {finding.Fix.Command} (stack {finding.Fix.Stack})");
            if (!Yes)
            {
                var questions = run.Surroundings.Questions ?? throw new FumidaiException(Reason.Usage, "nobody can be asked whether to repair this", "input or stderr is no terminal", "Say --yes to agree beforehand");
                if (await questions.ChooseAsync("Do it?", ["no", "yes"], run.Stop.Token) != 1)
                    continue;
            }
            await CarryOut.RunAsync(access, finding.Fix.Change!, run.Stop.Token);
            isDone = true;
        }
        return isDone;
    }
}
