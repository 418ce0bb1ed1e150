using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>The bastion's end: how it connects and leads the handshake. As the official agent 3.3.1142.0 where nothing else is said.</summary>
internal sealed class AgentRole(AgentChannelOptions options) : ChannelRole
{
    internal override string SessionId => options.SessionId;
    internal override string SendType => MessageTypes.OutputStreamData;
    internal override string ReceiveType => MessageTypes.InputStreamData;
    internal override MessageFlags FirstFlags => MessageFlags.Syn;
    internal override bool VerifiesDigests => false;
    internal override int MessagesPerSecond => options.MessagesPerSecond;
    internal override int Burst => Pacing.Step;
    internal override int LargestPayload => options.MaxPayload;
    internal override TimeSpan? PauseLimit => null;
    internal override bool StopsResendingWhenPaused => true;
    internal override bool DataEndsPause => true;
    internal override TimeSpan StartLimit => Timeout.InfiniteTimeSpan;   // each answer has its own

    internal override async Task<MessageSocket> OpenAsync(FrameBuffers buffers, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(options.Time);
        while (true)
        {
            await backoff.WaitAsync(cancellationToken);
            try
            {
                return new(await options.Connect(cancellationToken), buffers);
            }
            catch (Exception e) when (backoff.Attempts < ClientRole.FirstAttempts && e is not (SessionEndedException or OperationCanceledException))
            {
                options.Logger?.LogInformation("Session {SessionId}: attempt {Attempt} to connect failed ({Error})", SessionId, backoff.Attempts, e.Message);
            }
        }
    }

    internal override async Task<MessageSocket?> ReopenAsync(FrameBuffers buffers, CancellationToken cancellationToken)
        => new(await options.Connect(cancellationToken), buffers);

    internal override Task<Handshake> ShakeHandsAsync(DataChannel channel, CancellationToken cancellationToken)
    {
        Announce(channel, options, "Connected");
        return options.Handshake
            ? new AgentHandshake(channel, options).RunAsync(cancellationToken)
            : Task.FromResult(new Handshake(options.AgentVersion, "", options.SessionType, default, ""));
    }

    /// <summary>agent_session_state: <c>Connected</c>, and at the end of shells and commands <c>Terminating</c> (protocol §4.1, §7.3).</summary>
    internal static void Announce(DataChannel channel, AgentChannelOptions options, string state)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(new AgentSessionStatePayload(1, state, options.SessionId), MessageJson.Relaxed.AgentSessionStatePayload);
        channel.SendLoose(ServiceMessages.Unsequenced(MessageTypes.AgentSessionState, payload, Guid.NewGuid(), options.Time.GetUtcNow(), MessageFlags.SynFin));
    }
}
