using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class KeeperTests
{
    private const string ReportTo = "FUMIDAI_TEST_REPORT_TO";

    [Fact]
    public async Task Nothing_is_left_after_the_lab_was_killed_by_sigkill()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the processes are looked up under /proc");
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(KeeperTests).Assembly.Location);
        foreach (var argument in (string[])["--filter-method", $"*{nameof(Servers_of_a_lab_that_is_about_to_be_killed)}", "--explicit", "only", "--timeout", "2m"])
            start.ArgumentList.Add(argument);
        start.Environment[ReportTo] = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        using var lab = Process.Start(start)!;
        _ = lab.StandardOutput.ReadToEndAsync(ServerFixture.Limit);
        _ = lab.StandardError.ReadToEndAsync(ServerFixture.Limit);
        string[] report;
        using (var connection = await listener.AcceptTcpClientAsync(ServerFixture.Limit))
        using (var reader = new StreamReader(connection.GetStream()))
            report = (await reader.ReadToEndAsync(ServerFixture.Limit)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var folder = report[0];
        var processes = report[1..].Select(line => int.Parse(line, CultureInfo.InvariantCulture)).ToList();
        var keeper = processes[0];
        Assert.True(Directory.Exists(folder));
        Assert.All(processes, process => Assert.True(Directory.Exists($"/proc/{process}")));
        // PostgreSQL has helpers, the login and its session are children of sshd: they must go too.
        var all = Descendants(processes[1]).Concat(Descendants(processes[2])).Concat(processes).ToHashSet();
        Assert.True(all.Count > processes.Count + 3, string.Join(' ', all));

        Assert.Equal(0, Native.kill(lab.Id, Native.Kill));
        await lab.WaitForExitAsync(ServerFixture.Limit);
        await GoneAsync(keeper);
        Assert.All(all, process => Assert.False(IsRunning(process), $"{process} is still running"));
        Assert.False(Directory.Exists(folder));
    }

    [Fact(Explicit = true)]
    public async Task Servers_of_a_lab_that_is_about_to_be_killed()
    {
        if (Environment.GetEnvironmentVariable(ReportTo) is not { } port)
            return;
        var fixture = new ServerFixture();
        var postgres = await fixture.PostgresAsync(new(ServerFixture.FreshAddress(), 0));
        var room = await SshdRoom.FindAsync(ServerFixture.Limit);
        var sshd = await BastionSshd.StartAsync(room, Path.Combine(fixture.Servers, "i-0abc"), ServerFixture.FreshAddress(), fixture.Keeper, TimeProvider.System, ServerFixture.Limit);
        // An sshd session that hangs before its login: a process of its own.
        using var session = new TcpClient();
        await session.ConnectAsync(sshd.Listening, ServerFixture.Limit);
        Assert.NotEqual(0, await session.GetStream().ReadAsync(new byte[10], ServerFixture.Limit));
        using (var connection = new TcpClient())
        {
            await connection.ConnectAsync(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture), ServerFixture.Limit);
            await connection.GetStream().WriteAsync(Encoding.UTF8.GetBytes($"{fixture.Folder}\n{fixture.Keeper.ProcessId}\n{postgres.ProcessId}\n{sshd.ProcessId}\n"), ServerFixture.Limit);
        }
        await Task.WhenAny(postgres.Ended, Task.Delay(Timeout.Infinite, ServerFixture.Limit));
    }

    [Fact]
    public async Task At_an_orderly_end_the_folder_goes_and_a_forgotten_process_is_left_alone()
    {
        var folder = Directory.CreateTempSubdirectory("fumidai-lab-test-").FullName;
        var keeper = Keeper.Start();
        using var watched = Process.Start(new ProcessStartInfo("sleep") { ArgumentList = { "300" } })!;
        using var forgotten = Process.Start(new ProcessStartInfo("sleep") { ArgumentList = { "300" } })!;
        keeper.Remove(folder);
        keeper.Watch(watched.Id, EndBy.Kill);
        keeper.Watch(forgotten.Id, EndBy.Kill);
        keeper.Forget(forgotten.Id);
        await keeper.DisposeAsync();
        await watched.WaitForExitAsync(ServerFixture.Limit);
        Assert.Equal(137, watched.ExitCode);
        Assert.False(Directory.Exists(folder));
        Assert.False(forgotten.HasExited);
        forgotten.Kill();
    }

    private static List<int> Descendants(int of)
    {
        var parents = new Dictionary<int, int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var process))
                continue;
            try
            {
                var stat = File.ReadAllText(Path.Combine(directory, "stat"));
                parents[process] = int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }
        List<int> found = [];
        List<int> generation = [of];
        while (generation.Count > 0)
        {
            generation = [.. parents.Where(pair => generation.Contains(pair.Value)).Select(pair => pair.Key)];
            found.AddRange(generation);
        }
        return found;
    }

    private static bool IsRunning(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task GoneAsync(int process)
    {
        // Not our child: the kernel has no signal for us when it ends.
        while (IsRunning(process))
        {
            ServerFixture.Limit.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
