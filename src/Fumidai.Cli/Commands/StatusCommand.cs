using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary><c>fumidai status</c>: the stacks of the region as they are now.</summary>
internal sealed record StatusCommand(string? Name, bool WithoutDrift, CommandLineSettings Settings, OutputMode Output) : ICommand
{
    private static readonly OptionSpec NoDrift = new("--no-drift", null, "do not compare with the template, which can take a minute", OptionGroup.Stack);

    internal static readonly VerbSpec Spec = new()
    {
        Name = "status",
        Summary = "what up has built: resources, drift, bastions, who is connected, cost now",
        Usage = "[--options]",
        Description = """
            Shows each stack that fumidai has built in the region (or the one named): every resource, what
            no longer is as the template says, whether the bastions run and are online, who is connected,
            and what it costs as it runs now. It changes nothing.
            """,
        Options = [StackWord.Name.Option, NoDrift, .. Options.OfAws, Options.Config, .. Options.OfOutput],
        Examples =
        [
            ("fumidai status", "all stacks of the region"),
            ("fumidai status --name reports --no-drift", "one, quickly"),
            ("fumidai status --json | jq '.[].resources'", "for programs"),
        ],
        Create = typed => new StatusCommand(typed.Value(StackWord.Name.Option), typed.Has(NoDrift), typed.Settings, typed.Output),
    };

    public bool EventsOnOutput => true;

    public async Task<int> RunAsync(Run run)
    {
        var settings = Fumidai.Settings.Load(Settings, run.Surroundings.WorkingDirectory, run.Surroundings.Environment);
        using var access = AwsAccess.Open(settings.Aws, run.Surroundings.Time);
        var stack = new StackRun(run, settings, access);
        run.Screen.Waiting($"Looking for stacks in {access.Region}");
        IReadOnlyList<string> names = Name is not null ? [Name] : [.. (await StackStatus.ListAsync(access, run.Stop.Token)).Select(s => s.Id)];
        var reports = new List<StackReport>();
        foreach (var name in names)
            reports.Add(await StackReport.AskAsync(stack, name, !WithoutDrift));
        run.Screen.Waiting(null);
        if (Output.Json)
            run.Screen.Result(StackReportJson.Of(reports));
        else if (reports.Count == 0)
            run.Screen.Note($"fumidai has built nothing in {access.Region}.");
        else
            foreach (var line in reports.SelectMany((r, i) => i == 0 ? r.Lines() : r.Lines().Prepend("")))
                run.Screen.Result(Visible.Indented(line));
        return ExitCodes.Success;
    }
}
