using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>What can be seen of this machine from outside the product.</summary>
internal static class Machine
{
    public static bool Finds(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    public static async Task<bool> ListensAsync(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Pids of processes below this one, deepest last, with their command names.</summary>
    public static IReadOnlyList<(int Pid, string Name)> Descendants(int pid)
    {
        var found = new List<(int, string)>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var candidate))
                continue;
            try
            {
                var stat = File.ReadAllText(Path.Combine(directory, "stat"));
                var close = stat.LastIndexOf(')');
                var parent = int.Parse(stat[(close + 2)..].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
                if (parent == pid)
                {
                    found.Add((candidate, stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..close]));
                    found.AddRange(Descendants(candidate));
                }
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }
        return found;
    }

    /// <summary>Waits until a process that is not our child has ended; fails after ten seconds.</summary>
    public static async Task GoneAsync(int pid)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            await process.WaitForExitAsync(guard.Token);
        }
        catch (ArgumentException)
        {
            // Gone already.
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"process {pid} still lives");
        }
    }

    public static void Kill(int pid)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // Gone already.
        }
    }

    public static string CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ');
        }
        catch (IOException)
        {
            return "";
        }
    }

    public static bool Lives(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..][0] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>A file's text; empty where it has gone or is not ours to read.</summary>
    public static string ReadIfThere(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
