using Microsoft.Win32.SafeHandles;

namespace Fumidai.Cli;

/// <summary>Standard input as bytes. On Unix not the console's own stream: that one edits lines as soon as it sees a terminal.</summary>
internal static class StandardInput
{
    internal static Stream Open() => OperatingSystem.IsWindows()
        ? Console.OpenStandardInput()
        : new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
}
