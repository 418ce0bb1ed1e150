namespace Fumidai.Cli;

/// <summary><c>fumidai exec TARGET -- COMMAND...</c>: any program with PGHOST, PGPORT, PGUSER … set for the tunnel.</summary>
internal sealed record ExecCommand(string Target, CommandLineSettings Settings, OutputMode Output, ProxyUse Proxy, IReadOnlyList<string> Client) : ICommand
{
    internal static readonly VerbSpec Spec = new()
    {
        Name = "exec",
        Summary = "run any program with PGHOST, PGPORT, PGUSER ... set for the tunnel",
        Usage = "TARGET [--options] -- COMMAND [ARGUMENTS]",
        Description = """
            Opens a tunnel and runs COMMAND with PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE and
            PGSSLMODE set. They lead to an endpoint on 127.0.0.1 that signs in for COMMAND: it speaks
            verified TLS to the database, with the secret or an IAM token; PGPASSWORD is this run's
            own. With --no-auth-proxy, or where only COMMAND knows the password, they hold the real
            name and PGHOSTADDR instead. Ends with COMMAND's exit code; the tunnel ends with it.
            """,
        Targets = TargetCount.One,
        Tail = Tail.RequiredCommand,
        TailMeaning = "the command to run",
        Options = Options.OfExec,
        Examples =
        [
            ("fumidai exec cluster/app -- pg_dump -Fc -f app.dump", "a dump"),
            ("fumidai exec app --auth iam --user app -- dotnet ef database update", "IAM sign-in for a program that knows nothing of it"),
            ("fumidai exec app -- sh -c 'psql -f schema.sql && psql -f data.sql'", "several programs, one tunnel"),
        ],
        Create = Create,
    };

    public bool EventsOnOutput => false;

    public Task<int> RunAsync(Run run) => ClientRun.RunAsync(run, Settings, Target, mayAsk: false, Client, databaseOnly: false, Proxy);

    private static ExecCommand Create(Typed typed)
    {
        if (typed.Has(Options.NoAuthProxy) && (typed.Has(Options.TrustLoopback) || typed.Has(Options.AllowMd5)))
            throw new FumidaiException(Reason.Usage, "--no-auth-proxy goes with neither --trust-loopback nor --allow-md5", next: "Leave out one of the two");
        var proxy = typed.Has(Options.NoAuthProxy) ? ProxyUse.No : typed.Has(Options.TrustLoopback) ? ProxyUse.Trusting : ProxyUse.Yes;
        return new ExecCommand(typed.Targets[0], typed.Settings, typed.Output, proxy, typed.Tail!);
    }
}
