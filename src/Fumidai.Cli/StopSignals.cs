using System.Runtime.InteropServices;

namespace Fumidai.Cli;

/// <summary>
/// Ctrl-C, SIGTERM and SIGHUP as one cancellation and one exit code. While a client runs Ctrl-C is the client's: the terminal has delivered it
/// there already. A second Ctrl-C while we are closing ends the process at once; while connections may finish, a second signal only ends that.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _hurry = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _clients;
    private int _drains;
    private int _exitCode;

    /// <summary>Listens to no signal; tests stop by <see cref="Stop"/>.</summary>
    internal StopSignals()
    {
    }

    internal static StopSignals OfProcess()
    {
        var signals = new StopSignals();
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
            signals._registrations.Add(PosixSignalRegistration.Create(signal, signals.On));
        return signals;
    }

    /// <summary>Cancelled by the first signal meant for us.</summary>
    internal CancellationToken Token => _stop.Token;

    /// <summary>Cancelled by a second signal while <see cref="LetFinish"/> holds: wait no longer.</summary>
    internal CancellationToken Hurry => _hurry.Token;

    /// <summary>130, 143 or 129 once stopped; else 0.</summary>
    internal int ExitCode => Volatile.Read(ref _exitCode);

    /// <summary>Leaves Ctrl-C and Ctrl-\ to a client until disposed.</summary>
    internal ClientsTurn LeaveInterruptsToClient()
    {
        Interlocked.Increment(ref _clients);
        return new ClientsTurn(this);
    }

    /// <summary>From now on a second signal means <see cref="Hurry"/>.</summary>
    internal void LetFinish() => Volatile.Write(ref _drains, 1);

    /// <summary>As if the signal had come. True: it was the first.</summary>
    internal bool Stop(int exitCode)
    {
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) != 0)
            return false;
        _ = _stop.CancelAsync();
        return true;
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stop.Dispose();
        _hurry.Dispose();
    }

    /// <summary>As if a signal had come after the first. True: it ended a wait.</summary>
    internal bool StopWaiting()
    {
        if (Interlocked.CompareExchange(ref _drains, 2, 1) != 1)
            return false;
        _ = _hurry.CancelAsync();
        return true;
    }

    private void On(PosixSignalContext context)
    {
        context.Cancel = true;
        switch (context.Signal)
        {
            case PosixSignal.SIGINT:
                if (Volatile.Read(ref _clients) == 0 && !Stop(ExitCodes.Interrupted) && !StopWaiting())
                    context.Cancel = false;
                break;
            case PosixSignal.SIGQUIT:
                context.Cancel = Volatile.Read(ref _clients) > 0;
                break;
            case PosixSignal.SIGHUP:
                Stop(ExitCodes.HungUp);
                break;
            default:
                if (!Stop(ExitCodes.Terminated))
                    StopWaiting();
                break;
        }
    }

    internal readonly struct ClientsTurn(StopSignals signals) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref signals._clients);
    }
}
