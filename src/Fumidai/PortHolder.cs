using System.Globalization;
using System.Net;

namespace Fumidai;

/// <summary>
/// Who listens on a port of this machine, as far as the kernel tells: everybody may see the user, only one's own processes (or root) the
/// process. Linux only; elsewhere nothing is known.
/// </summary>
internal static class PortHolder
{
    /// <summary><c>postgres (pid 812)</c>, <c>a process of user alice</c>, or null.</summary>
    internal static string? Find(IPAddress address, int port)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            foreach (var table in (string[])["/proc/net/tcp", "/proc/net/tcp6"])
            {
                if (!File.Exists(table))
                    continue;
                foreach (var line in File.ReadLines(table).Skip(1))
                {
                    if (TryReadListener(line, address, port, out var uid, out var inode))
                        return Process(inode) ?? $"a process of {User(uid)}";
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A kernel that hides its tables: then nobody is named.
        }
        return null;
    }

    /// <remarks>Fields: sl, local_address, rem_address, st (0A = LISTEN), tx:rx, tr:when, retrnsmt, uid, timeout, inode.</remarks>
    internal static bool TryReadListener(string line, IPAddress address, int port, out string uid, out string inode)
    {
        uid = inode = "";
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 10 || fields[3] != "0A")
            return false;
        var local = fields[1].Split(':');
        if (local.Length != 2 || !int.TryParse(local[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var held) || held != port)
            return false;
        // A wildcard of either family holds the port against us as well.
        var wildcard = local[0].All(c => c == '0');
        if (!wildcard && local[0] != Hex(address))
            return false;
        (uid, inode) = (fields[7], fields[9]);
        return true;
    }

    /// <summary>The kernel prints each 32-bit word of an address in host order.</summary>
    private static string Hex(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        if (BitConverter.IsLittleEndian)
        {
            for (var i = 0; i < bytes.Length; i += 4)
                Array.Reverse(bytes, i, 4);
        }
        return Convert.ToHexString(bytes);
    }

    private static string? Process(string inode)
    {
        var wanted = $"socket:[{inode}]";
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                continue;
            try
            {
                foreach (var descriptor in Directory.EnumerateFiles($"{folder}/fd"))
                {
                    if (new FileInfo(descriptor).LinkTarget == wanted)
                        return $"{File.ReadAllText($"{folder}/comm").Trim()} (pid {pid.ToString(CultureInfo.InvariantCulture)})";
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not ours to look into, or just gone.
            }
        }
        return null;
    }

    private static string User(string uid)
    {
        var name = File.Exists("/etc/passwd")
            ? File.ReadLines("/etc/passwd").Select(l => l.Split(':')).FirstOrDefault(f => f.Length > 2 && f[2] == uid)?[0]
            : null;
        return name is null ? $"user {uid}" : $"user {name}";
    }
}
