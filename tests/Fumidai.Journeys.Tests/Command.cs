using System.Diagnostics;
using System.Text;

namespace Fumidai.Journeys.Tests;

/// <summary>What a finished command left.</summary>
/// <param name="ExitCode">Its exit code; 128 + signal when a signal ended it.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record Finished(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit code {ExitCode}\n--- stdout\n{Output}\n--- stderr\n{Error}";
}

/// <summary>A child process whose lines can be waited for. Killed with everything it started when disposed.</summary>
internal sealed class Command : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(120);
    private readonly Process _process;
    private readonly Lines _output = new();
    private readonly Lines _error = new();
    private readonly Task _reading;

    private Command(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(_output.ReadAsync(process.StandardOutput), _error.ReadAsync(process.StandardError));
    }

    /// <summary>The command under test: FUMIDAI_BIN, else what the build made.</summary>
    public static string Fumidai { get; } = Environment.GetEnvironmentVariable("FUMIDAI_BIN") is { Length: > 0 } path
        ? path
        : Path.Combine(Repository, "artifacts", "bin", "Fumidai.Cli", Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/')) + "/" + Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'))), "Fumidai.Cli");

    private static string Repository
    {
        get
        {
            for (var d = new DirectoryInfo(AppContext.BaseDirectory); d is not null; d = d.Parent)
            {
                if (File.Exists(Path.Combine(d.FullName, "Fumidai.slnx")))
                    return d.FullName;
            }
            throw new InvalidOperationException("no checkout above " + AppContext.BaseDirectory);
        }
    }

    public int Id => _process.Id;

    public static Command Start(IReadOnlyDictionary<string, string> environment, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.Latin1,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new Command(Process.Start(start)!);
    }

    public static async Task<Finished> RunAsync(IReadOnlyDictionary<string, string> environment, string program, params string[] arguments)
    {
        await using var command = Start(environment, program, arguments);
        command._process.StandardInput.Close();
        return await command.FinishAsync();
    }

    /// <summary>Waits for the end.</summary>
    public async Task<Finished> FinishAsync()
    {
        using var guard = new CancellationTokenSource(Guard);
        try
        {
            await _process.WaitForExitAsync(guard.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)} did not end within {Guard.TotalSeconds} s\n{_output}\n{_error}");
        }
        await _reading;
        return new Finished(_process.ExitCode, _output.ToString(), _error.ToString());
    }

    /// <summary>The first line of standard output that holds the text; fails when the command ends before.</summary>
    public Task<string> OutputLineAsync(string text) => LineAsync(_output, text);

    /// <summary>The same for standard error.</summary>
    public Task<string> ErrorLineAsync(string text) => LineAsync(_error, text);

    private async Task<string> LineAsync(Lines lines, string text)
    {
        using var guard = new CancellationTokenSource(Guard);
        return await lines.FirstAsync(text, guard.Token)
            ?? throw new InvalidOperationException($"no line with '{text}' from {_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)}\n--- stdout\n{_output}\n--- stderr\n{_error}");
    }

    public async Task TypeAsync(string text)
    {
        await _process.StandardInput.WriteAsync(text);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>SIGKILL to this one process, not to its children.</summary>
    public void Kill() => _process.Kill();

    public void Signal(string name) => Process.Start("kill", ["-" + name, _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]).WaitForExit();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
