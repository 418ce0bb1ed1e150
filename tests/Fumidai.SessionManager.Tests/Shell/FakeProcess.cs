using System.IO.Pipelines;
using System.Threading.Channels;

namespace Fumidai.SessionManager.Tests;

/// <summary>A process of the test's own: what it is given and what it says are pipes.</summary>
internal sealed class FakeProcess(bool separateError = false) : IAgentShell, IAgentProcess
{
    private readonly Pipe _input = new();
    private readonly Pipe _output = new();
    private readonly Pipe _error = new();
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public AgentCommand? Command { get; private set; }

    public Channel<TerminalSize> Sizes { get; } = Channel.CreateUnbounded<TerminalSize>();

    public bool IsDisposed { get; private set; }

    /// <summary>What was typed.</summary>
    public PipeReader Typed => _input.Reader;

    public PipeWriter Says => _output.Writer;

    public PipeWriter Complains => _error.Writer;

    public Stream Input => _input.Writer.AsStream();

    public Stream Output => _output.Reader.AsStream();

    Stream? IAgentProcess.Error => separateError ? _error.Reader.AsStream() : null;

    public Task<int> Exited => _exited.Task;

    public ValueTask<IAgentProcess> StartAsync(AgentCommand command, CancellationToken cancellationToken)
    {
        Command = command;
        return ValueTask.FromResult<IAgentProcess>(this);
    }

    public ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellationToken)
    {
        Sizes.Writer.TryWrite(size);
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends; with a terminal the reader gets an error, as Linux gives.</summary>
    public void Exit(int code, bool terminal = false)
    {
        _output.Writer.Complete(terminal ? new IOException("Input/output error") : null);
        _error.Writer.Complete();
        _exited.TrySetResult(code);
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }
}
