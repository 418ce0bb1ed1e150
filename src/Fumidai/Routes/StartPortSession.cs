using System.Globalization;
using Fumidai.Aws;
using Fumidai.SessionManager;

namespace Fumidai;

/// <summary>Starts a session on a bastion for one destination. Whatever goes wrong after StartSession answered, the session is terminated.</summary>
internal sealed class StartPortSession(TunnelRequest request, BastionInstance bastion)
{
    internal const string ToRemoteHost = "AWS-StartPortForwardingSessionToRemoteHost";
    internal const string ToBastion = "AWS-StartPortForwardingSession";

    private readonly UploadLimits _limits = new();

    /// <summary>How long a StartSession that was in flight at a Ctrl-C may still take to tell its session id.</summary>
    private static readonly TimeSpan LastWord = TimeSpan.FromSeconds(2);

    /// <summary>Document and parameters: the plain document when the bastion itself is the destination, which needs no agent feature of its own.</summary>
    internal static (string Document, Dictionary<string, string> Parameters) Ask(HostPort destination, BastionInstance bastion)
    {
        var port = destination.Port.ToString(CultureInfo.InvariantCulture);
        return destination.Host is "localhost" or "127.0.0.1" || destination.Host == bastion.PrivateAddress?.ToString()
            ? (ToBastion, new() { ["portNumber"] = port })
            : (ToRemoteHost, new() { ["host"] = destination.Host, ["portNumber"] = port });
    }

    /// <exception cref="FumidaiException">With AWS's or the agent's words.</exception>
    internal async Task<IPortSession> StartAsync(HostPort destination, CancellationToken cancellationToken)
    {
        var what = $"cannot start a session on {bastion.Id} to {destination}";
        var control = SessionCalls.Control(request.Access);
        var ticket = await TicketAsync(control, destination, what, cancellationToken).ConfigureAwait(false);
        try
        {
            var options = new PortClientOptions
            {
                Time = request.Time,
                Logger = request.LoggerFactory?.CreateLogger("Fumidai.SessionManager"),
                Limits = _limits,
                KeepAlive = request.Settings.CommandLine.KeepAlive,
                Socket = new SocketSettings { Proxy = request.Access.Proxy, Roots = request.Access.Roots },
            };
            return new PortClientSession(await PortClient.StartAsync(ticket, control, options, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            await TerminateAsync(control, ticket.SessionId, request.Time).ConfigureAwait(false);
            throw e switch
            {
                OperationCanceledException => e,
                FumidaiException => e,
                AwsFailure failure => failure.ToFumidai(what, Reason.NoRoute),
                _ => Explain(e, what),
            };
        }
    }

    /// <summary>A session's failure in the product's words.</summary>
    internal static FumidaiException Explain(Exception e, string what) => e switch
    {
        FumidaiException known => known,
        SessionEndedException { End: var end } => new FumidaiException(
            Reason.NoRoute, what, end.Output.Length > 0 ? end.Output : "the session was ended", Advice(end.Output), retry: end.Kind is SessionEndKind.Lost or SessionEndKind.Closed, e),
        TimeoutException => new FumidaiException(
            Reason.NoRoute, what, "its agent did not answer in time", "The agent may be busy or too old: restart or update it", retry: true, e),
        _ => new FumidaiException(Reason.NoRoute, what, e.Message, retry: true, inner: e),
    };

    private static string? Advice(string words) =>
        words.Contains("KMS", StringComparison.OrdinalIgnoreCase) || words.Contains("encrypt", StringComparison.OrdinalIgnoreCase)
            ? "The region's Session Manager preferences demand KMS encryption: you need kms:GenerateDataKey on that key, the bastion's role kms:Decrypt"
        : words.Contains("no such host", StringComparison.OrdinalIgnoreCase) || words.Contains("lookup ", StringComparison.OrdinalIgnoreCase)
            ? "The name does not resolve inside the VPC: check it, and the VPC's DNS settings"
        : words.Contains("forbidden", StringComparison.OrdinalIgnoreCase) ? "The agent never forwards to this address: name a real host"
        : null;

    private async Task<StreamTicket> TicketAsync(ISessionControl control, HostPort destination, string what, CancellationToken cancellationToken)
    {
        var (document, parameters) = Ask(destination, bastion);
        using var abort = new CancellationTokenSource(Timeout.InfiniteTimeSpan, request.Time);
        var starting = SessionCalls.StartAsync(request.Access, bastion.Id, document, parameters, $"fumidai {request.Target.Name}", abort.Token);
        try
        {
            return await starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!starting.IsCompleted)
        {
            // The call may already have made a session: hear its id out, or it would be left running.
            abort.CancelAfter(LastWord);
            await ((Task)starting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (starting.IsCompletedSuccessfully)
                await TerminateAsync(control, starting.Result.SessionId, request.Time).ConfigureAwait(false);
            throw;
        }
        catch (AwsFailure e)
        {
            throw e.Code == "TargetNotConnected"
                ? new FumidaiException(Reason.NoRoute, what, e.Message, "Its agent is not connected: check its role, its endpoints and that it runs", retry: true, e)
                : e.ToFumidai(what, Reason.NoRoute);
        }
    }

    /// <summary>Ends a session that nobody will use.</summary>
    internal static async Task TerminateAsync(ISessionControl control, string sessionId, TimeProvider time)
    {
        using var limit = new CancellationTokenSource(LastWord, time);
        try
        {
            await control.TerminateAsync(sessionId, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AwsFailure or OperationCanceledException)
        {
            // What remains is ended by the service's idle timeout.
        }
    }
}
