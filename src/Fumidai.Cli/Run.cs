using Microsoft.Extensions.Logging;

namespace Fumidai.Cli;

/// <summary>What a running command works with.</summary>
internal sealed record Run(Surroundings Surroundings, Screen Screen, StopSignals Stop)
{
    /// <summary>Where the library logs: stderr with <c>--verbose</c>, else nowhere.</summary>
    internal ILoggerFactory? Logs { get; } = Screen.Mode.Verbose ? new StderrLogs(Screen) : null;

    /// <summary>Asks for the passphrase of a key file.</summary>
    internal PassphrasePrompt Passphrase { get; } = new(Surroundings, Screen);
}
