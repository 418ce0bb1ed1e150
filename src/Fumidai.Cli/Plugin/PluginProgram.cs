using Fumidai.Aws;
using Fumidai.SessionManager;

namespace Fumidai.Cli;

/// <summary>The program called <c>session-manager-plugin</c>: serves one session that the AWS CLI has started (protocol §1.3, §6.3).</summary>
internal static class PluginProgram
{
    private static readonly TimeSpan FarewellLimit = TimeSpan.FromSeconds(5);

    internal static async Task<int> RunAsync(string[] arguments)
    {
        var surroundings = Surroundings.OfProcess();
        var invocation = PluginInvocation.Read(arguments, surroundings.Environment);
        // Nobody we start may read the token in our environment.
        if (arguments.Length > 0 && arguments[0].StartsWith(PluginInvocation.ResponseVariable, StringComparison.Ordinal))
            Environment.SetEnvironmentVariable(arguments[0], null);
        return invocation is PluginInvocation.Session session
            ? await ServeAsync(session, surroundings)
            : Answer(invocation, surroundings.Output);
    }

    /// <summary>Everything that is no session.</summary>
    internal static int Answer(PluginInvocation invocation, TextWriter output)
    {
        switch (invocation)
        {
            case PluginInvocation.Probe:
                output.WriteLine($"\nfumidai {Surroundings.Version} was installed successfully as session-manager-plugin. The AWS CLI will find it here.\n");
                return ExitCodes.Success;
            case PluginInvocation.Version:
                output.WriteLine(new PortClientOptions().ClientVersion);
                return ExitCodes.Success;
            case PluginInvocation.UnknownOperation:
                output.WriteLine("Unknown operation. This program is started by the AWS CLI: aws ssm start-session");
                return ExitCodes.Success;
            case PluginInvocation.InvalidOperation:
                output.WriteLine("Invalid Operation");
                return ExitCodes.Failed;
            case PluginInvocation.Broken broken:
                output.WriteLine($"Cannot perform start session: {broken.Why}");
                return ExitCodes.Failed;
            default:
                throw new ArgumentException("a session is served, not answered", nameof(invocation));
        }
    }

    private static async Task<int> ServeAsync(PluginInvocation.Session invocation, Surroundings surroundings)
    {
        using var signals = new PluginSignals();
        try
        {
            // The address was made for SSM alone: other services keep their own.
            if (invocation.EndpointUrl is { } url)
                Environment.SetEnvironmentVariable("AWS_ENDPOINT_URL_SSM", url);
            using var access = AwsAccess.Open(new AwsSettings { Profile = invocation.Profile, Region = invocation.Region }, surroundings.Time);
            var options = new SessionClientOptions
            {
                Port = new PortClientOptions
                {
                    Socket = new SocketSettings { Proxy = access.Proxy, Roots = access.Roots },
                    Time = surroundings.Time,
                },
                Target = invocation.Target,
                Keys = invocation.IsLegacy ? null : SessionKeys.FromKms(access),
            };
            var starting = SessionClient.StartAsync(invocation.Ticket, SessionCalls.Control(access), options, signals.Token);
            await Task.WhenAny(starting, signals.Stopped);
            if (!starting.IsCompleted)
                await EndWithinAsync(starting, surroundings.Time);
            var client = starting.IsCompleted ? await starting : throw new OperationCanceledException(signals.Token);
            try
            {
                return await ServeAsync(client, invocation, signals, surroundings);
            }
            finally
            {
                await EndWithinAsync(client.DisposeAsync().AsTask(), surroundings.Time);
            }
        }
        catch (Exception) when (signals.ExitCode is { } code)
        {
            return code;
        }
        catch (Exception e)
        {
            (invocation.IsSsh ? surroundings.Error : surroundings.Output).WriteLine($"\nCannot perform start session: {Failure.Of(e).Line}\n");
            return ExitCodes.Of(e);
        }
    }

    private static Task<int> ServeAsync(SessionClient client, PluginInvocation.Session invocation, PluginSignals signals, Surroundings surroundings) => client switch
    {
        { Shell: { } shell } => new PluginShell(shell, signals, surroundings).RunAsync(),
        { Port: { IsSingleConnection: true } port } => PluginPort.ServeStdioAsync(port, signals, surroundings),
        _ => PluginPort.ServeListenerAsync(client, invocation, signals, surroundings),
    };

    // TerminateSession goes to a service that may not answer: then the session is left to its idle timeout.
    internal static async Task EndWithinAsync(Task ending, TimeProvider time)
    {
        try
        {
            await ending.WaitAsync(FarewellLimit, time);
        }
        catch (Exception)
        {
            // Nothing more can be done for it, and what the session came to is known already.
        }
    }

    /// <summary>The last words on a session, and the exit code: non-zero when it failed.</summary>
    internal static int Finish(string id, SessionEnd end, TextWriter output)
    {
        switch (end.Kind)
        {
            case SessionEndKind.Lost when end.Output.Length == 0:
                output.WriteLine($"\nSession: {id} timed out.\n");
                return ExitCodes.Failed;
            case SessionEndKind.Failed:
                output.WriteLine($"\nCannot perform start session: {Visible.Line(end.Output)}\n");
                return ExitCodes.Failed;
            default:
                output.WriteLine(end.Output.Length == 0 ? $"\nExiting session with sessionId: {id}.\n" : $"\nSessionId: {id} : {Visible.Line(end.Output)}\n");
                return end.Output.Length == 0 ? ExitCodes.Success : ExitCodes.Failed;
        }
    }
}
