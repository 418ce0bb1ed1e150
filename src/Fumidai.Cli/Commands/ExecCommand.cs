namespace Fumidai.Cli;

/// <summary><c>fumidai exec TARGET -- COMMAND...</c>: any program with PGHOST, PGPORT, PGUSER … set for the tunnel.</summary>
internal sealed record ExecCommand(string Target, CommandLineSettings Settings, OutputMode Output, IReadOnlyList<string> Client) : ICommand
{
    internal static readonly VerbSpec Spec = new()
    {
        Name = "exec",
        Summary = "run any program with PGHOST, PGPORT, PGUSER ... set for the tunnel",
        Usage = "TARGET [--options] -- COMMAND [ARGUMENTS]",
        Description = """
            Opens a tunnel and runs COMMAND with the variables that libpq programs read: PGHOST (the
            real name, for TLS), PGHOSTADDR, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE,
            PGSSLROOTCERT. Ends with COMMAND's exit code; the tunnel ends with it.
            """,
        Targets = TargetCount.One,
        Tail = Tail.RequiredCommand,
        TailMeaning = "the command to run",
        Options = Options.OfClient,
        Examples =
        [
            ("fumidai exec cluster/app -- pg_dump -Fc -f app.dump", "a dump"),
            ("fumidai exec app -- sh -c 'psql -f schema.sql && psql -f data.sql'", "several programs, one tunnel"),
        ],
        Create = typed => new ExecCommand(typed.Targets[0], typed.Settings, typed.Output, typed.Tail!),
    };

    public bool EventsOnOutput => false;

    public Task<int> RunAsync(Run run) => ClientRun.RunAsync(run, Settings, Target, mayAsk: false, Client, databaseOnly: false);
}
