using System.Text;

namespace Fumidai.SessionManager;

/// <summary>The bastion's end of a shell or command session.</summary>
public static class ShellAgent
{
    private const int ReadSize = 1024;

    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(2);

    /// <summary>Serves the session until the process or the session ends. The result tells how, with the text for the user. Never faults.</summary>
    public static async Task<SessionEnd> RunAsync(AgentShellOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var channel = await DataChannel.ServeAsync(new AgentChannelOptions
            {
                SessionId = options.SessionId,
                InstanceId = options.InstanceId,
                AgentVersion = options.AgentVersion,
                SessionType = options.SessionType,
                KmsKeyId = options.KmsKeyId,
                Keys = options.Keys,
                // Shells and interactive commands shake hands for encryption only (protocol §4.1).
                Handshake = options.SessionType == SessionTypes.NonInteractiveCommand || options.KmsKeyId is not null,
                Connect = options.Connect,
                Time = options.Time,
                Logger = options.Logger,
            }, cancellationToken).ConfigureAwait(false);
            await using (channel.ConfigureAwait(false))
            {
                var end = await ServeAsync(channel, options, cancellationToken).ConfigureAwait(false);
                if (!channel.Ended.IsCompleted) await channel.DrainAsync(DrainLimit, cancellationToken).ConfigureAwait(false);
                return end;
            }
        }
        catch (SessionEndedException ended)
        {
            return ended.End;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new SessionEnd(SessionEndKind.Local, "");
        }
        catch (Exception failure)
        {
            return new SessionEnd(SessionEndKind.Failed, failure.Message);
        }
    }

    /// <summary>What the agent does after the handshake.</summary>
    internal static async Task<SessionEnd> ServeAsync(IPayloadChannel channel, AgentShellOptions options, CancellationToken cancellationToken)
    {
        var command = new AgentCommand(options.SessionType, options.Command,
            HasTerminal: options.SessionType != SessionTypes.NonInteractiveCommand, options.SeparateOutput);
        var process = await options.Shell.StartAsync(command, cancellationToken).ConfigureAwait(false);
        await using (process.ConfigureAwait(false))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var output = PumpAsync(process.Output, channel, PayloadType.Output, stop.Token);
            var error = process.Error is null ? Task.CompletedTask : PumpAsync(process.Error, channel, PayloadType.StdErr, stop.Token);
            var input = ReceiveAsync(channel, process, stop.Token);
            var saidAll = SayAllAsync(Task.WhenAll(output, error), process, channel, options.SeparateOutput, stop.Token);

            await Task.WhenAny(saidAll, input).ConfigureAwait(false);
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(input, saidAll).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return channel.Ended.IsCompleted ? await channel.Ended.ConfigureAwait(false) : new SessionEnd(SessionEndKind.Local, "");
        }
    }

    private static async Task SayAllAsync(Task output, IAgentProcess process, IPayloadChannel channel, bool exitCodeToo, CancellationToken cancellationToken)
    {
        await output.ConfigureAwait(false);
        var exitCode = await process.Exited.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!exitCodeToo) return;
        await channel.SendAsync(PayloadType.ExitCode, Encoding.ASCII.GetBytes($"EXIT_CODE: {exitCode}"), cancellationToken).ConfigureAwait(false);
        await channel.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task ReceiveAsync(IPayloadChannel channel, IAgentProcess process, CancellationToken cancellationToken)
    {
        while (await channel.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var (type, payload) = channel.Current;
            switch (type)
            {
                case PayloadType.Output:
                    await WriteAsync(process.Input, payload, cancellationToken).ConfigureAwait(false);
                    break;
                case PayloadType.Size when TerminalSize.TryRead(payload, out var size):
                    await process.ResizeAsync(size, cancellationToken).ConfigureAwait(false);
                    break;
                case PayloadType.Flag when ServiceMessages.TryReadFlag(payload.Span, out var flag) && flag == SessionFlag.TerminateSession:
                    return;
                default:
                    break;
            }
        }
    }

    private static async Task WriteAsync(Stream input, ReadOnlyMemory<byte> typed, CancellationToken cancellationToken)
    {
        try
        {
            await input.WriteAsync(typed, cancellationToken).ConfigureAwait(false);
            await input.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // The process reads no more; that it ended shows at its output.
        }
    }

    private static async Task PumpAsync(Stream from, IPayloadChannel channel, PayloadType type, CancellationToken cancellationToken)
    {
        var buffer = new byte[ReadSize];
        while (true)
        {
            int count;
            try
            {
                count = await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException)
            {
                // A terminal whose last process has gone reads as an error (EIO), not as an end.
                return;
            }
            if (count == 0) return;
            await channel.SendAsync(type, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            await channel.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
