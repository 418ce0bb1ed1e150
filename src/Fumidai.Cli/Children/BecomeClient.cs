using System.Globalization;
using System.Runtime.InteropServices;

namespace Fumidai.Cli;

/// <summary>
/// The moment between fork and the client on Linux: the program starts itself again with a word of its own, asks the kernel for SIGTERM when its
/// parent dies, and becomes the client by exec, process id and terminal unchanged. So not even SIGKILL of fumidai leaves a client behind.
/// </summary>
/// <remarks>The kernel's promise is tied to the thread that forked; <see cref="ClientProcess"/> keeps that thread.</remarks>
internal static class BecomeClient
{
    /// <summary>First argument; no user types it.</summary>
    internal const string Word = "--become-client-of";

    /// <summary>Whether the system can do it.</summary>
    internal static bool IsSupported => OperatingSystem.IsLinux() && Self() is not null;

    /// <summary>Program and first arguments that start it: then come the client's path, its name and its arguments.</summary>
    internal static (string Program, IReadOnlyList<string> Arguments) Start(string client, string name) =>
        (Self()!, [Word, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), client, name]);

    /// <summary>Never returns when it works; else the exit code, as shells have it.</summary>
    /// <param name="arguments">Parent's process id, path, argv[0], argv[1] …</param>
    internal static int Run(ReadOnlySpan<string> arguments)
    {
        if (!OperatingSystem.IsLinux() || arguments.Length < 3)
            return ExitCodes.Usage;
        Libc.DieWithParent(Libc.SigTerm);
        // Whoever asks too late would wait for ever: the parent may have died between fork and here.
        if (Libc.ParentProcess().ToString(CultureInfo.InvariantCulture) != arguments[0])
            return ExitCodes.Terminated;
        // The runtime ignores SIGPIPE, and what is ignored stays so across exec.
        Libc.Signal(Libc.SigPipe, Libc.Default);
        Libc.Execute(arguments[1], [.. arguments[2..], null]);
        var error = Marshal.GetLastPInvokeError();
        using var writer = new StreamWriter(UnixOutput.Open(error: true));
        writer.WriteLine($"fumidai: cannot start {Visible.Line(arguments[1])}: {Marshal.GetPInvokeErrorMessage(error)}");
        return 126;
    }

    /// <summary>
    /// This very program: /proc/self/exe even when its file was replaced meanwhile; under the JIT the program file beside its assembly (the process may be `dotnet` or a test).
    /// </summary>
    private static string? Self()
    {
        if (!System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported)
            return "/proc/self/exe";
        var beside = Path.Combine(AppContext.BaseDirectory, "Fumidai.Cli");
        return File.Exists(beside) ? beside : null;
    }
}
