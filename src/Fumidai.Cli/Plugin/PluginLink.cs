namespace Fumidai.Cli;

/// <summary>The link by which this program stands in for <c>session-manager-plugin</c> (a copy on Windows).</summary>
internal static class PluginLink
{
    /// <summary>The name by which the AWS CLI calls it.</summary>
    internal static string Name => OperatingSystem.IsWindows() ? PluginName + ".exe" : PluginName;

    /// <summary>Without a suffix.</summary>
    internal const string PluginName = "session-manager-plugin";

    /// <summary>Makes it. Ours is replaced, a foreign one only by force. Returns its path.</summary>
    /// <exception cref="FumidaiException">A foreign file is in the way, or the folder cannot be written.</exception>
    internal static string Install(string program, string folder, bool force)
    {
        var path = Path.Combine(folder, Name);
        if (Occupant(path) is { } occupant && !force && !IsOurs(path, program))
        {
            throw new FumidaiException(
                Reason.Failed, $"{path} is there already", occupant.LinkTarget is { } target ? $"it leads to {target}" : "it is not ours",
                "--force replaces it, --dir chooses another folder");
        }
        try
        {
            Directory.CreateDirectory(folder);
            Replace(path, Path.Combine(folder, $".{Name}.{Environment.ProcessId}"), program);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FumidaiException(Reason.Failed, $"cannot make {path}", e.Message, "--dir chooses another folder", inner: e);
        }
        return path;
    }

    /// <summary>The first folder of PATH that belongs to the user; null: none does.</summary>
    internal static string? DefaultFolder(Func<string, string?> environment)
    {
        var home = environment(OperatingSystem.IsWindows() ? "USERPROFILE" : "HOME");
        if (home is not { Length: > 0 })
            return null;
        home = Path.TrimEndingDirectorySeparator(Path.GetFullPath(home)) + Path.DirectorySeparatorChar;
        return Folders(environment).FirstOrDefault(f => f.StartsWith(home, StringComparison.Ordinal) && IsWritable(f));
    }

    /// <summary>What a search of PATH finds under the plugin's name; null: nothing.</summary>
    internal static string? OnPath(Func<string, string?> environment) =>
        Folders(environment).Select(f => Path.Combine(f, Name)).FirstOrDefault(File.Exists);

    private static IEnumerable<string> Folders(Func<string, string?> environment) =>
        (environment("PATH") ?? "").Split(Path.PathSeparator).Where(Path.IsPathFullyQualified).Select(f => Path.TrimEndingDirectorySeparator(Path.GetFullPath(f)));

    // Beside it first, then over it: there is never a moment without a plugin.
    private static void Replace(string path, string fresh, string program)
    {
        File.Delete(fresh);
        try
        {
            if (OperatingSystem.IsWindows())
                File.Copy(program, fresh);
            else
                File.CreateSymbolicLink(fresh, program);
            File.Move(fresh, path, overwrite: true);
        }
        catch
        {
            File.Delete(fresh);
            throw;
        }
    }

    // ~/.local/bin may be on PATH before it exists; then it is made.
    private static bool IsWritable(string folder)
    {
        if (!Directory.Exists(folder))
            return folder.EndsWith(Path.Combine(".local", "bin"), StringComparison.Ordinal);
        try
        {
            using var probe = new FileStream(
                Path.Combine(folder, $".fumidai.{Environment.ProcessId}"),
                new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.DeleteOnClose });
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static FileInfo? Occupant(string path)
    {
        var file = new FileInfo(path);
        return file.Exists || file.LinkTarget is not null || Directory.Exists(path) ? file : null;
    }

    // A link to a fumidai, this one or one that has moved since; on Windows a file of the same content.
    private static bool IsOurs(string path, string program)
    {
        var file = new FileInfo(path);
        if (file.LinkTarget is { } target)
            return Path.GetFileNameWithoutExtension(target) is "fumidai" or "Fumidai.Cli" || target == program;
        return OperatingSystem.IsWindows() && file.Exists && file.Length == new FileInfo(program).Length
            && File.ReadAllBytes(path).AsSpan().SequenceEqual(File.ReadAllBytes(program));
    }
}
