using System.Diagnostics;
using System.Globalization;

namespace Fumidai.Bench;

/// <summary>Starts the ways to compare. A peer that this machine lacks is left out and named, and no ratio against it is printed.</summary>
internal static class Ways
{
    /// <summary><c>fumidai tunnel host/localhost:PORT</c> through a bastion of the lab whose environment we run in.</summary>
    public static async Task<Way> FumidaiAsync(string fumidai, string route, string bastion, int farPort)
    {
        var process = Start(fumidai, ["tunnel", string.Create(CultureInfo.InvariantCulture, $"host/localhost:{farPort}"), "--via", route, "--bastion", bastion]);
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException(await process.StandardError.ReadToEndAsync());
        _ = process.StandardError.ReadToEndAsync();
        return new Way($"fumidai {route}", int.Parse(line.Split(' ')[2].Split(':')[^1], CultureInfo.InvariantCulture), process);
    }

    /// <summary>OpenSSH's own <c>ssh -L</c> through the same sshd, with a key pushed by the aws CLI.</summary>
    public static async Task<Way?> OpenSshAsync(string bastion, string address, string sshPort, int farPort)
    {
        if (!Found("ssh") || !Found("ssh-keygen") || !Found("aws"))
            return null;
        var folder = Directory.CreateTempSubdirectory("fumidai-bench-");
        var key = Path.Combine(folder.FullName, "key");
        await RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
        await RunAsync("aws", ["ec2-instance-connect", "send-ssh-public-key", "--instance-id", bastion, "--instance-os-user", "ec2-user", "--ssh-public-key", "file://" + key + ".pub"]);
        var port = FreePort();
        var process = Start("ssh", ["-N", "-F", "none", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=DEBUG1", "-o", "ExitOnForwardFailure=yes",
            "-p", sshPort, "-L", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}:localhost:{farPort}"), "ec2-user@" + address]);
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            if (line.Contains("Entering interactive session", StringComparison.Ordinal))
            {
                _ = process.StandardError.ReadToEndAsync();
                folder.Delete(recursive: true);
                return new Way("ssh -L", port, process);
            }
        }
        throw new InvalidOperationException("ssh -L did not come up");
    }

    public static async Task<string> RunAsync(string program, string[] arguments)
    {
        using var process = Start(program, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? (await output).Trim() : throw new InvalidOperationException($"{program}: {await error}");
    }

    private static Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        return Process.Start(start)!;
    }

    private static bool Found(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(d => File.Exists(Path.Combine(d, program)));

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
