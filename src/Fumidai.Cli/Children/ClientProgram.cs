namespace Fumidai.Cli;

/// <summary>Finds the program to run, before anything is opened for it.</summary>
internal static class ClientProgram
{
    /// <summary>Its full path.</summary>
    /// <exception cref="FumidaiException">NotFound, with what to install where that is known.</exception>
    internal static string Find(string name, Surroundings surroundings)
    {
        if (name.Length == 0)
            throw new FumidaiException(Reason.Usage, "no command to run", "its name is empty", "Write it after --");
        if (name.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal) || name.Contains(Path.AltDirectorySeparatorChar, StringComparison.Ordinal))
        {
            var path = Path.GetFullPath(name, surroundings.WorkingDirectory);
            return Runnable(path) ?? throw new FumidaiException(
                Reason.NotFound, $"cannot run {Visible.Quote(name)}", File.Exists(path) || Directory.Exists(path) ? "it is not an executable file" : "there is no such file");
        }
        foreach (var folder in (surroundings.Environment("PATH") ?? "").Split(Path.PathSeparator))
        {
            // An empty entry means the working directory to POSIX shells.
            if (Runnable(Path.GetFullPath(Path.Combine(folder, name), surroundings.WorkingDirectory)) is { } found)
                return found;
        }
        throw new FumidaiException(Reason.NotFound, $"cannot find {Visible.Quote(name)}", "it is in no folder of PATH", name == "psql" ? InstallPsql() : null);
    }

    private static string? Runnable(string path)
    {
        if (OperatingSystem.IsWindows())
            return Array.Find([path, path + ".exe"], p => File.Exists(p) && p.EndsWith(".exe", StringComparison.OrdinalIgnoreCase));
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(path) && (File.GetUnixFileMode(path) & Execute) != 0 ? path : null;
    }

    private static string InstallPsql()
    {
        if (OperatingSystem.IsMacOS())
            return "Install it: brew install libpq && brew link --force libpq";
        if (OperatingSystem.IsWindows())
            return "Install PostgreSQL's command line tools (postgresql.org/download/windows) and add their bin folder to PATH";
        try
        {
            return InstallPsqlOn(File.ReadAllText("/etc/os-release"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return InstallPsqlOn("");
        }
    }

    /// <param name="release">Text of /etc/os-release.</param>
    internal static string InstallPsqlOn(string release)
    {
        var ids = release.Split('\n')
            .Where(line => line.StartsWith("ID=", StringComparison.Ordinal) || line.StartsWith("ID_LIKE=", StringComparison.Ordinal))
            .SelectMany(line => line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim().Trim('"', '\'').Split(' '))
            .ToHashSet(StringComparer.Ordinal);
        if (ids.Overlaps(["debian", "ubuntu"]))
            return "Install it: sudo apt-get install postgresql-client";
        if (ids.Contains("amzn"))
            return "Install it: sudo dnf install postgresql17";
        if (ids.Overlaps(["fedora", "rhel", "centos"]))
            return "Install it: sudo dnf install postgresql";
        if (ids.Contains("alpine"))
            return "Install it: sudo apk add postgresql-client";
        if (ids.Contains("arch"))
            return "Install it: sudo pacman -S postgresql-libs";
        if (ids.Overlaps(["suse", "opensuse"]))
            return "Install it: sudo zypper install postgresql";
        return "Install your system's package of PostgreSQL's client programs";
    }
}
