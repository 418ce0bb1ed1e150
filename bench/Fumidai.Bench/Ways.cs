using System.Diagnostics;
using System.Globalization;

namespace Fumidai.Bench;

/// <summary>Starts the ways to compare. A peer that this machine lacks is left out and named, and no ratio against it is printed.</summary>
internal static class Ways
{
    /// <summary><c>fumidai tunnel host/localhost:PORT</c> through a bastion of the lab whose environment we run in.</summary>
    public static async Task<Way> FumidaiAsync(string fumidai, string route, string bastion, string host, params (string Name, string Value)[] environment)
    {
        var watch = Stopwatch.StartNew();
        var process = Start(fumidai, ["tunnel", "host/" + host, "--via", route, "--bastion", bastion], environment);
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException(await process.StandardError.ReadToEndAsync());
        _ = process.StandardError.ReadToEndAsync();
        return new Way($"fumidai {route}", int.Parse(line.Split(' ')[2].Split(':')[^1], CultureInfo.InvariantCulture), process) { ReadyMilliseconds = watch.Elapsed.TotalMilliseconds };
    }

    /// <summary>The bare chain with that payload; CPU and memory are those of its client.</summary>
    public static async Task<Way> ChainAsync(int farPort, int payload, DelayLine? line = null)
    {
        var started = new List<Process>();
        async Task<string> LinkAsync(string part, string to)
        {
            var process = Start(Environment.ProcessPath!, ["chain", part, to, payload.ToString(CultureInfo.InvariantCulture)]);
            started.Add(process);
            return await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException(await process.StandardError.ReadToEndAsync());
        }
        var agent = await LinkAsync("agent", farPort.ToString(CultureInfo.InvariantCulture));
        var relay = await LinkAsync("relay", agent);
        var client = await LinkAsync("client", line is null ? relay : line.To(int.Parse(relay, CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture));
        return new Way("bare chain", int.Parse(client, CultureInfo.InvariantCulture), started[2]) { Others = [started[0], started[1]] };
    }

    /// <summary>OpenSSH's own <c>ssh -L</c> through the same sshd, with a key pushed by the aws CLI.</summary>
    public static async Task<Way?> OpenSshAsync(string bastion, string address, string sshPort, string host)
    {
        if (!Found("ssh") || !Found("ssh-keygen") || !Found("aws"))
            return null;
        var folder = Directory.CreateTempSubdirectory("fumidai-bench-");
        var key = Path.Combine(folder.FullName, "key");
        await RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
        await RunAsync("aws", ["ec2-instance-connect", "send-ssh-public-key", "--instance-id", bastion, "--instance-os-user", "ec2-user", "--ssh-public-key", "file://" + key + ".pub"]);
        var port = FreePort();
        var watch = Stopwatch.StartNew();
        var process = Start("ssh", ["-N", "-F", "none", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=DEBUG1", "-o", "ExitOnForwardFailure=yes",
            "-p", sshPort, "-L", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}:{host}"), "ec2-user@" + address]);
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            if (line.Contains("Entering interactive session", StringComparison.Ordinal))
            {
                _ = process.StandardError.ReadToEndAsync();
                folder.Delete(recursive: true);
                return new Way("ssh -L", port, process) { ReadyMilliseconds = watch.Elapsed.TotalMilliseconds };
            }
        }
        throw new InvalidOperationException("ssh -L did not come up");
    }

    public static async Task<string> RunAsync(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        using var process = Start(program, arguments, environment);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? (await output).Trim() : throw new InvalidOperationException($"{program}: {await error}");
    }

    public static Process Start(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public static bool Found(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(d => File.Exists(Path.Combine(d, program)));

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
