using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary>Real children. Each limit of ten seconds is only a guard.</summary>
public sealed class ClientProcessTests : IDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(10);
    private readonly string _folder = Directory.CreateTempSubdirectory("fumidai-cli-tests-").FullName;
    private readonly StopSignals _stop = new();

    public void Dispose()
    {
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 3", 3)]
    [InlineData("kill -KILL $$", 137)]
    public async Task Its_exit_code_is_the_client_s_own(string script, int code) => Assert.Equal(code, await ShellAsync(script));

    [Fact]
    public async Task The_client_gets_its_words_its_name_and_its_variables_and_never_those_taken_away()
    {
        var file = Path.Combine(_folder, "said");
        Environment.SetEnvironmentVariable("FUMIDAI_TEST_TAKEN", "still here");

        var code = await ClientProcess.RunAsync(
            "/bin/sh", "sh", ["-c", "printf '%s|%s|%s|%s' \"$1\" \"$2\" \"$PGPASSWORD\" \"${FUMIDAI_TEST_TAKEN-gone}\" >\"$0\"", file, "a b", ""],
            [KeyValuePair.Create("PGPASSWORD", (string?)"p:\\w"), KeyValuePair.Create("FUMIDAI_TEST_TAKEN", (string?)null)], _stop, TimeProvider.System);

        Assert.Equal(0, code);
        Assert.Equal("a b||p:\\w|gone", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Signals_mean_to_the_client_what_they_mean_without_us()
    {
        // SIGPIPE and SIGINT: ignored by the runtime or handled by us, default for the client.
        Assert.Equal(128 + 13, await ShellAsync("kill -PIPE $$"));
        Assert.Equal(128 + 2, await ShellAsync("kill -INT $$"));
    }

    [Fact]
    public async Task A_program_that_cannot_start_is_told_as_shells_do()
    {
        var broken = Path.Combine(_folder, "broken");
        await File.WriteAllTextAsync(broken, "#!/no/such/interpreter\n", TestContext.Current.CancellationToken);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(broken, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        Assert.Equal(126, await ClientProcess.RunAsync(broken, "broken", [], [], _stop, TimeProvider.System));
    }

    [Fact]
    public async Task SIGTERM_is_passed_on_to_the_client()
    {
        var ready = Path.Combine(_folder, "ready");
        var running = ShellAsync($"trap 'exit 9' TERM; echo >'{ready}'; while :; do sleep 0.05; done");
        await ExistsAsync(ready);

        _stop.Stop(ExitCodes.Terminated);

        Assert.Equal(9, await running.WaitAsync(Guard, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_client_that_does_not_end_is_ended()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var ready = Path.Combine(_folder, "ready");
        var running = ClientProcess.RunAsync("/bin/sh", "sh", ["-c", $"trap '' TERM; echo >'{ready}'; while :; do sleep 0.05; done"], [], _stop, time);
        await ExistsAsync(ready);

        _stop.Stop(ExitCodes.Terminated);
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(137, await running);
    }

    [Fact]
    public async Task Interrupts_are_left_to_the_client_and_are_ours_again_afterwards()
    {
        using (_stop.LeaveInterruptsToClient())
            Assert.False(_stop.Token.IsCancellationRequested);
        Assert.Equal(0, await ShellAsync("exit 0"));

        Assert.True(_stop.Stop(ExitCodes.Interrupted));
        Assert.False(_stop.Stop(ExitCodes.Terminated));
        Assert.Equal(ExitCodes.Interrupted, _stop.ExitCode);
    }

    [Fact]
    public async Task A_killed_parent_takes_its_client_along()
    {
        if (!OperatingSystem.IsLinux())
            return;
        // A shell stands for fumidai: it starts a client the way fumidai does, tells its process id, and is killed.
        var program = Path.Combine(AppContext.BaseDirectory, "Fumidai.Cli");
        using var parent = Start("/bin/sh", "-c", $"'{program}' {BecomeClient.Word} $$ /bin/sh sh -c 'echo $$; exec sleep 1000' & wait");
        var client = int.Parse((await parent.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!, CultureInfo.InvariantCulture);

        parent.Kill();

        // The pipe ends when the last one that holds it is gone.
        Assert.Equal("", await parent.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken).WaitAsync(Guard, TestContext.Current.CancellationToken));
        Assert.False(Directory.Exists($"/proc/{client}") && !(await File.ReadAllTextAsync($"/proc/{client}/stat", TestContext.Current.CancellationToken)).Contains(") Z ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_whose_parent_died_too_early_never_starts()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var orphan = Start(Path.Combine(AppContext.BaseDirectory, "Fumidai.Cli"), BecomeClient.Word, "1", "/bin/echo", "echo", "started");

        Assert.Equal("", await orphan.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        await orphan.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Terminated, orphan.ExitCode);
    }

    [Fact]
    public async Task The_death_watch_acts_when_its_owner_is_killed_and_not_when_it_ends_in_order()
    {
        if (OperatingSystem.IsWindows())
            return;
        var (kept, removed) = (Path.Combine(_folder, "kept"), Path.Combine(_folder, "it's to be removed"));
        await File.WriteAllTextAsync(kept, "", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(removed, "", TestContext.Current.CancellationToken);
        using var sleeper = Start("/bin/sleep", "1000");
        using (var orderly = new DeathWatch())
            orderly.Remove(kept);

        var killed = new DeathWatch();
        killed.Remove(removed);
        killed.End(sleeper.Id);
        killed.Break();

        await sleeper.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Guard, TestContext.Current.CancellationToken);
        await killed.Gone.WaitAsync(Guard, TestContext.Current.CancellationToken);
        Assert.Equal(143, sleeper.ExitCode);
        Assert.True(File.Exists(kept));
        Assert.False(File.Exists(removed));
        killed.Dispose();
    }

    private Task<int> ShellAsync(string script) => ClientProcess.RunAsync("/bin/sh", "sh", ["-c", script], [], _stop, TimeProvider.System);

    private static Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static async Task ExistsAsync(string path)
    {
        using var watcher = new FileSystemWatcher(Path.GetDirectoryName(path)!) { EnableRaisingEvents = true };
        var created = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Created += (_, e) =>
        {
            if (e.FullPath == path)
                created.TrySetResult();
        };
        if (!File.Exists(path))
            await created.Task.WaitAsync(Guard, TestContext.Current.CancellationToken);
    }
}
