using Amazon.SimpleSystemsManagement.Model;
using Fumidai.SessionManager;

namespace Fumidai.Aws;

/// <summary>StartSession, ResumeSession, TerminateSession (protocol §1.1) and the signed websocket handshake (§1.4).</summary>
public static class SessionCalls
{
    /// <summary>Starts a session.</summary>
    /// <param name="access">Account and region.</param>
    /// <param name="target"><c>i-…</c>, <c>mi-…</c> or <c>ecs:…</c>.</param>
    /// <param name="documentName">Session document, e.g. <c>AWS-StartPortForwardingSessionToRemoteHost</c>.</param>
    /// <param name="parameters">The document's parameters; each is sent as a list of one.</param>
    /// <param name="reason">For the account's session history, 256 characters at most; null: none.</param>
    /// <param name="cancellationToken">Stops; a session that was started nevertheless ends by its idle timeout.</param>
    /// <exception cref="AwsFailure">Refused with code TargetNotConnected, InvalidDocument …; Permission.</exception>
    public static async Task<StreamTicket> StartAsync(AwsAccess access, string target, string documentName, IReadOnlyDictionary<string, string> parameters, string? reason, CancellationToken cancellationToken)
    {
        var request = new StartSessionRequest
        {
            Target = target,
            DocumentName = documentName,
            Parameters = parameters.ToDictionary(p => p.Key, p => new List<string> { p.Value }, StringComparer.Ordinal),
            Reason = reason,
        };
        var answer = await access.AskAsync(AwsService.Ssm, "StartSession", stop => access.Ssm.StartSessionAsync(request, stop), cancellationToken).ConfigureAwait(false);
        return new StreamTicket(answer.SessionId, answer.TokenValue, answer.StreamUrl);
    }

    /// <summary>The control of a running session; credentials are refreshed on use.</summary>
    public static ISessionControl Control(AwsAccess access) => new SessionControl(access);

    private sealed class SessionControl(AwsAccess access) : ISessionControl
    {
        public async ValueTask<IReadOnlyList<KeyValuePair<string, string>>> SignAsync(string streamUrl, CancellationToken cancellationToken)
        {
            if (SignWebSocket.IsPresigned(streamUrl))
                return [];
            var keys = await access.AskAsync(AwsService.Ssm, "OpenDataChannel", _ => access.Credentials.GetCredentialsAsync(), cancellationToken).ConfigureAwait(false);
            return SignWebSocket.Sign(streamUrl, keys, access.Region, access.Time.GetUtcNow() + access.ClockCorrection);
        }

        public async ValueTask<StreamTicket?> ResumeAsync(string sessionId, CancellationToken cancellationToken)
        {
            try
            {
                var answer = await access.AskAsync(AwsService.Ssm, "ResumeSession", stop => access.Ssm.ResumeSessionAsync(new ResumeSessionRequest { SessionId = sessionId }, stop), cancellationToken).ConfigureAwait(false);
                return string.IsNullOrEmpty(answer.TokenValue) || string.IsNullOrEmpty(answer.StreamUrl) ? null
                    : new StreamTicket(string.IsNullOrEmpty(answer.SessionId) ? sessionId : answer.SessionId, answer.TokenValue, answer.StreamUrl);
            }
            catch (AwsFailure f) when (f.Code == "DoesNotExistException")
            {
                return null;
            }
        }

        public async ValueTask TerminateAsync(string sessionId, CancellationToken cancellationToken)
        {
            try
            {
                await access.AskAsync(AwsService.Ssm, "TerminateSession", stop => access.Ssm.TerminateSessionAsync(new TerminateSessionRequest { SessionId = sessionId }, stop), cancellationToken).ConfigureAwait(false);
            }
            catch (AwsFailure f) when (f.Code == "DoesNotExistException")
            {
                // Over already: what was wanted.
            }
        }
    }
}
