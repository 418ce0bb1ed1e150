using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>Replaces a lost connection (protocol §6.4, §6.5): tries for as long as the session exists.</summary>
internal static class Resume
{
    /// <summary>The new connection; null: the service says that the session is over.</summary>
    internal static async Task<MessageSocket?> RunAsync(ChannelRole role, FrameBuffers buffers, Backoff backoff, ILogger? logger, CancellationToken cancellationToken)
    {
        while (true)
        {
            await backoff.WaitAsync(cancellationToken);
            try
            {
                return await role.ReopenAsync(buffers, cancellationToken);
            }
            catch (Exception e) when (e is not SessionEndedException && !cancellationToken.IsCancellationRequested)
            {
                logger?.LogInformation("Session {SessionId}: attempt {Attempt} to resume failed ({Error})", role.SessionId, backoff.Attempts, e.Message);
            }
        }
    }
}
