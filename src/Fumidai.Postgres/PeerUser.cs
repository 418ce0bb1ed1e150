using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Fumidai.Postgres;

/// <summary>Which user is at the other end of a Unix socket? Asked of the kernel, which a peer cannot deceive.</summary>
public static partial class PeerUser
{
    // <sys/socket.h> of Linux; struct ucred is pid, uid, gid.
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    /// <summary>Whether it can be asked on this system.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    /// <summary>The user id this process acts as.</summary>
    public static uint Own => geteuid();

    /// <summary>The peer's effective user id when it connected; null: the system does not say, so it must be taken for a stranger.</summary>
    public static uint? Of(Socket peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (OperatingSystem.IsLinux())
        {
            Span<byte> credentials = stackalloc byte[12];
            return peer.GetRawSocketOption(SolSocket, SoPeerCred, credentials) == 12 ? MemoryMarshal.Read<uint>(credentials[4..]) : null;
        }
        if (OperatingSystem.IsMacOS())
            return getpeereid((int)peer.Handle, out var user, out _) == 0 ? user : null;
        return null;
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint geteuid();

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int getpeereid(int socket, out uint user, out uint group);
}
