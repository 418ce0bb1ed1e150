using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Fumidai.Tests;

/// <summary>
/// A real OpenSSH sshd as an ordinary user configures it, on a free port, with its own host key and authorized_keys. Started once for the
/// class, ended with it.
/// </summary>
public sealed class Sshd : IDisposable
{
    private const string Binary = "/usr/sbin/sshd";

    private readonly Requests.Folder _folder = new();
    private Process? _process;

    public Sshd()
    {
        if (!IsThere)
            return;
        if (Environment.UserName == "root")
            Directory.CreateDirectory("/run/sshd"); // sshd as root refuses to start without it
        Keygen("host_ed25519", "ed25519", null);
        Keygen("host_ecdsa", "ecdsa", null);
        File.WriteAllText(AuthorizedKeys, "");
        File.SetUnixFileMode(AuthorizedKeys, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        HostKeys = ["host_ed25519", "host_ecdsa"];
        Start();
    }

    public static bool IsThere => File.Exists(Binary) && File.Exists("/usr/bin/ssh-keygen");

    public static string User => Environment.UserName;

    public IPEndPoint Address { get; private set; } = new(IPAddress.Loopback, 0);

    public string[] HostKeys { get; set; } = [];

    public string Folder => _folder.Path;

    public string AuthorizedKeys => _folder.File("authorized_keys");

    public static void Need() => Assert.SkipUnless(IsThere, $"{Binary} and ssh-keygen are not installed: the ssh route is NOT tested (apt-get install openssh-server)");

    /// <summary>Starts (again) with the host keys chosen, on the port it had, if it had one.</summary>
    public void Start()
    {
        Stop();
        for (var attempt = 0; ; attempt++)
        {
            var port = Address.Port != 0 ? Address.Port : FreePort();
            File.WriteAllText(_folder.File("sshd_config"), $"""
                ListenAddress 127.0.0.1:{port}
                {string.Join('\n', HostKeys.Select(k => $"HostKey {_folder.File(k)}"))}
                AuthorizedKeysFile {AuthorizedKeys}
                PidFile none
                UsePAM no
                StrictModes no
                PasswordAuthentication no
                KbdInteractiveAuthentication no
                AllowTcpForwarding local
                MaxStartups 100
                MaxSessions 100
                ClientAliveInterval 1
                LogLevel ERROR
                """);
            var start = new ProcessStartInfo(Binary) { RedirectStandardError = true };
            foreach (var argument in (string[])["-D", "-e", "-f", _folder.File("sshd_config")])
                start.ArgumentList.Add(argument);
            _process = Process.Start(start)!;
            _process.BeginErrorReadLine();
            if (Answers(port))
            {
                Address = new IPEndPoint(IPAddress.Loopback, port);
                return;
            }
            Assert.True(attempt < 5, "sshd did not start");
        }
    }

    public void Stop()
    {
        if (_process is null)
            return;
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Stops or lets go on the processes that serve logged-in clients, as a machine that hangs would.</summary>
    public void Freeze(bool frozen)
    {
        foreach (var child in Children(_process!.Id))
            Signal(child, frozen ? "STOP" : "CONT");
    }

    private static List<int> Children(int parent)
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var pid) || !File.Exists($"{folder}/stat"))
                continue;
            var stat = File.ReadAllText($"{folder}/stat");
            if (stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == parent.ToString(System.Globalization.CultureInfo.InvariantCulture))
            {
                found.Add(pid);
                found.AddRange(Children(pid));
            }
        }
        return found;
    }

    private static void Signal(int pid, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", pid.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Makes a key pair file; returns the private one's path. Its public half is let in.</summary>
    public string Keygen(string name, string type, string? passphrase, bool pem = false, bool allow = false)
    {
        var path = _folder.File(name);
        if (!File.Exists(path))
        {
            string[] arguments = ["-q", "-t", type, "-N", passphrase ?? "", "-f", path, "-C", name, .. pem ? (string[])["-m", "PEM"] : [], .. type == "rsa" ? (string[])["-b", "2048"] : []];
            using var process = Process.Start(new ProcessStartInfo("/usr/bin/ssh-keygen", arguments))!;
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
        }
        if (allow)
            Allow(File.ReadAllText(path + ".pub").Trim());
        return path;
    }

    public void Allow(string line)
    {
        lock (_folder)
            File.AppendAllText(AuthorizedKeys, line + "\n");
    }

    public void Dispose()
    {
        Stop();
        _folder.Dispose();
    }

    private bool Answers(int port)
    {
        // sshd tells nobody when it listens: ask until it answers or has exited.
        var watch = Stopwatch.StartNew();
        while (!_process!.HasExited && watch.Elapsed < TimeSpan.FromSeconds(10))
        {
            try
            {
                using var probe = new TcpClient();
                probe.Connect(IPAddress.Loopback, port);
                return probe.GetStream().ReadByte() == 'S';
            }
            catch (SocketException)
            {
                _process.WaitForExit(20);
            }
        }
        return false;
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
