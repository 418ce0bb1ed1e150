using System.Globalization;

namespace Fumidai.Cli;

/// <summary>
/// The line that says what a step waits for, shown once it has taken a second and rewritten each second. Whoever prints something else on the
/// same terminal hides it first; it comes back at the next second.
/// </summary>
internal sealed class Progress : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private const string ClearLine = "\r\x1b[K";

    private readonly TextWriter _terminal;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private readonly string _before;
    private readonly string _after;
    private string? _step;
    private long _since;
    private bool _shown;

    internal Progress(TextWriter terminal, TimeProvider time, bool color)
    {
        _terminal = terminal;
        _time = time;
        (_before, _after) = color ? ("\x1b[2m", "\x1b[0m") : ("", "");
        _timer = time.CreateTimer(static state => ((Progress)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Begins a step; the one before is over. Null: nothing is waited for.</summary>
    internal void Step(string? text)
    {
        lock (_gate)
        {
            Hide();
            _step = text;
            _since = _time.GetTimestamp();
            _timer.Change(text is null ? Timeout.InfiniteTimeSpan : Second, text is null ? Timeout.InfiniteTimeSpan : Second);
        }
    }

    /// <summary>Writes to the terminal with the line out of the way.</summary>
    internal void Around(Action write)
    {
        lock (_gate)
        {
            Hide();
            write();
        }
    }

    public void Dispose()
    {
        Step(null);
        _timer.Dispose();
    }

    private void Tick()
    {
        lock (_gate)
        {
            if (_step is null)
                return;
            var seconds = (int)_time.GetElapsedTime(_since).TotalSeconds;
            _terminal.Write(string.Create(CultureInfo.InvariantCulture, $"{ClearLine}{_before}{_step} … {seconds} s{_after}"));
            _shown = true;
        }
    }

    private void Hide()
    {
        if (!_shown)
            return;
        _terminal.Write(ClearLine);
        _shown = false;
    }
}
