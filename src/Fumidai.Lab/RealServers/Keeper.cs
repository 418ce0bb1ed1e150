using System.Diagnostics;
using System.Globalization;

namespace Fumidai.Lab;

/// <summary>How a server is ended when the lab is gone.</summary>
internal enum EndBy
{
    /// <summary>SIGQUIT first, so that PostgreSQL takes its shared memory with it, then SIGKILL for what is left.</summary>
    Quit,
    /// <summary>SIGKILL for it and all its descendants.</summary>
    Kill,
}

/// <summary>
/// Sees to it that nothing outlives the lab, even when the lab is killed by SIGKILL: a small shell in a session of its own that reads a pipe
/// held open by the lab. At its end, for whatever reason, the servers named on it are ended and the folders named on it removed.
/// </summary>
internal sealed class Keeper : IAsyncDisposable
{
    /// <remarks>
    /// Descendants are collected by parent, not by process group: PostgreSQL's backends and sshd's sessions are sessions of their own. A process is
    /// stopped before its children are looked up, so that it cannot fork behind the back of the search.
    /// </remarks>
    private const string Script = """
        trap '' INT TERM HUP QUIT PIPE
        cd /
        quits= ; kills= ; folders=
        without() { kept=; for p in $1; do [ "$p" = "$2" ] || kept="$kept $p"; done; echo "$kept"; }
        while IFS=' ' read -r word value; do
          case $word in
            quit) quits="$quits $value" ;;
            kill) kills="$kills $value" ;;
            gone) quits=$(without "$quits" "$value"); kills=$(without "$kills" "$value") ;;
            folder) folders="$folders$value
        " ;;
          esac
        done
        children() {
          if [ -r /proc/self/stat ]; then
            for stat in /proc/[0-9]*/stat; do
              { IFS= read -r line <"$stat"; } 2>/dev/null || continue
              rest=${line##*) }; rest=${rest#* }
              [ "${rest%% *}" = "$1" ] && { pid=${stat#/proc/}; echo "${pid%/stat}"; }
            done
          else
            pgrep -P "$1"
          fi
        }
        end() {
          kill -STOP "$1" 2>/dev/null
          for child in $(children "$1"); do end "$child"; done
          kill -KILL "$1" 2>/dev/null
        }
        for p in $quits; do kill -QUIT "$p" 2>/dev/null; done
        for p in $kills; do end "$p"; done
        left=30
        for p in $quits; do
          while kill -0 "$p" 2>/dev/null && [ $left -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
          end "$p"
        done
        printf '%s' "$folders" | while IFS= read -r folder; do
          [ -n "$folder" ] && rm -rf -- "$folder"
        done
        """;

    private readonly Process _shell;
    private readonly Lock _gate = new();

    private Keeper(Process shell) => _shell = shell;

    /// <summary>Starts it.</summary>
    public static Keeper Start()
    {
        var start = new ProcessStartInfo { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = "/" };
        // A session of its own: a signal to the lab's process group or terminal must not reach it.
        if (Programs.Find("setsid") is { } setsid)
        {
            start.FileName = setsid;
            start.ArgumentList.Add("sh");
        }
        else
        {
            start.FileName = "/bin/sh";
        }
        foreach (var argument in (string[])["-c", Script, "fumidai-lab-keeper"])
            start.ArgumentList.Add(argument);
        var shell = Process.Start(start) ?? throw new LabException("the lab could not start /bin/sh");
        shell.StandardInput.AutoFlush = true;
        return new(shell);
    }

    /// <summary>Its process id.</summary>
    public int ProcessId => _shell.Id;

    /// <summary>A process to end after the lab.</summary>
    public void Watch(int processId, EndBy how) => Say(string.Create(CultureInfo.InvariantCulture, $"{(how == EndBy.Quit ? "quit" : "kill")} {processId}"));

    /// <summary>That process has ended; its number may soon belong to a stranger.</summary>
    public void Forget(int processId) => Say(string.Create(CultureInfo.InvariantCulture, $"gone {processId}"));

    /// <summary>A folder to remove after the lab.</summary>
    public void Remove(string folder)
    {
        if (folder.Contains('\n', StringComparison.Ordinal) || !Path.IsPathRooted(folder))
            throw new ArgumentException("a full path in one line", nameof(folder));
        Say("folder " + folder);
    }

    /// <summary>Closes the pipe and waits until it has cleared up.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
            _shell.StandardInput.Close();
        await _shell.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        _shell.Dispose();
    }

    private void Say(string line)
    {
        lock (_gate)
        {
            try
            {
                _shell.StandardInput.WriteLine(line);
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException)
            {
                // Somebody killed the keeper, or the lab is already being disposed: then the lab itself still ends what it started.
            }
        }
    }
}
