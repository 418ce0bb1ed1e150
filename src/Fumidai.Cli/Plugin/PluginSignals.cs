using System.Runtime.InteropServices;

namespace Fumidai.Cli;

/// <summary>
/// What the terminal and others send to the plugin. SIGINT, SIGQUIT and SIGTSTP are the user's interrupt (protocol §6.3): they end a port
/// session in order, exit code 0 as the AWS CLI expects, and reach a shell as the characters they were typed with. SIGTERM and SIGHUP end any.
/// </summary>
internal sealed class PluginSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Action<byte>? _typed;
    private int _exitCode = -1;

    internal PluginSignals()
    {
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
            _registrations.Add(PosixSignalRegistration.Create(signal, On));
        if (!OperatingSystem.IsWindows())
            _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTSTP, On));
    }

    /// <summary>Cancelled when the session is to end.</summary>
    internal CancellationToken Token => _stop.Token;

    /// <summary>Completes when the session is to end.</summary>
    internal Task Stopped => _stopped.Task;

    /// <summary>What to end with; null: not told to end.</summary>
    internal int? ExitCode => Volatile.Read(ref _exitCode) is >= 0 and var code ? code : null;

    /// <summary>From now on interrupts are characters for a shell.</summary>
    internal void SendInterruptsTo(Action<byte> typed) => Volatile.Write(ref _typed, typed);

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stop.Dispose();
    }

    private void On(PosixSignalContext context)
    {
        context.Cancel = true;
        switch (context.Signal)
        {
            case PosixSignal.SIGTERM:
                Stop(ExitCodes.Terminated);
                return;
            case PosixSignal.SIGHUP:
                Stop(ExitCodes.HungUp);
                return;
        }
        if (Volatile.Read(ref _typed) is { } typed)
            typed(context.Signal switch { PosixSignal.SIGINT => 0x03, PosixSignal.SIGQUIT => 0x1c, _ => 0x1a });
        else
            Stop(ExitCodes.Success);
    }

    private void Stop(int code)
    {
        if (Interlocked.CompareExchange(ref _exitCode, code, -1) == -1)
        {
            _stopped.TrySetResult();
            _ = _stop.CancelAsync();
        }
    }
}
