namespace Fumidai.Cli;

/// <summary><c>fumidai connect [TARGET] [-- ARGS]</c>: tunnel, sign-in and psql; ends with its exit code.</summary>
internal sealed record ConnectCommand(string? Target, CommandLineSettings Settings, OutputMode Output, bool Yes, IReadOnlyList<string> ClientArguments) : ICommand
{
    internal static readonly VerbSpec Spec = new()
    {
        Name = "connect",
        Summary = "tunnel + sign-in + psql; ends with psql's exit code",
        Usage = "[TARGET] [--options] [-- psql arguments]",
        Description = """
            Opens a tunnel, reads the login from Secrets Manager, and starts psql with TLS verified to
            the database's real name. Without a TARGET: the only one there is, or a choice on a terminal.
            Ctrl-C cancels the query; \q leaves, and nothing is left behind.
            """,
        Targets = TargetCount.Optional,
        Tail = Tail.Arguments,
        TailMeaning = "what is meant for psql",
        Options = Options.OfClient,
        Examples =
        [
            ("fumidai connect cluster/app", "psql on the cluster called app"),
            ("fumidai connect app -- -c 'select 1'", "app is a name from fumidai.yaml; one query, then the end"),
            ("fumidai connect cluster/app --via ssh --identity ~/.ssh/id_ed25519", "through a public bastion, with your own key"),
        ],
        Create = typed => new ConnectCommand(typed.Targets is [var target] ? target : null, typed.Settings, typed.Output, typed.Has(Options.Yes), typed.Tail ?? []),
    };

    public bool EventsOnOutput => false;

    public Task<int> RunAsync(Run run) => ClientRun.RunAsync(run, Settings, Target, mayAsk: !Yes, ["psql", .. ClientArguments], databaseOnly: true, ProxyUse.No);
}
