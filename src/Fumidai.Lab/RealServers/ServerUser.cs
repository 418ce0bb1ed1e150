using System.Globalization;
using System.Runtime.InteropServices;

namespace Fumidai.Lab;

/// <summary>
/// Whom a server runs as. PostgreSQL refuses root, and a lab's sshd must not have root's rights: started by root they run as an
/// ordinary account through <c>setpriv</c>; started by anybody else, as oneself.
/// </summary>
/// <param name="Uid">Numeric user.</param>
/// <param name="Gid">Numeric group.</param>
/// <param name="Prefix">What stands in front of the command; empty: nothing to change.</param>
internal sealed record ServerUser(uint Uid, uint Gid, IReadOnlyList<string> Prefix)
{
    /// <summary>Whether this process is root.</summary>
    public static bool IsRoot => !OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess;

    /// <summary>The account of the database server.</summary>
    /// <exception cref="LabException">Root without setpriv.</exception>
    public static ServerUser ForPostgres()
    {
        if (!IsRoot)
            return new(Native.geteuid(), Native.getegid(), []);
        // Debian's package makes the user postgres; nobody works as well (dotnet-facts §6.1).
        var (uid, gid) = Account("postgres") ?? Account("nobody") ?? (65534, 65534);
        return Through(uid, gid);
    }

    /// <summary>
    /// The account of a bastion's sshd. As root: a number that belongs to nobody on this machine, so that ec2-user of the lab has the rights
    /// of no real user. (Debian keeps 60000 to 64999 for itself and hands out only registered ones of them.)
    /// </summary>
    public static ServerUser ForSshd() => IsRoot ? Through(60686, 60686) : new(Native.geteuid(), Native.getegid(), []);

    /// <summary>Gives files and folders to this user, with everything below.</summary>
    public async Task OwnAsync(string path, CancellationToken cancellationToken)
    {
        if (!IsRoot)
            return;
        await ServerProcess.RunAsync(["chown", "-R", string.Create(CultureInfo.InvariantCulture, $"{Uid}:{Gid}"), path], null, cancellationToken).ConfigureAwait(false);
    }

    private static ServerUser Through(uint uid, uint gid)
    {
        var setpriv = Programs.Find("setpriv")
            ?? throw new LabException("the lab was started as root and its servers may not run as root: install util-linux (setpriv), or start the lab as an ordinary user");
        return new(uid, gid, [setpriv, string.Create(CultureInfo.InvariantCulture, $"--reuid={uid}"), string.Create(CultureInfo.InvariantCulture, $"--regid={gid}"), "--clear-groups"]);
    }

    private static (uint Uid, uint Gid)? Account(string name)
    {
        foreach (var line in File.ReadLines("/etc/passwd"))
        {
            var fields = line.Split(':');
            if (fields.Length >= 4 && fields[0] == name && uint.TryParse(fields[2], CultureInfo.InvariantCulture, out var uid) && uint.TryParse(fields[3], CultureInfo.InvariantCulture, out var gid))
                return (uid, gid);
        }
        return null;
    }
}

/// <summary>The few calls the runtime has no word for. The same numbers on Linux and macOS.</summary>
internal static class Native
{
#pragma warning disable SYSLIB1054, CA5392, IDE1006 // blittable signatures: the generator would add nothing; C's own names
    [DllImport("libc", SetLastError = true)]
    internal static extern int kill(int pid, int signal);

    [DllImport("libc")]
    internal static extern uint geteuid();

    [DllImport("libc")]
    internal static extern uint getegid();
#pragma warning restore SYSLIB1054, CA5392, IDE1006

    internal const int Interrupt = 2;
    internal const int Quit = 3;
    internal const int Kill = 9;
}
