using Fumidai.SessionManager;

namespace Fumidai.Cli;

/// <summary>The size of the terminal that the session is shown on.</summary>
internal static class TerminalWindow
{
    /// <summary>Null where there is no terminal, or one that does not know its size.</summary>
    internal static TerminalSize? Size()
    {
        if (OperatingSystem.IsWindows())
            return Console.IsOutputRedirected ? null : Known(Console.WindowWidth, Console.WindowHeight);
        foreach (var descriptor in (ReadOnlySpan<int>)[1, 0])
        {
            if (Libc.TryGetWindow(descriptor, out var rows, out var columns) && Known(columns, rows) is { } size)
                return size;
        }
        return null;
    }

    private static TerminalSize? Known(int columns, int rows) => columns > 0 && rows > 0 ? new TerminalSize(columns, rows) : null;
}
