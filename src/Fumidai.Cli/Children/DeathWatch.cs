using System.Diagnostics;
using System.Globalization;

namespace Fumidai.Cli;

/// <summary>
/// Does what is left to do when this process has been killed: a small shell that reads a pipe held open by us. At its end it removes the files and
/// folders and ends the processes named on it. Unix only; elsewhere nothing is watched.
/// </summary>
internal sealed class DeathWatch : IDisposable
{
    // `done` says that we ended in order and nothing is left to do.
    private const string Script = """
        trap '' INT QUIT TERM HUP TSTP PIPE
        cd /
        processes= ; files= ; folders=
        while IFS=' ' read -r word value; do
          case $word in
            end) processes="$processes $value" ;;
            remove) files="$files$value
        " ;;
            clear) folders="$folders$value
        " ;;
            done) exit 0 ;;
          esac
        done
        for process in $processes; do kill -TERM "$process"; done
        printf %s "$files" | while IFS= read -r file; do rm -f -- "$file"; done
        printf %s "$folders" | while IFS= read -r folder; do rm -f -- "$folder"/* "$folder"/.[!.]*; rmdir -- "$folder"; done
        """;

    private readonly Process? _shell;

    internal DeathWatch()
    {
        if (OperatingSystem.IsWindows())
            return;
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Script);
        // Nothing of ours, and no database password above all, belongs into its environment.
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/bin:/bin";
        _shell = Process.Start(start);
    }

    /// <summary>This file is to go with us. Paths with a line end cannot be said and are left out.</summary>
    internal void Remove(string path) => Say("remove", path);

    /// <summary>This folder of ours, with the files in it, is to go with us.</summary>
    internal void RemoveFolder(string path) => Say("clear", path);

    /// <summary>This process is to end with us.</summary>
    internal void End(int process) => Say("end", process.ToString(CultureInfo.InvariantCulture));

    /// <summary>Lets go without a word, as our death would.</summary>
    internal void Break() => _shell?.StandardInput.Close();

    /// <summary>When the shell has done its work.</summary>
    internal Task Gone => _shell?.WaitForExitAsync() ?? Task.CompletedTask;

    public void Dispose()
    {
        Say("done");
        _shell?.Dispose();
    }

    private void Say(string word, string value)
    {
        if (!value.Contains('\n', StringComparison.Ordinal))
            Say($"{word} {value}");
    }

    private void Say(string line)
    {
        try
        {
            _shell?.StandardInput.Write(line + "\n");
            _shell?.StandardInput.Flush();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Somebody killed the shell: what it would have done stays undone, and that is no reason to fail.
        }
    }
}
