using System.Runtime.InteropServices;
using System.Threading.Channels;
using Fumidai.SessionManager;

namespace Fumidai.Cli;

/// <summary>Shells and commands: the terminal in raw mode, its size told at each change, Ctrl-C as the character it is.</summary>
internal sealed class PluginShell(ShellClient shell, PluginSignals signals, Surroundings surroundings)
{
    private const byte EndOfTransmission = 0x04;
    private const int ReadSize = 1024;

    // Keys, signals and sizes in the order in which they came; one sender.
    private readonly Channel<Func<ValueTask>> _outbound = Channel.CreateBounded<Func<ValueTask>>(16);

    internal async Task<int> RunAsync()
    {
        surroundings.Output.WriteLine($"\nStarting session with SessionId: {shell.SessionId}");
        if (shell.CustomerMessage.Length > 0)
            surroundings.Output.WriteLine(Visible.Line(shell.CustomerMessage));
        using (RawTerminal.Enter())
        {
            signals.SendInterruptsTo(character => Send(() => shell.SendAsync(new[] { character }, signals.Token)));
            using var resized = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => SendSize());
            SendSize();
            _ = SendAllAsync();
            _ = ReadInputAsync();
            await CopyOutputAsync();
        }
        return await FinishAsync();
    }

    private async Task CopyOutputAsync()
    {
        using var output = UnixOutput.Open(error: false);
        using var error = UnixOutput.Open(error: true);
        while (await shell.ReadAsync(signals.Token) is { } piece)
        {
            var stream = piece.IsError ? error : output;
            await stream.WriteAsync(piece.Bytes, signals.Token);
            await stream.FlushAsync(signals.Token);
        }
    }

    private async Task<int> FinishAsync()
    {
        var code = PluginProgram.Finish(shell.SessionId, await shell.Ended, surroundings.Output);
        return code != 0 ? code : shell.ExitCode ?? ExitCodes.Success;
    }

    // A read of a terminal cannot be cancelled: it is left behind at the end, and the process with it.
    private async Task ReadInputAsync()
    {
        using var input = StandardInput.Open();
        var buffer = new byte[ReadSize];
        try
        {
            int read;
            while ((read = await input.ReadAsync(buffer, signals.Token)) > 0)
            {
                var typed = buffer.AsSpan(0, read).ToArray();
                await _outbound.Writer.WriteAsync(() => shell.SendAsync(typed, signals.Token), signals.Token);
            }
            // Input that came from a pipe is over: the far terminal ends it as Ctrl-D would.
            if (!surroundings.IsInputTerminal && shell.SessionType != SessionTypes.NonInteractiveCommand)
                await _outbound.Writer.WriteAsync(() => shell.SendAsync(new[] { EndOfTransmission }, signals.Token), signals.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // No more input; the output decides when the session is over.
        }
    }

    private async Task SendAllAsync()
    {
        try
        {
            await foreach (var send in _outbound.Reader.ReadAllAsync(signals.Token))
                await send();
        }
        catch (Exception e) when (e is OperationCanceledException or SessionEndedException or ObjectDisposedException)
        {
            // Over: the reader of the output says so.
        }
    }

    private void SendSize()
    {
        if (shell.SessionType != SessionTypes.NonInteractiveCommand)
            Send(() => shell.ResizeAsync(TerminalWindow.Size() ?? TerminalSize.WithoutTerminal, signals.Token));
    }

    // From a signal: what does not fit is left out, the next change brings the size again.
    private void Send(Func<ValueTask> send) => _outbound.Writer.TryWrite(send);
}
