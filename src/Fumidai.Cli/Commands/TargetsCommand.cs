using System.Globalization;
using Fumidai.Aws;

namespace Fumidai.Cli;

/// <summary><c>fumidai targets</c>: what can be reached from this account and region.</summary>
internal sealed record TargetsCommand(CommandLineSettings Settings, OutputMode Output) : ICommand
{
    internal static readonly VerbSpec Spec = new()
    {
        Name = "targets",
        Summary = "what can be reached from this account and region",
        Usage = "[--options]",
        Description = """
            Lists the clusters and instances of the region with engine, status and endpoint, and the
            routes that are open from here. A name of the first column is a TARGET for the other verbs.
            """,
        Options = [.. Options.OfAws, Options.Config, .. Options.OfOutput],
        Examples =
        [
            ("fumidai targets", "the region of your profile"),
            ("fumidai targets --profile prod --region eu-west-1", "another account and region"),
            ("fumidai targets --json | jq -r '.[].name'", "names only"),
        ],
        Create = typed => new TargetsCommand(typed.Settings, typed.Output),
    };

    public bool EventsOnOutput => true;

    public async Task<int> RunAsync(Run run)
    {
        var settings = Fumidai.Settings.Load(Settings, run.Surroundings.WorkingDirectory, run.Surroundings.Environment);
        using var access = AwsAccess.Open(settings.Aws, run.Surroundings.Time);
        run.Screen.Waiting($"Asking AWS for the databases of {access.Region}");
        var rows = await TargetCatalog.ListAsync(access, settings, run.Stop.Token);
        run.Screen.Waiting(null);
        if (Output.Json)
            run.Screen.Result(JsonEvents.Targets(rows));
        else if (rows.Count == 0)
            run.Screen.Note($"There is no database in {access.Region}.");
        else
            foreach (var line in Table(rows))
                run.Screen.Result(line);
        return ExitCodes.Success;
    }

    internal static IEnumerable<string> Table(IReadOnlyList<TargetRow> rows)
    {
        string[][] cells = [["NAME", "ENGINE", "STATUS", "ENDPOINT", "ROUTES"], .. rows.Select(Cells)];
        var widths = Enumerable.Range(0, cells[0].Length - 1).Select(column => cells.Max(row => row[column].Length)).ToArray();
        foreach (var row in cells)
            yield return string.Join("  ", row.Select((cell, column) => column < widths.Length ? cell.PadRight(widths[column]) : cell)).TrimEnd();
    }

    private static string[] Cells(TargetRow row)
    {
        var database = row.Database;
        return
        [
            Visible.Line(row.Name),
            Visible.Line(database.EngineVersion is null ? database.Engine : $"{database.Engine} {database.EngineVersion}"),
            Visible.Line(database.Status),
            database.Endpoint is null ? "-" : Visible.Line(string.Create(CultureInfo.InvariantCulture, $"{database.Endpoint}:{database.Port}")),
            Visible.Line(row.Routes.Count > 0 ? string.Join(", ", row.Routes) : row.Note is null ? "none" : $"none: {row.Note}"),
        ];
    }
}
