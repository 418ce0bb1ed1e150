namespace Fumidai.Lab;

/// <summary>Folders the lab's servers live in.</summary>
internal static class ServerFolder
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Passage = UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Made if missing; nobody but its owner gets in.</summary>
    public static void Private(string path) => Create(path, Owner);

    /// <summary>Made if missing; others may pass through to what they know the name of.</summary>
    public static void Passable(string path) => Create(path, Owner | Passage);

    /// <summary>
    /// The folder of one lab's servers: below the lab's own directory where the servers' user gets there, else in the temporary directory.
    /// Started by root the servers run as somebody else, and a lab directory below, say, /root is closed to them.
    /// </summary>
    public static string ForServers(string labDirectory)
    {
        if (OperatingSystem.IsWindows() || !ServerUser.IsRoot)
        {
            var own = Path.Combine(labDirectory, "servers");
            Passable(own);
            return own;
        }
        File.SetUnixFileMode(labDirectory, File.GetUnixFileMode(labDirectory) | Passage);
        for (var parent = labDirectory; parent is not null; parent = Path.GetDirectoryName(parent))
        {
            if ((File.GetUnixFileMode(parent) & UnixFileMode.OtherExecute) == 0)
            {
                var elsewhere = Directory.CreateDirectory(Path.Combine("/tmp", "fumidai-lab-servers-" + Guid.NewGuid().ToString("N"))).FullName;
                Passable(elsewhere);
                return elsewhere;
            }
        }
        var inside = Path.Combine(labDirectory, "servers");
        Passable(inside);
        return inside;
    }

    private static void Create(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }
        Directory.CreateDirectory(path, mode);
        // The mask of the process does not reach this call.
        File.SetUnixFileMode(path, mode);
    }
}
