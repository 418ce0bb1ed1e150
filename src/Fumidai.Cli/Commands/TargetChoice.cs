using Fumidai.Aws;
using Spectre.Console;

namespace Fumidai.Cli;

/// <summary>The target that is meant: the one named, the only one there is, or on a terminal the one picked.</summary>
internal static class TargetChoice
{
    internal static async Task<Target> FindAsync(Run run, AwsAccess access, Settings settings, string? name, bool mayAsk)
    {
        run.Screen.Waiting(name is null ? $"Asking AWS for the databases of {access.Region}" : $"Looking for {name} in {access.Region}");
        if (name is null && mayAsk && run.Surroundings is { IsInputTerminal: true, ShowsProgress: true })
            name = await PickAsync(run, access, settings);
        return await TargetCatalog.FindAsync(access, settings, name, run.Stop.Token);
    }

    private static async Task<string?> PickAsync(Run run, AwsAccess access, Settings settings)
    {
        var names = settings.Targets.Count > 0
            ? settings.Targets.Values.Select(t => (t.Name, Shown: $"{t.Name}  ({t.Target})")).ToList()
            : [.. (await FindTargets.ListAsync(access, run.Stop.Token)).Select(Named)];
        run.Screen.Waiting(null);
        if (names.Count < 2)
            return null;
        // Words for people go to stderr: stdout is the client's.
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(run.Surroundings.Error),
            ColorSystem = run.Surroundings.UsesColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
        });
        var prompt = new SelectionPrompt<string>()
            .Title("Which target?")
            .PageSize(15)
            .UseConverter(n => Markup.Escape(Visible.Line(names.Find(t => t.Name == n).Shown)))
            .AddChoices(names.Select(t => t.Name));
        try
        {
            return await prompt.ShowAsync(console, run.Stop.Token);
        }
        finally
        {
            // A prompt that is broken off leaves the cursor hidden.
            console.Cursor.Show();
        }
    }

    private static (string Name, string Shown) Named(Database database)
    {
        var name = $"{(database.Kind == DatabaseKind.Cluster ? "cluster" : "instance")}/{database.Id}";
        return (name, $"{name}  ({database.Engine}, {database.Status})");
    }
}
