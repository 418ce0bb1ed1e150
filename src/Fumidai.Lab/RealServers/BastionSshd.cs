using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Fumidai.Lab;

/// <summary>
/// A real OpenSSH server in the place of an instance's. Alone inside it exist <c>ec2-user</c> and the private names; it forwards to where those
/// names lead, which are the lab's gates. It runs without root's rights and listens on an inner address; the public one is a gate.
/// </summary>
internal sealed class BastionSshd : IAsyncDisposable
{
    /// <summary>The login of Amazon Linux.</summary>
    public const string User = "ec2-user";

    private readonly string _folder;
    private readonly ServerProcess _process;
    private readonly bool _isWrapped;
    private string? _hosts;

    private BastionSshd(string folder, ServerProcess process, IPEndPoint listening, AuthorizedKeys keys, bool isWrapped)
    {
        _folder = folder;
        _process = process;
        _isWrapped = isWrapped;
        Listening = listening;
        Keys = keys;
    }

    /// <summary>Where it really listens.</summary>
    public IPEndPoint Listening { get; }

    public AuthorizedKeys Keys { get; }

    public int ProcessId => _process.ProcessId;

    /// <summary>Completes when it has ended.</summary>
    public Task Exited => _process.Exited;

    /// <summary>Starts one.</summary>
    /// <param name="room">Where it lives.</param>
    /// <param name="folder">Its own; kept over stops, with the host key in it. Reachable for its user.</param>
    /// <param name="inner">Address it listens on, on a free port.</param>
    /// <param name="keeper">Ends it if the lab cannot.</param>
    /// <param name="labTime">When pushed keys go.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LabException">It does not start, with its own words.</exception>
    public static async Task<BastionSshd> StartAsync(SshdRoom room, string folder, IPAddress inner, Keeper keeper, TimeProvider labTime, CancellationToken cancellationToken)
    {
        var user = ServerUser.ForSshd();
        var (sshd, generator) = room switch
        {
            SshdRoom.Namespace at => (at.Sshd, at.KeyGenerator),
            SshdRoom.Wrapper at => (at.Sshd, at.KeyGenerator),
            SshdRoom.None none => throw new LabException(none.Why),
            _ => throw new ArgumentOutOfRangeException(nameof(room)),
        };
        var files = new Files(folder);
        await files.PrepareAsync(generator, user, cancellationToken).ConfigureAwait(false);
        for (var attempt = 1; ; attempt++)
        {
            var at = FreePort(inner);
            await File.WriteAllTextAsync(files.Config, files.Configuration(at), cancellationToken).ConfigureAwait(false);
            var environment = new Dictionary<string, string> { ["TZ"] = "UTC", ["LC_ALL"] = "C" };
            List<string> command;
            if (room is SshdRoom.Namespace space)
            {
                command = [.. space.Unshare, "/bin/sh", "-c",
                    "mount --bind \"$1\" /etc/hosts && mount --bind \"$2\" /etc/passwd && { [ ! -e /etc/nsswitch.conf ] || mount --bind \"$3\" /etc/nsswitch.conf; } && shift 3 && exec \"$@\"",
                    "fumidai-lab-bastion", files.Hosts, files.Passwd, files.NameService, .. user.Prefix, sshd, "-D", "-e", "-f", files.Config];
            }
            else
            {
                command = [.. user.Prefix, sshd, "-D", "-e", "-f", files.Config];
                environment["LD_PRELOAD"] = ((SshdRoom.Wrapper)room).Library;
                environment["NSS_WRAPPER_PASSWD"] = files.Passwd;
                environment["NSS_WRAPPER_GROUP"] = files.Group;
                environment["NSS_WRAPPER_HOSTS"] = files.Hosts;
            }
            try
            {
                var process = await ServerProcess.StartAsync("sshd", command, environment, EndBy.Kill, keeper, static line => line.Contains("Server listening on", StringComparison.Ordinal), cancellationToken).ConfigureAwait(false);
                return new(folder, process, at, new AuthorizedKeys(files.Keys, labTime), room is SshdRoom.Wrapper);
            }
            catch (LabException error) when (attempt < 3 && error.Message.Contains("Address already in use", StringComparison.Ordinal))
            {
                // Somebody took the port between our look and sshd's bind.
            }
        }
    }

