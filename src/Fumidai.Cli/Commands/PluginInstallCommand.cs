namespace Fumidai.Cli;

/// <summary><c>fumidai plugin install</c>: stand in for session-manager-plugin.</summary>
internal sealed record PluginInstallCommand(OutputMode Output, string? Folder, bool Force) : ICommand
{
    internal static readonly VerbSpec Spec = new()
    {
        Name = "plugin install",
        Summary = "stand in for session-manager-plugin, for the AWS CLI",
        Usage = "[--dir DIR] [--force]",
        Description = """
            Makes a link called session-manager-plugin to this program. Called by that name, it does for
            aws ssm start-session and aws ecs execute-command what Amazon's plugin does: port, shell and
            SSH sessions. Removing the link undoes it.
            """,
        Options = [Options.Dir, Options.Force, .. Options.OfOutput],
        Examples =
        [
            ("fumidai plugin install", "into the first folder of your own on PATH, such as ~/.local/bin"),
            ("sudo fumidai plugin install --dir /usr/local/bin", "for everybody on this machine"),
        ],
        Create = typed => new PluginInstallCommand(typed.Output, typed.Value(Options.Dir), typed.Has(Options.Force)),
    };

    public bool EventsOnOutput => true;

    public Task<int> RunAsync(Run run)
    {
        var environment = run.Surroundings.Environment;
        var program = Environment.ProcessPath is { } path && !Path.GetFileNameWithoutExtension(path).Equals("dotnet", StringComparison.Ordinal)
            ? path
            : throw new FumidaiException(Reason.Failed, "cannot tell where this program is", "it was started through dotnet", "Run the fumidai file itself");
        var folder = Folder is not null
            ? Path.GetFullPath(Folder, run.Surroundings.WorkingDirectory)
            : PluginLink.DefaultFolder(environment) ?? throw new FumidaiException(
                Reason.NotFound, "no folder of your own is on PATH", next: "Name one: fumidai plugin install --dir DIR, and put it on PATH");
        var link = PluginLink.Install(program, folder, Force);
        if (Output.Json)
            run.Screen.Report(new TunnelEvent("installed", $"{link} leads to {program}", new Dictionary<string, string>(StringComparer.Ordinal) { ["path"] = link, ["program"] = program }));
        else
            run.Screen.Result(link);
        if (PluginLink.OnPath(environment) is var found && found != link)
            run.Screen.Note(found is null ? $"{folder} is not on PATH: the AWS CLI will not find it there." : $"PATH leads to {found} first: the AWS CLI will take that one.");
        return Task.FromResult(ExitCodes.Success);
    }
}
