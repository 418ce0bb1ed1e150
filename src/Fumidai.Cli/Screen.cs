using System.Globalization;

namespace Fumidai.Cli;

/// <summary>
/// Everything that is said. Results go to stdout, words for people to stderr. With <c>--json</c> each event is one line of JSON on the stream
/// that the verb names, and the words for people are left out.
/// </summary>
internal sealed class Screen : IProgress<TunnelEvent>, IDisposable
{
    private readonly Surroundings _surroundings;
    private readonly TextWriter _events;
    private readonly Progress? _progress;
    private readonly Lock _gate = new();
    private List<TunnelEvent>? _held;

    /// <param name="surroundings">Streams and clock.</param>
    /// <param name="mode">How much and in which form.</param>
    /// <param name="eventsOnOutput">True: ready lines and JSON events are the result and go to stdout. False: stdout belongs to a client.</param>
    internal Screen(Surroundings surroundings, OutputMode mode, bool eventsOnOutput)
    {
        _surroundings = surroundings;
        Mode = mode;
        EventsOnOutput = eventsOnOutput;
        _events = eventsOnOutput ? surroundings.Output : surroundings.Error;
        if (surroundings.ShowsProgress && !mode.Quiet && !mode.Json)
            _progress = new Progress(surroundings.Error, surroundings.Time, surroundings.UsesColor);
    }

    internal OutputMode Mode { get; }

    internal bool EventsOnOutput { get; }

    /// <summary>A result, on stdout.</summary>
    internal void Result(string line) => Print(_surroundings.Output, line);

    /// <summary>Something people may want to know, on stderr; left out by <c>--quiet</c> and <c>--json</c>.</summary>
    internal void Note(string line)
    {
        if (!Mode.Quiet && !Mode.Json)
            Print(_surroundings.Error, Visible.Line(line));
    }

    /// <summary>Notes whose indentation means something.</summary>
    internal void Notes(IEnumerable<string> lines)
    {
        if (Mode.Quiet || Mode.Json)
            return;
        foreach (var line in lines)
            Print(_surroundings.Error, Visible.Indented(line));
    }

    /// <summary>A line on stderr that <c>--quiet</c> does not silence.</summary>
    internal void LastWord(string line) => Print(_surroundings.Error, Visible.Line(line));

    /// <summary>What the program waits for now; null: nothing.</summary>
    internal void Waiting(string? what) => _progress?.Step(what);

    /// <summary>A log line, on stderr.</summary>
    internal void Log(string line) => Print(_surroundings.Error, Paint("\x1b[2m", Visible.Line(line)));

    /// <summary>Holds ready lines back until <see cref="Release"/>: ready is said when the sign-in is at hand too.</summary>
    internal void HoldReady()
    {
        lock (_gate)
            _held ??= [];
    }

    /// <summary>Says what was held back.</summary>
    internal void Release()
    {
        List<TunnelEvent>? held;
        lock (_gate)
            (held, _held) = (_held, null);
        foreach (var told in held ?? [])
            Report(told);
    }

    /// <summary>Shows an event of a tunnel.</summary>
    public void Report(TunnelEvent told)
    {
        lock (_gate)
        {
            if (told.Kind == "ready" && _held is not null)
            {
                _held.Add(told);
                return;
            }
        }
        if (Mode.Json)
        {
            Print(_events, JsonEvents.Event(_surroundings.Time.GetUtcNow(), told));
            return;
        }
        switch (told.Kind)
        {
            case "starting" or "session_open":
                Waiting(told.Text);
                break;
            case "ready":
                Waiting(null);
                // On stdout it is the result; on stderr it is a word for people.
                if (EventsOnOutput || !Mode.Quiet)
                    Print(_events, Visible.Line(told.Text));
                break;
            case "closing":
                Waiting(told.Text);
                break;
            default:
                Note(told.Text);
                break;
        }
    }

    /// <summary>A failure: one line on stderr, its causes with <c>--verbose</c>; with <c>--json</c> an event as well.</summary>
    internal void Fail(Failure failure)
    {
        Waiting(null);
        if (Mode.Json)
        {
            Report(new TunnelEvent("failed", failure.Line, new Dictionary<string, string>(failure.Members, StringComparer.Ordinal)
            {
                ["exit_code"] = failure.ExitCode.ToString(CultureInfo.InvariantCulture),
            }));
        }
        if (!Mode.Json || EventsOnOutput)
            Print(_surroundings.Error, $"{Paint("\x1b[31m", "fumidai:")} {failure.Line}");
        if (!Mode.Verbose)
            return;
        foreach (var cause in failure.Causes)
            Print(_surroundings.Error, $"  caused by {cause}");
    }

    public void Dispose() => _progress?.Dispose();

    private string Paint(string color, string text) => _surroundings.UsesColor ? $"{color}{text}\x1b[0m" : text;

    private void Print(TextWriter writer, string line)
    {
        lock (_gate)
        {
            if (_progress is null)
                Write();
            else
                _progress.Around(Write);
        }

        void Write()
        {
            try
            {
                writer.WriteLine(line);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Where stderr is gone nobody can be told any more; the exit code still says it.
                if (writer != _surroundings.Error)
                    throw new FumidaiException(Reason.Failed, "cannot write to standard output", e.Message, inner: e);
            }
        }
    }
}
