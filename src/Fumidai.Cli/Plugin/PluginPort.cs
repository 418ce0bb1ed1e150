using System.Globalization;
using System.Net;
using Fumidai.SessionManager;

namespace Fumidai.Cli;

/// <summary>Port sessions: a listener for many connections, or stdin and stdout for one (SSH). The texts are those that other programs look for.</summary>
internal static class PluginPort
{
    internal static async Task<int> ServeListenerAsync(SessionClient client, PluginInvocation.Session invocation, PluginSignals signals, Surroundings surroundings)
    {
        var (output, id, port) = (surroundings.Output, client.SessionId, client.Port!);
        output.WriteLine($"\nStarting session with SessionId: {id}");
        var path = Property("localConnectionType") == "unix" ? Property("localUnixSocket") : null;
        using var watch = path is null ? null : new DeathWatch();
        var told = new Clients(output, id, port.IsMultiplexed);
        var forward = path is null
            ? SessionForward.OnPort(port, Port(Property("localPortNumber")), told)
            : SessionForward.OnUnixSocket(port, path, told);
        await using (forward)
        {
            watch?.Remove(Path.GetFullPath(path!));
            output.WriteLine(forward.Local is IPEndPoint local
                ? string.Create(CultureInfo.InvariantCulture, $"Port {local.Port} opened for sessionId {id}.")
                : $"Unix socket {path} opened for sessionId {id}.");
            if (port.IsMultiplexed)
                output.WriteLine("Waiting for connections...\n");
            var interrupted = await Until(client.Ended, signals);
            if (!interrupted)
                return PluginProgram.Finish(id, await client.Ended, output);
            output.WriteLine("Terminate signal received, exiting.");
        }
        await PluginProgram.EndWithinAsync(client.DisposeAsync().AsTask(), surroundings.Time);
        output.WriteLine($"\n\nExiting session with sessionId: {id}.\n");
        return signals.ExitCode ?? ExitCodes.Success;

        // The agent's properties are the document's after substitution; a caller's parameters are the next best.
        string? Property(string name) => client.Properties.GetValueOrDefault(name) ?? invocation.Parameters.GetValueOrDefault(name);
    }

    /// <summary>Not a byte but the tunnel's may reach stdout: ssh listens there.</summary>
    internal static async Task<int> ServeStdioAsync(PortClient port, PluginSignals signals, Surroundings surroundings)
    {
        surroundings.Error.WriteLine($"Starting session with SessionId: {port.SessionId}");
        using var output = UnixOutput.Open(error: false);
        var end = await StdioPortSession.RunAsync(port, StandardInput.Open(), output, signals.Token);
        return end is null ? ExitCodes.Success : PluginProgram.Finish(port.SessionId, end, surroundings.Error);
    }

    private static async Task<bool> Until(Task<SessionEnd> ended, PluginSignals signals)
    {
        try
        {
            await ended.WaitAsync(signals.Token);
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    private static int Port(string? text) =>
        string.IsNullOrEmpty(text) ? 0
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 0 and <= 65535 ? port
        : throw new FumidaiException(Reason.Usage, $"localPortNumber {Visible.Quote(text)} is not a port", next: "Give a number from 0 to 65535");

    private sealed class Clients(TextWriter output, string id, bool multiplexed) : IProgress<ForwardedClient>
    {
        private int _accepted;

        public void Report(ForwardedClient told)
        {
            if (told == ForwardedClient.Refused)
                output.WriteLine("Connection to destination port failed, check SSM Agent logs.");
            else if (Interlocked.Exchange(ref _accepted, 1) == 0)
                output.WriteLine(multiplexed ? $"Connection accepted for session [{id}]" : $"Connection accepted for session {id}.");
        }
    }
}
