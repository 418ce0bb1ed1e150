using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary><c>fumidai up</c>: builds or changes a stack, after saying what it costs.</summary>
internal sealed record UpCommand(StackChoices Choices, UpOptions How, CommandLineSettings Settings, OutputMode Output) : ICommand
{
    internal static readonly VerbSpec Spec = new()
    {
        Name = "up",
        Summary = "build the whole architecture, or change it; its price comes first",
        Usage = "[--options]",
        Description = """
            Builds network, Aurora PostgreSQL and bastions as one CloudFormation stack, or a way to a
            cluster you have. On a terminal it asks, and ends with a summary: what is created, what it
            costs a month, what cannot be undone. Elsewhere it asks nothing, and builds with --yes only.
            A stack that exists is changed where you say something else; run twice, nothing changes.
            Interrupted, run it again. It ends by naming the cluster in fumidai.yaml.
            """,
        Options = [.. StackWord.All.Select(w => w.Option), UpOptions.From, UpOptions.DryRun, UpOptions.Export, UpOptions.Folder, UpOptions.Overwrite, UpOptions.MyIp, UpOptions.NewestImage,
            .. Options.OfAws, Options.Config, .. Options.OfOutput, UpOptions.Yes],
        Examples =
        [
            ("fumidai up", "asks, shows the summary, builds"),
            ("fumidai up --pattern both --yes", "a private and a public bastion, without questions"),
            ("fumidai up --cluster app --endpoints none --dry-run", "a way to a cluster you have: only the change set and the price"),
            ("fumidai up --my-ip", "your address has changed: admit the new one, shut the old one out"),
            ("fumidai up --export terraform --pattern public", "as files, to review and keep"),
        ],
        Create = Create,
    };

    public bool EventsOnOutput => true;

    public async Task<int> RunAsync(Run run)
    {
        var settings = Fumidai.Settings.LoadToWrite(Settings, run.Surroundings.WorkingDirectory, run.Surroundings.Environment);
        var choices = How.FromFile is { } file ? Choices.Over(StackFile.Read(Path.GetFullPath(file, run.Surroundings.WorkingDirectory))) : Choices;
        choices.Check();
        if (How.ExportAs is not null && StackExport.NeedsNoAws(choices))
            return StackExport.Write(run, How, StackPlan.Compose(choices.Over((StackOptions?)null), StackSite.New));
        using var access = AwsAccess.Open(settings.Aws, run.Surroundings.Time);
        var stack = new StackRun(run, settings, access);
        if (How.OnlyAddress)
            return await new AddressUpdate(stack).RunAsync(choices.Name, How.OnlyShow);
        return await new StackBuilding(stack, choices, How).RunAsync();
    }

    private static UpCommand Create(Typed typed)
    {
        var command = new UpCommand(StackChoices.Of(typed), UpOptions.Of(typed), typed.Settings, typed.Output);
        command.How.Check(command.Choices);
        return command;
    }
}
