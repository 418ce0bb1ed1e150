using System.Text;

namespace Fumidai.Cli;

/// <summary>Under which name this program was called.</summary>
internal static class CalledAs
{
    /// <summary>Whether it is to stand in for session-manager-plugin.</summary>
    internal static bool IsPlugin(string[] arguments) => IsPluginName(Name(arguments));

    internal static bool IsPluginName(string name)
    {
        var file = name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
        if (file.EndsWith(".exe", StringComparison.OrdinalIgnoreCase))
            file = file[..^4];
        return file.Equals(PluginLink.PluginName, OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
    }

    /// <summary>The parent may ignore what the terminal sends; we must not. Nothing on Windows.</summary>
    internal static void ResetIgnoredSignals()
    {
        if (OperatingSystem.IsWindows())
            return;
        foreach (var signal in (ReadOnlySpan<int>)[Libc.SigInt, Libc.SigQuit, Libc.SigTstp])
            Libc.Signal(signal, Libc.Default);
    }

    // The process path follows links, and under the JIT the first word is the assembly: only argv[0] itself tells. Where the kernel does not
    // show it, the native program's own copy of argv does.
    private static string Name(string[] arguments)
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                var line = File.ReadAllBytes("/proc/self/cmdline");
                var end = Array.IndexOf(line, (byte)0);
                return Encoding.UTF8.GetString(line, 0, end < 0 ? line.Length : end);
            }
            catch (IOException)
            {
                // No /proc in this container.
            }
        }
        var all = Environment.GetCommandLineArgs();
        return all.Length > arguments.Length ? all[0] : "";
    }
}
