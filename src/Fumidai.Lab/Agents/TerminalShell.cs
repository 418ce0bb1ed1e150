using System.Diagnostics;
using System.Globalization;
using Fumidai.SessionManager;

namespace Fumidai.Lab;

/// <summary>
/// Processes of shell and command sessions: real ones, on a real terminal made by util-linux's <c>script</c>, without root's rights. They run on
/// this machine and see it; the model's network does not hold for them.
/// </summary>
internal sealed class TerminalShell(Keeper keeper) : IAgentShell
{
    public async ValueTask<IAgentProcess> StartAsync(AgentCommand command, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
            throw new LabException("shell sessions need Linux or macOS");
        var bash = File.Exists("/bin/bash") ? "/bin/bash" : "/bin/sh";
        List<string> program = command.Command is { } line ? [bash, "-c", command.HasTerminal || command.SeparateError ? line : line + " 2>&1"] : bash == "/bin/bash" ? [bash, "--noprofile", "--norc"] : [bash];
        List<string> arguments = Programs.Find("setsid") is { } setsid ? [setsid] : [];
        arguments.AddRange(ServerUser.ForSshd().Prefix);
        if (command.HasTerminal)
        {
            var script = Programs.Find("script") ?? throw new LabException("shell sessions need util-linux (script)");
            // The first line tells which terminal it is; it is not the user's.
            program = ["/bin/sh", "-c", "tty; exec \"$@\"", "sh", .. program];
            if (OperatingSystem.IsLinux())
                arguments.AddRange([script, "--quiet", "--flush", "--return", "--command", string.Join(' ', program.Select(Quoted)), "/dev/null"]);
            else
                arguments.AddRange([script, "-q", "/dev/null", .. program]);
        }
        else
        {
            arguments.AddRange(program);
        }
        var start = new ProcessStartInfo(arguments[0]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = "/" };
        foreach (var argument in arguments.Skip(1))
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        foreach (var (name, value) in (KeyValuePair<string, string>[])[new("PATH", "/usr/local/bin:/usr/bin:/bin"), new("TERM", "xterm-256color"), new("HOME", "/"), new("USER", "ssm-user"), new("LANG", "C.UTF-8"), new("PS1", "sh-5.2$ "), new("SHELL", bash)])
            start.Environment[name] = value;
        var process = Process.Start(start) ?? throw new LabException("the shell could not be started");
        keeper.Watch(process.Id, EndBy.Kill);
        var running = new Running(process, keeper, command);
        try
        {
            if (command.HasTerminal)
                await running.LearnTerminalAsync(cancellationToken).ConfigureAwait(false);
            return running;
        }
        catch
        {
            await running.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static string Quoted(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private sealed class Running : IAgentProcess
    {
        private readonly Process _process;
        private string? _terminal;
        private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Running(Process process, Keeper keeper, AgentCommand command)
        {
            _process = process;
            Input = process.StandardInput.BaseStream;
            Output = process.StandardOutput.BaseStream;
            Error = command.SeparateError && !command.HasTerminal ? process.StandardError.BaseStream : null;
            process.EnableRaisingEvents = true;
            process.Exited += (_, _) => Leave(keeper);
            if (process.HasExited)
                Leave(keeper);
        }

        public Stream Input { get; }
        public Stream Output { get; }
        public Stream? Error { get; }
        public Task<int> Exited => _exited.Task;

        public async ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellationToken)
        {
            if (_terminal is not { } terminal || Programs.Find("stty") is not { } stty)
                return;
            await ServerProcess.TryRunAsync([stty, OperatingSystem.IsLinux() ? "-F" : "-f", terminal, "cols", size.Columns.ToString(CultureInfo.InvariantCulture), "rows", size.Rows.ToString(CultureInfo.InvariantCulture)], null, cancellationToken).ConfigureAwait(false);
        }

        public async ValueTask DisposeAsync()
        {
            if (!_exited.Task.IsCompleted)
            {
                _process.Kill(entireProcessTree: true);
                await _exited.Task.ConfigureAwait(false);
            }
            _process.Dispose();
        }

        private void Leave(Keeper keeper)
        {
            if (_exited.TrySetResult(_process.ExitCode))
                keeper.Forget(_process.Id);
        }

        /// <summary>Reads the first line.</summary>
        public async Task LearnTerminalAsync(CancellationToken cancellationToken)
        {
            var line = new byte[64];
            for (var length = 0; length < line.Length && await Output.ReadAsync(line.AsMemory(length, 1), cancellationToken).ConfigureAwait(false) == 1; length++)
            {
                if (line[length] != (byte)'\n')
                    continue;
                var name = System.Text.Encoding.ASCII.GetString(line, 0, length).Trim();
                _terminal = name.StartsWith("/dev/", StringComparison.Ordinal) ? name : null;
                return;
            }
            throw new LabException("the shell's terminal could not be made");
        }
    }
}
