namespace Fumidai.SessionManager;

/// <summary>What is to be started for a session.</summary>
/// <param name="SessionType">One of <see cref="SessionTypes"/> other than Port.</param>
/// <param name="Command">The command line; null for a plain shell.</param>
/// <param name="HasTerminal">Whether it gets a terminal; a non-interactive command gets pipes.</param>
/// <param name="SeparateError">Whether standard error is wanted apart.</param>
public sealed record AgentCommand(string SessionType, string? Command, bool HasTerminal, bool SeparateError);

/// <summary>Starts processes on the bastion.</summary>
public interface IAgentShell
{
    /// <summary>Starts one. Its message is told to the user when it throws.</summary>
    ValueTask<IAgentProcess> StartAsync(AgentCommand command, CancellationToken cancellationToken);
}

/// <summary>A running process; disposing ends it.</summary>
public interface IAgentProcess : IAsyncDisposable
{
    /// <summary>What it reads: the terminal's input, or standard input.</summary>
    Stream Input { get; }

    /// <summary>What it says: the terminal's output, or standard output. Ends, by an end or an <see cref="IOException"/>, when the process does.</summary>
    Stream Output { get; }

    /// <summary>Standard error when it was asked for apart; null otherwise.</summary>
    Stream? Error { get; }

    /// <summary>Its exit code, when it has ended.</summary>
    Task<int> Exited { get; }

    /// <summary>Changes the terminal's size; nothing without a terminal.</summary>
    ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellationToken);
}
