using System.Diagnostics;

namespace Fumidai.Cli;

/// <summary>
/// A client in the foreground: it has our terminal, our streams and our process group, so Ctrl-C and Ctrl-Z work as if we were not there.
/// It ends with us, whatever ends us (SIGKILL too: <see cref="BecomeClient"/> on Linux, <see cref="DeathWatch"/> on other Unix systems).
/// </summary>
internal static class ClientProcess
{
    /// <summary>How long a client may take over its end after we passed on a signal.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);

    /// <summary>Runs it to its end. The result is its own exit code (128 + signal when one ended it).</summary>
    /// <param name="path">The program's file.</param>
    /// <param name="name">What it was called by: its argv[0].</param>
    /// <param name="arguments">After the name.</param>
    /// <param name="environment">Variables to set; null values are removed. The place for secrets: arguments are public.</param>
    /// <param name="stop">SIGTERM and SIGHUP are passed on to it; Ctrl-C is left to it.</param>
    /// <param name="time">The clock.</param>
    internal static async Task<int> RunAsync(
        string path, string name, IReadOnlyList<string> arguments, IEnumerable<KeyValuePair<string, string?>> environment, StopSignals stop, TimeProvider time)
    {
        using var turn = stop.LeaveInterruptsToClient();
        var start = StartInfo(path, name, arguments);
        foreach (var (variable, value) in environment)
        {
            if (value is null)
                start.Environment.Remove(variable);
            else
                start.Environment[variable] = value;
        }
        using var watch = BecomeClient.IsSupported || OperatingSystem.IsWindows() ? null : new DeathWatch();
        using var process = new Process { StartInfo = start };
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = RunOnThread(process, watch, started);
        await Task.WhenAny(started.Task, ended).ConfigureAwait(false);
        using (stop.Token.UnsafeRegister(_ => _ = EndAsync(process, stop.ExitCode, ended, time), null))
            return await ended.ConfigureAwait(false);
    }

    private static ProcessStartInfo StartInfo(string path, string name, IReadOnlyList<string> arguments)
    {
        var (program, first) = BecomeClient.IsSupported ? BecomeClient.Start(path, name) : (path, []);
        var start = new ProcessStartInfo(program) { UseShellExecute = false };
        foreach (var argument in (IEnumerable<string>)[.. first, .. arguments])
            start.ArgumentList.Add(argument);
        return start;
    }

    // The kernel's word “when the parent dies” means the thread that forked: one that stays until the client has ended.
    private static Task<int> RunOnThread(Process process, DeathWatch? watch, TaskCompletionSource started)
    {
        var ended = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                process.Start();
                watch?.End(process.Id);
                started.SetResult();
                process.WaitForExit();
                ended.SetResult(process.ExitCode);
            }
            catch (Exception e)
            {
                ended.SetException(e);
            }
        })
        { IsBackground = true, Name = "client" }.Start();
        return ended.Task;
    }

    private static async Task EndAsync(Process process, int exitCode, Task ended, TimeProvider time)
    {
        if (ended.IsCompleted)
            return;
        if (OperatingSystem.IsWindows())
            process.Kill();
        else
            _ = Libc.Kill(process.Id, exitCode == ExitCodes.HungUp ? Libc.SigHup : Libc.SigTerm);
        try
        {
            await ended.WaitAsync(EndLimit, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            process.Kill();
        }
    }
}
