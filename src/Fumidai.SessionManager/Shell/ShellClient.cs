using System.Globalization;
using System.Text;

namespace Fumidai.SessionManager;

/// <summary>A piece of what a shell or command says.</summary>
/// <param name="Bytes">Valid until the next read.</param>
/// <param name="IsError">Standard error, where the document keeps it apart; else everything is output.</param>
public readonly record struct ShellOutput(ReadOnlyMemory<byte> Bytes, bool IsError);

/// <summary>The laptop's end of a shell or command session (Standard_Stream, InteractiveCommands, NonInteractiveCommands). Bytes only: the terminal is the caller's.</summary>
public sealed class ShellClient : IAsyncDisposable
{
    private readonly IPayloadChannel _channel;
    private readonly Func<ValueTask> _terminate;
    private readonly bool _hasTerminal;

    internal ShellClient(IPayloadChannel channel, string sessionId, Handshake handshake, Func<ValueTask> terminate)
    {
        (_channel, _terminate, SessionId) = (channel, terminate, sessionId);
        (SessionType, CustomerMessage) = (handshake.SessionType, handshake.CustomerMessage);
        _hasTerminal = SessionType != SessionTypes.NonInteractiveCommand;
    }

    /// <summary>The session's id.</summary>
    public string SessionId { get; }

    /// <summary>One of <see cref="SessionTypes"/>.</summary>
    public string SessionType { get; }

    /// <summary>The agent's words for the user, e.g. that the session is encrypted; may be empty.</summary>
    public string CustomerMessage { get; }

    /// <summary>The command's exit code; null until the agent has told it, which it does for commands with separate output only.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>How the session ended; never faults.</summary>
    public Task<SessionEnd> Ended => _channel.Ended;

    private static ReadOnlySpan<byte> ExitCodePrefix => "EXIT_CODE:"u8;

    /// <summary>The next piece of output; null when the session is over. One reader.</summary>
    public async ValueTask<ShellOutput?> ReadAsync(CancellationToken cancellationToken)
    {
        while (await _channel.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var (type, payload) = _channel.Current;
            switch (type)
            {
                case PayloadType.Output:
                    return new ShellOutput(payload, IsError: false);
                case PayloadType.StdErr:
                    return new ShellOutput(payload, IsError: true);
                case PayloadType.ExitCode:
                    ExitCode = ReadExitCode(payload.Span) ?? ExitCode;
                    break;
                default:
                    break;
            }
        }
        return null;
    }

    /// <summary>
    /// Sends what was typed, signals as their bytes (0x03, 0x1C, 0x1A). A lone line feed goes out as the carriage return that Enter is: that is what the
    /// official client makes of Enter, and shells expect; pasted text stays as it is (protocol §2.4).
    /// </summary>
    /// <exception cref="SessionEndedException">The session is over.</exception>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> typed, CancellationToken cancellationToken)
    {
        if (_hasTerminal && typed.Span is [(byte)'\n']) typed = new byte[] { (byte)'\r' };
        while (!typed.IsEmpty)
        {
            var part = typed[..Math.Min(typed.Length, _channel.MaxPayload)];
            await _channel.SendAsync(PayloadType.Output, part, cancellationToken).ConfigureAwait(false);
            typed = typed[part.Length..];
        }
        await _channel.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Tells the terminal's size: once at the start and at each change.</summary>
    /// <exception cref="SessionEndedException">The session is over.</exception>
    public async ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellationToken)
    {
        await _channel.SendAsync(PayloadType.Size, size.ToPayload(), cancellationToken).ConfigureAwait(false);
        await _channel.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends the session at both ends, then closes.</summary>
    public ValueTask DisposeAsync() => _terminate();

    private static int? ReadExitCode(ReadOnlySpan<byte> payload)
        => payload.StartsWith(ExitCodePrefix)
           && int.TryParse(Encoding.ASCII.GetString(payload[ExitCodePrefix.Length..]).Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var code)
            ? code : null;
}
