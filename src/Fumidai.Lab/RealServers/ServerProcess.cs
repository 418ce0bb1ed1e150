using System.Diagnostics;
using System.Text;

namespace Fumidai.Lab;

/// <summary>One real server started by the lab: ready when it says so on its standard error, ended by <see cref="StopAsync"/> or by the keeper.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    /// <summary>Lines kept to explain a failed start.</summary>
    private const int KeptLines = 40;

    private readonly Process _process;
    private readonly Keeper _keeper;
    private readonly Queue<string> _lastLines = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<string, bool> _isReady;
    private Task _reading = Task.CompletedTask;
    private int _forgotten;

    private ServerProcess(Process process, Keeper keeper, Func<string, bool> isReady)
    {
        _process = process;
        _keeper = keeper;
        _isReady = isReady;
    }

    public int ProcessId => _process.Id;

    /// <summary>Completes when the process has ended.</summary>
    public Task Exited { get; private set; } = Task.CompletedTask;

    /// <summary>What it said last, for error texts.</summary>
    public string LastWords
    {
        get
        {
            lock (_lastLines)
                return string.Join('\n', _lastLines);
        }
    }

    /// <summary>Starts a server and waits for its ready line.</summary>
    /// <exception cref="LabException">It ended before it was ready, or was not ready within 30 s; the message holds its last words.</exception>
    public static async Task<ServerProcess> StartAsync(string name, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, EndBy endBy, Keeper keeper, Func<string, bool> isReady, CancellationToken cancellationToken)
    {
        // The shell waits for a word before it becomes the server: if the lab dies before the keeper knows the process, there is no server.
        List<string> wrapped = [];
        if (Programs.Find("setsid") is { } setsid)
            wrapped.Add(setsid);
        wrapped.AddRange(["/bin/sh", "-c", "read -r go && exec \"$@\" </dev/null", "fumidai-lab-server"]);
        wrapped.AddRange(command);
        var process = Process.Start(Describe(wrapped, environment)) ?? throw new LabException($"{name} could not be started");
        var server = new ServerProcess(process, keeper, isReady);
        keeper.Watch(process.Id, endBy);
        server.Exited = server.WatchAsync();
        server._reading = server.ReadAsync();
        try
        {
            await process.StandardInput.WriteLineAsync("go".AsMemory(), cancellationToken).ConfigureAwait(false);
            process.StandardInput.Close();
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            await Task.WhenAny(server._ready.Task, server.Exited).WaitAsync(both.Token).ConfigureAwait(false);
            if (server._ready.Task.IsCompletedSuccessfully)
                return server;
            await server._reading.ConfigureAwait(false);
            throw new LabException($"{name} ended at once; it said:\n{server.LastWords}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw new LabException($"{name} was not ready within 30 s; it said:\n{server.LastWords}");
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Runs a short program to its end; its standard output. Standard input gets <paramref name="input"/>.</summary>
    /// <exception cref="LabException">Missing, or a non-zero exit; the message holds its words, never its input.</exception>
    public static async Task<string> RunAsync(IReadOnlyList<string> command, string? input, CancellationToken cancellationToken)
    {
        var (code, output, error) = await TryRunAsync(command, input, cancellationToken).ConfigureAwait(false);
        return code == 0 ? output : throw new LabException($"{Path.GetFileName(command[0])} failed ({code}): {(error.Length > 0 ? error : output).Trim()}");
    }

    /// <summary>The same, with the exit code for the caller to judge.</summary>
    public static async Task<(int Code, string Output, string Error)> TryRunAsync(IReadOnlyList<string> command, string? input, CancellationToken cancellationToken)
    {
        using var process = Process.Start(Describe(command, new Dictionary<string, string> { ["LC_ALL"] = "C" })) ?? throw new LabException($"{command[0]} could not be started");
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            if (input is not null)
                await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken).ConfigureAwait(false);
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return (process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
    }

    /// <summary>Sends a signal; waits for the end, after ten seconds with SIGKILL.</summary>
    public async Task StopAsync(int signal)
    {
        if (!Exited.IsCompleted)
        {
            _ = Native.kill(_process.Id, signal);
            try
            {
                await Exited.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                _process.Kill(entireProcessTree: true);
                await Exited.ConfigureAwait(false);
            }
        }
    }

    /// <summary>Ends it and all its descendants now.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Exited.IsCompleted)
            _process.Kill(entireProcessTree: true);
        await Exited.ConfigureAwait(false);
        _process.Dispose();
    }

    private static ProcessStartInfo Describe(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = "/" };
        foreach (var argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        // The user's environment is not the server's: PGDATA, PGPORT, LD_PRELOAD, keys of AWS have no business there.
        start.Environment.Clear();
        start.Environment["PATH"] = (Environment.GetEnvironmentVariable("PATH") ?? "") + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return start;
    }

    private async Task WatchAsync()
    {
        // Not WaitForExitAsync: that one also waits for the pipes, which a server's children may hold open.
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.EnableRaisingEvents = true;
        _process.Exited += (_, _) => ended.TrySetResult();
        if (_process.HasExited)
            ended.TrySetResult();
        await ended.Task.ConfigureAwait(false);
        if (Interlocked.Exchange(ref _forgotten, 1) == 0)
            _keeper.Forget(_process.Id);
    }

    private async Task ReadAsync()
    {
        // Standard output is read too, so that nobody ever blocks on it.
        await Task.WhenAll(ReadAsync(_process.StandardError), ReadAsync(_process.StandardOutput)).ConfigureAwait(false);
    }

    private async Task ReadAsync(StreamReader from)
    {
        try
        {
            while (await from.ReadLineAsync().ConfigureAwait(false) is { } line)
            {
                lock (_lastLines)
                {
                    if (_lastLines.Count == KeptLines)
                        _lastLines.Dequeue();
                    _lastLines.Enqueue(line);
                }
                if (_isReady(line))
                    _ready.TrySetResult();
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or DecoderFallbackException)
        {
            // The pipe went with its process.
        }
    }
}
