namespace Fumidai.Lab;

/// <summary>Finds the programs the lab starts. Nothing is cached: what is installed meanwhile is found.</summary>
internal static class Programs
{
    /// <summary>Directories beside PATH in which system programs live; an ordinary user's PATH often lacks the sbin ones.</summary>
    private static readonly string[] SystemDirectories = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"];

    /// <summary>Full path of a program on PATH or in a system directory; null: not installed.</summary>
    public static string? Find(string name)
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(OperatingSystem.IsWindows() ? [] : SystemDirectories)
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);
    }

    /// <summary>Directory of PostgreSQL's server programs; the newest version found.</summary>
    /// <exception cref="LabException">None; the message says what to install.</exception>
    public static string PostgresDirectory()
    {
        var candidates = new List<string>();
        // Debian and Ubuntu, Red Hat's PGDG, Homebrew on both processors, Postgres.app.
        foreach (var root in (string[])["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt", "/Applications/Postgres.app/Contents/Versions"])
        {
            if (!Directory.Exists(root))
                continue;
            candidates.AddRange(Directory.EnumerateDirectories(root)
                .Where(directory => root.EndsWith("opt", StringComparison.Ordinal) ? Path.GetFileName(directory).StartsWith("postgresql", StringComparison.Ordinal) : true)
                .OrderByDescending(VersionOf)
                .Select(directory => Path.Combine(directory, "bin")));
        }
        candidates.AddRange(["/usr/local/pgsql/bin", "/usr/libexec/postgresql"]);
        if (Find("initdb") is { } initdb)
            candidates.Insert(0, Path.GetDirectoryName(initdb)!);
        return candidates.FirstOrDefault(directory => File.Exists(Path.Combine(directory, "initdb")) && File.Exists(Path.Combine(directory, "postgres")))
            ?? throw new LabException("the lab needs a PostgreSQL server (initdb, postgres) and found none; install it: Debian and Ubuntu `apt-get install postgresql`, Fedora `dnf install postgresql-server`, macOS `brew install postgresql`");
    }

    private static double VersionOf(string directory)
    {
        var digits = new string([.. Path.GetFileName(directory).SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(c => char.IsAsciiDigit(c) || c == '.')]);
        return double.TryParse(digits, System.Globalization.CultureInfo.InvariantCulture, out var version) ? version : 0;
    }
}
