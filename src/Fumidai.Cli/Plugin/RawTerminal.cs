using System.Runtime.InteropServices;

namespace Fumidai.Cli;

/// <summary>Standard input's terminal with nothing between keyboard and program: no echo, no lines, no signals. As before when disposed.</summary>
internal sealed partial class RawTerminal : IDisposable
{
    // More than any system's struct termios; the C library knows the layout, we need not.
    private const int TermiosRoom = 256;
    private const int DrainFirst = 1;
    private const int WindowsInput = -10;
    private const uint WindowsRawClears = 0x1 | 0x2 | 0x4; // processed, line, echo
    private const uint WindowsVirtualTerminal = 0x200;

    private readonly byte[] _before = new byte[TermiosRoom];
    private readonly uint _windowsBefore;

    private RawTerminal(uint windowsBefore) => _windowsBefore = windowsBefore;

    /// <summary>Null where standard input is no terminal.</summary>
    internal static RawTerminal? Enter()
    {
        if (OperatingSystem.IsWindows())
            return EnterOnWindows();
        var terminal = new RawTerminal(0);
        if (Libc.GetTerminal(0, terminal._before) != 0)
            return null;
        var raw = (byte[])terminal._before.Clone();
        Libc.MakeRaw(raw);
        return Libc.SetTerminal(0, DrainFirst, raw) == 0 ? terminal : null;
    }

    public void Dispose()
    {
        if (OperatingSystem.IsWindows())
            SetConsoleMode(GetStdHandle(WindowsInput), _windowsBefore);
        else
            _ = Libc.SetTerminal(0, DrainFirst, _before);
    }

    private static RawTerminal? EnterOnWindows()
    {
        var handle = GetStdHandle(WindowsInput);
        if (!GetConsoleMode(handle, out var before))
            return null;
        return SetConsoleMode(handle, (before & ~WindowsRawClears) | WindowsVirtualTerminal) ? new RawTerminal(before) : null;
    }

    [LibraryImport("kernel32.dll", SetLastError = true)]
    private static partial nint GetStdHandle(int which);

    [LibraryImport("kernel32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetConsoleMode(nint handle, out uint mode);

    [LibraryImport("kernel32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetConsoleMode(nint handle, uint mode);
}