    /// <summary>Which names exist inside, and where each leads.</summary>
    public void SetNames(IEnumerable<KeyValuePair<string, IPAddress>> names)
    {
        var text = new StringBuilder("127.0.0.1 localhost\n");
        foreach (var (name, address) in names.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"{address} {name}\n");
        var hosts = text.ToString();
        if (hosts == _hosts)
            return;
        _hosts = hosts;
        var file = new Files(_folder).Hosts;
        if (_isWrapped)
        {
            var fresh = file + ".new";
            File.WriteAllText(fresh, hosts);
            File.Move(fresh, file, overwrite: true);
            return;
        }
        // In place: a bind mount holds the file, not its name.
        File.WriteAllText(file, hosts);
    }

    /// <summary>Ends it with all its logins.</summary>
    public async ValueTask DisposeAsync()
    {
        Keys.Clear();
        await _process.DisposeAsync().ConfigureAwait(false);
    }

    private static IPEndPoint FreePort(IPAddress address)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(address, 0));
        return (IPEndPoint)probe.LocalEndPoint!;
    }

    /// <summary>The files of one bastion.</summary>
    private sealed record Files(string Folder)
    {
        public string Config => Path.Combine(Folder, "sshd_config");
        public string Hosts => Path.Combine(Folder, "hosts");
        public string Passwd => Path.Combine(Folder, "passwd");
        public string Group => Path.Combine(Folder, "group");
        public string NameService => Path.Combine(Folder, "nsswitch.conf");
        public string HostKey => Path.Combine(Folder, "ssh_host_ed25519_key");
        public string Keys => Path.Combine(Folder, "keys");
        public string Home => Path.Combine(Folder, "home");

        public async Task PrepareAsync(string generator, ServerUser user, CancellationToken cancellationToken)
        {
            ServerFolder.Passable(Folder);
            ServerFolder.Passable(Keys);
            ServerFolder.Private(Home);
            await user.OwnAsync(Home, cancellationToken).ConfigureAwait(false);
            if (!File.Exists(HostKey))
            {
                await ServerProcess.RunAsync([generator, "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", HostKey], null, cancellationToken).ConfigureAwait(false);
                await user.OwnAsync(HostKey, cancellationToken).ConfigureAwait(false);
            }
            var shell = File.Exists("/bin/bash") ? "/bin/bash" : "/bin/sh";
            await WriteAsync(Passwd, string.Create(CultureInfo.InvariantCulture, $"root:x:0:0:root:/root:/bin/sh\n{User}:x:{user.Uid}:{user.Gid}:EC2 Default User:{Home}:{shell}\n"), cancellationToken).ConfigureAwait(false);
            await WriteAsync(Group, string.Create(CultureInfo.InvariantCulture, $"root:x:0:\n{User}:x:{user.Gid}:\n"), cancellationToken).ConfigureAwait(false);
            // What is not in the hosts file does not exist: no question of the lab's leaves the machine.
            await WriteAsync(NameService, "passwd: files\ngroup: files\nshadow: files\nhosts: files\n", cancellationToken).ConfigureAwait(false);
            await WriteAsync(Hosts, "127.0.0.1 localhost\n", cancellationToken).ConfigureAwait(false);
        }

        /// <summary>As tried in dotnet-facts §6.1; limits raised for fifty logins and channels at once.</summary>
        public string Configuration(IPEndPoint at) => string.Create(CultureInfo.InvariantCulture, $"""
            ListenAddress {at.Address}
            Port {at.Port}
            AddressFamily inet
            HostKey {HostKey}
            PidFile none
            UsePAM no
            StrictModes no
            AuthorizedKeysFile {Keys}/%u
            AuthenticationMethods publickey
            PubkeyAuthentication yes
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            AllowUsers {User}
            AllowTcpForwarding local
            AllowStreamLocalForwarding no
            AllowAgentForwarding no
            X11Forwarding no
            PermitTunnel no
            UseDNS no
            PrintMotd no
            MaxStartups 200
            MaxSessions 200
            LogLevel VERBOSE

            """);

        private static async Task WriteAsync(string file, string text, CancellationToken cancellationToken)
        {
            await File.WriteAllTextAsync(file, text, cancellationToken).ConfigureAwait(false);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }
    }
}
