using System.Reflection;
using System.Text;

namespace Fumidai.Cli;

/// <summary>What the program finds around it: streams, environment, clock. Tests make their own.</summary>
internal sealed record Surroundings
{
    internal required TextWriter Output { get; init; }
    internal required TextWriter Error { get; init; }
    internal required Func<string, string?> Environment { get; init; }
    internal required string WorkingDirectory { get; init; }
    internal TimeProvider Time { get; init; } = TimeProvider.System;
    internal bool IsInputTerminal { get; init; }
    internal bool IsErrorTerminal { get; init; }

    /// <summary>Columns of the terminal that stdout is; null: it is none.</summary>
    internal int? OutputColumns { get; init; }

    /// <summary>Who answers questions; null: nobody, because input or stderr is no terminal.</summary>
    internal IQuestions? Questions { get; init; }

    /// <summary>Colours only on a terminal that has them, and not against the user's will (no-color.org).</summary>
    internal bool UsesColor => IsErrorTerminal && string.IsNullOrEmpty(Environment("NO_COLOR")) && Environment("TERM") != "dumb";

    /// <summary>The same for results.</summary>
    internal bool ResultsUseColor => OutputColumns is not null && string.IsNullOrEmpty(Environment("NO_COLOR")) && Environment("TERM") != "dumb";

    /// <summary>Progress rewrites its line: only where that works.</summary>
    internal bool ShowsProgress => IsErrorTerminal && Environment("TERM") != "dumb";

    internal static string Version { get; } =
        typeof(Surroundings).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    internal static Surroundings OfProcess()
    {
        var plain = new Surroundings
        {
            Output = Writer(UnixOutput.Open(error: false)),
            Error = Writer(UnixOutput.Open(error: true)),
            Environment = System.Environment.GetEnvironmentVariable,
            WorkingDirectory = System.Environment.CurrentDirectory,
            IsInputTerminal = !Console.IsInputRedirected,
            IsErrorTerminal = !Console.IsErrorRedirected,
            OutputColumns = Console.IsOutputRedirected ? null : Columns(),
        };
        return plain is { IsInputTerminal: true, ShowsProgress: true } ? plain with { Questions = new TerminalQuestions(plain) } : plain;
    }

    // A terminal that does not know its width says 0, or nothing at all.
    private static int Columns()
    {
        try
        {
            return Console.WindowWidth is > 0 and var columns ? columns : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }

    // UTF-8 whatever the locale says: the arrow of the ready line is part of the interface.
    private static TextWriter Writer(Stream stream) =>
        TextWriter.Synchronized(new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true, NewLine = "\n" });
}
