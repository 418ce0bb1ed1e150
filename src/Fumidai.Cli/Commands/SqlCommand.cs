using Fumidai.Aws;

namespace Fumidai.Cli;

/// <summary><c>fumidai sql TARGET</c>: SQL from a script, no client needed.</summary>
internal sealed record SqlCommand(string Target, CommandLineSettings Settings, OutputMode Output, SqlWork Work, bool OverTunnel) : ICommand
{
    internal static readonly VerbSpec Spec = new()
    {
        Name = "sql",
        Summary = "SQL from a script, no client and no network path needed",
        Usage = "TARGET [-c SQL | -f FILE] [--options]",
        Description = """
            Runs statements over the Data API (HTTPS, allowed by IAM): no bastion, no open port, no psql.
            --via names another route. Only results go to stdout; an error is one line with its
            SQLSTATE on stderr, exit code 1. Without -c and -f the statements are read from stdin.
            """,
        Targets = TargetCount.One,
        Options =
        [
            Options.SqlText, Options.SqlFile, Options.SqlFormat, Options.SqlParam, Options.SqlTransaction, Options.SqlOnError, Options.SqlTimeout,
            Options.SqlVia, Options.Bastion, Options.Identity, Options.SecretId, Options.User, Options.DatabaseName, Options.CaFile, .. Options.OfAws, Options.Config, .. Options.OfOutput,
        ],
        Examples =
        [
            ("fumidai sql cluster/app -c 'values(1)'", "one query, as a table"),
            ("fumidai sql app -f migrate.sql --single-transaction", "a file, all or nothing"),
            ("fumidai sql app -f user.sql --param id=7:int --format json", "a value for :id in the file; the result for programs"),
        ],
        Create = typed =>
        {
            // What fumidai.yaml says of routes is meant for tunnels: here only the option chooses one.
            var via = typed.Value(Options.SqlVia) is { } named && named != "data-api" ? named : null;
            return new SqlCommand(typed.Targets[0], typed.Settings with { Via = via }, typed.Output, SqlWork.Of(typed), via is not null);
        },
    };

    public bool EventsOnOutput => false;

    public async Task<int> RunAsync(Run run)
    {
        var (screen, stop, surroundings) = (run.Screen, run.Stop, run.Surroundings);
        var settings = Fumidai.Settings.Load(Settings, surroundings.WorkingDirectory, surroundings.Environment);
        TargetCatalog.CheckName(settings, Target);
        var script = await Work.ReadAsync(run);
        using var access = AwsAccess.Open(settings.Aws, surroundings.Time);
        var target = await TargetChoice.FindAsync(run, access, settings, Target, mayAsk: false);
        var request = new TunnelRequest
        {
            Target = target,
            Settings = settings,
            Access = access,
            Events = new Quiet(screen),
            AskPassphrase = run.Passphrase.AskAsync,
            LoggerFactory = run.Logs,
            Time = surroundings.Time,
        };
        screen.Waiting($"Opening {target.Name}");
        await using var session = await SqlSession.OpenAsync(request, OverTunnel, screen.Waiting, stop.Token);
        screen.Waiting(null);
        var code = await new SqlScript(run, session, Work).RunAsync(script);
        screen.Waiting(null);
        return stop.ExitCode != 0 ? stop.ExitCode : code;
    }

    /// <summary>A tunnel's progress is shown; that it is ready is no news here.</summary>
    private sealed class Quiet(Screen screen) : IProgress<TunnelEvent>
    {
        public void Report(TunnelEvent told)
        {
            if (told.Kind is not "ready")
                screen.Report(told);
        }
    }
}
