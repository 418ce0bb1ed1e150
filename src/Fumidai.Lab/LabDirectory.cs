using System.Diagnostics;

namespace Fumidai.Lab;

/// <summary>
/// The lab's directory, 0700. A fresh one is removed at the end, also when this process was killed: a small shell waits for our end of a pipe to
/// close and removes it then. (Windows has no such shell: there a killed lab leaves its directory in the temporary folder.)
/// </summary>
internal sealed class LabDirectory : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // What the lab started may still be writing when the lab was killed: look once more a little later.
    private const string Remover = "trap '' INT TERM HUP QUIT TSTP; while read -r _; do :; done; rm -rf -- \"$1\"; sleep 2; rm -rf -- \"$1\"";

    private readonly Process? _remover;

    private LabDirectory(string path, Process? remover, bool isOurs)
    {
        Path = path;
        _remover = remover;
        IsOurs = isOurs;
    }

    public string Path { get; }

    /// <summary>Made by us, so removed by us.</summary>
    public bool IsOurs { get; }

    /// <summary>Makes a fresh directory, or takes the user's (made when missing, closed to others).</summary>
    public static LabDirectory Open(string? named)
    {
        try
        {
            if (named is not null)
            {
                var path = System.IO.Path.GetFullPath(named);
                if (OperatingSystem.IsWindows())
                {
                    Directory.CreateDirectory(path);
                }
                else
                {
                    Directory.CreateDirectory(path, Private);
                    File.SetUnixFileMode(path, Private);
                }
                return new LabDirectory(path, null, isOurs: false);
            }
            // CreateTempSubdirectory makes it 0700.
            var fresh = Directory.CreateTempSubdirectory("fumidai-lab-").FullName;
            return new LabDirectory(fresh, StartRemover(fresh), isOurs: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"The lab's directory cannot be made: {e.Message}", e);
        }
    }

    private static Process? StartRemover(string path)
    {
        if (OperatingSystem.IsWindows())
            return null;
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, UseShellExecute = false, WorkingDirectory = "/" };
        foreach (var argument in (string[])["-c", Remover, "fumidai-lab-remover", path])
            start.ArgumentList.Add(argument);
        return Process.Start(start);
    }

    public void Dispose()
    {
        if (!IsOurs)
            return;
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The remover tries again.
        }
        _remover?.StandardInput.Close();
        _remover?.Dispose();
    }
}
