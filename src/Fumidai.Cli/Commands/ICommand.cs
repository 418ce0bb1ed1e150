namespace Fumidai.Cli;

/// <summary>A verb with all it needs to know, ready to run.</summary>
internal interface ICommand
{
    /// <summary>How its screen is to be made.</summary>
    OutputMode Output { get; }

    /// <summary>Whether ready lines and JSON events are its result (stdout) or belong beside a client (stderr).</summary>
    bool EventsOnOutput { get; }

    /// <summary>Runs it; the result is the exit code. Failures leave as exceptions.</summary>
    Task<int> RunAsync(Run run);
}
