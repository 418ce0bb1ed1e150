namespace Fumidai.Lab;

/// <summary>
/// How a bastion's sshd gets an /etc/passwd and an /etc/hosts of its own while nothing on this machine changes: a mount namespace (root; or an
/// ordinary user in a user namespace), else nss_wrapper, else not at all (dotnet-facts §6.1).
/// </summary>
internal abstract record SshdRoom
{
    /// <summary>There is no bastion on this machine; why, and what to install.</summary>
    internal sealed record None(string Why) : SshdRoom;

    /// <summary>Bind mounts in a namespace of its own.</summary>
    internal sealed record Namespace(string Sshd, string KeyGenerator, IReadOnlyList<string> Unshare) : SshdRoom;

    /// <summary>The name service calls of the process are redirected by a preloaded library.</summary>
    internal sealed record Wrapper(string Sshd, string KeyGenerator, string Library) : SshdRoom;

    /// <summary>Finds out what this machine offers.</summary>
    public static async Task<SshdRoom> FindAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            return new None("the public bastion needs Linux (a loopback network of its own addresses and mount namespaces); the private bastion works");
        if (Programs.Find("sshd") is not { } sshd || Programs.Find("ssh-keygen") is not { } generator)
            return new None("the public bastion has no sshd; install one: Debian and Ubuntu `apt-get install openssh-server`, Fedora `dnf install openssh-server`");
        if (Programs.Find("unshare") is { } unshare && Programs.Find("mount") is not null)
        {
            IReadOnlyList<string> command = ServerUser.IsRoot ? [unshare, "--mount"] : [unshare, "--user", "--map-current-user", "--mount", "--keep-caps"];
            var (code, _, _) = await ServerProcess.TryRunAsync([.. command, "/bin/sh", "-c", "mount --bind /etc/passwd /etc/passwd"], null, cancellationToken).ConfigureAwait(false);
            if (code == 0)
                return new Namespace(sshd, generator, command);
        }
        foreach (var directory in (string[])["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"])
        {
            var library = Path.Combine(directory, "libnss_wrapper.so");
            if (File.Exists(library))
                return new Wrapper(sshd, generator, library);
        }
        return new None("the public bastion has no sshd: this machine refuses mount namespaces and has no nss_wrapper; allow the former or install the latter (Debian and Ubuntu `apt-get install libnss-wrapper`)");
    }
}
