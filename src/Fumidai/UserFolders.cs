namespace Fumidai;

/// <summary>Where the user keeps things, by the conventions of the system. Null where the environment names no home.</summary>
internal static class UserFolders
{
    /// <summary>Settings and known hosts: <c>$XDG_CONFIG_HOME/fumidai</c>, <c>~/.config/fumidai</c>, on Windows <c>%APPDATA%\fumidai</c>.</summary>
    internal static string? Config(Func<string, string?> environment) =>
        OperatingSystem.IsWindows() ? Below(environment("APPDATA")) : Below(environment("XDG_CONFIG_HOME")) ?? BelowHome(environment, ".config");

    /// <summary>What can be made again: <c>$XDG_CACHE_HOME/fumidai</c>, <c>~/.cache/fumidai</c>, on Windows <c>%LOCALAPPDATA%\fumidai\cache</c>.</summary>
    internal static string? Cache(Func<string, string?> environment) =>
        OperatingSystem.IsWindows()
            ? Below(environment("LOCALAPPDATA")) is { } local ? Path.Combine(local, "cache") : null
            : Below(environment("XDG_CACHE_HOME")) ?? BelowHome(environment, ".cache");

    /// <summary>The user's home.</summary>
    internal static string? Home(Func<string, string?> environment) =>
        environment("HOME") is { Length: > 0 } home ? home
        : OperatingSystem.IsWindows() && environment("USERPROFILE") is { Length: > 0 } profile ? profile
        : null;

    /// <summary><c>~/x</c> as the shell would write it.</summary>
    internal static string Expand(string path, Func<string, string?> environment) =>
        path.StartsWith("~/", StringComparison.Ordinal) && Home(environment) is { } home ? Path.Combine(home, path[2..]) : path;

    // The XDG rules say that a relative path in these variables is to be ignored.
    private static string? Below(string? folder) =>
        folder is { Length: > 0 } && Path.IsPathFullyQualified(folder) ? Path.Combine(folder, "fumidai") : null;

    private static string? BelowHome(Func<string, string?> environment, string folder) =>
        Home(environment) is { } home ? Path.Combine(home, folder, "fumidai") : null;
}
