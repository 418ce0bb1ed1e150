using System.Runtime.InteropServices;

namespace Fumidai.Cli;

/// <summary>The few calls of the C library that .NET has no word for. Unix only; numbers are those shared by Linux and macOS.</summary>
internal static partial class Libc
{
    internal const int SigHup = 1;
    internal const int SigInt = 2;
    internal const int SigQuit = 3;
    internal const int SigKill = 9;
    internal const int SigPipe = 13;
    internal const int SigTerm = 15;
    internal static readonly nint Default;
    private const int PrSetPdeathsig = 1;

    /// <summary>SIGTSTP: 20 on Linux, 18 on macOS.</summary>
    internal static int SigTstp => OperatingSystem.IsMacOS() ? 18 : 20;

    [LibraryImport("libc", EntryPoint = "signal")]
    internal static partial nint Signal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "getppid")]
    internal static partial int ParentProcess();

    /// <summary>Linux: the signal this process gets when the thread that forked it ends. Kept across exec.</summary>
    internal static int DieWithParent(int signal) => ProcessControl(PrSetPdeathsig, (nuint)signal, 0, 0, 0);

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Execute(string path, string?[] arguments);

    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    internal static partial int GetTerminal(int descriptor, Span<byte> settings);

    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    internal static partial int SetTerminal(int descriptor, int when, ReadOnlySpan<byte> settings);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    internal static partial void MakeRaw(Span<byte> settings);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int descriptor, ReadOnlySpan<byte> bytes, nuint count);

    /// <summary>Waits where somebody has made the descriptor non-blocking.</summary>
    internal static void WaitUntilWritable(int descriptor)
    {
        const short PollOut = 4;
        Span<PollEntry> entries = [new PollEntry { Descriptor = descriptor, Events = PollOut }];
        _ = Poll(entries, 1, Timeout.Infinite);
    }

    /// <summary>Rows and columns of a terminal; false where the descriptor is none.</summary>
    internal static bool TryGetWindow(int descriptor, out ushort rows, out ushort columns)
    {
        const nuint LinuxGetWindow = 0x5413;
        const nuint MacGetWindow = 0x40087468;
        Span<ushort> window = stackalloc ushort[4];
        // ioctl is variadic, and Apple's arm64 passes variable arguments on the stack only: eight others fill the registers first.
        var answer = !OperatingSystem.IsMacOS() ? Control(descriptor, LinuxGetWindow, window)
            : RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? ControlOnStack(descriptor, MacGetWindow, 0, 0, 0, 0, 0, 0, window)
            : Control(descriptor, MacGetWindow, window);
        (rows, columns) = (window[0], window[1]);
        return answer == 0;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(Span<PollEntry> entries, nuint count, int timeout);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int descriptor, nuint request, Span<ushort> window);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int ControlOnStack(int descriptor, nuint request, nint a, nint b, nint c, nint d, nint e, nint f, Span<ushort> window);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
