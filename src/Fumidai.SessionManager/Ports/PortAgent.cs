namespace Fumidai.SessionManager;

/// <summary>The bastion's end of a port session, as the official agent behaves: its refusals, its words, its serial dialling (protocol §5.3, §5.4).</summary>
public static class PortAgent
{
    /// <summary>How long the agent waits for its own unacknowledged messages before it closes (protocol §5.4).</summary>
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Serves the session until it ends. The result tells how, with the text for the user: <see cref="SessionEndKind.Local"/> when the agent
    /// ended it successfully, <see cref="SessionEndKind.Failed"/> when it failed, else what happened to the channel. Never faults.
    /// </summary>
    public static async Task<SessionEnd> RunAsync(AgentSessionOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var channel = await DataChannel.ServeAsync(new AgentChannelOptions
            {
                SessionId = options.SessionId,
                InstanceId = options.InstanceId,
                AgentVersion = options.AgentVersion,
                SessionType = SessionTypes.Port,
                Properties = options.Properties,
                MessagesPerSecond = options.MessagesPerSecond,
                Connect = options.Connect,
                Time = options.Time,
                Logger = options.Logger,
            }, cancellationToken).ConfigureAwait(false);
            await using (channel.ConfigureAwait(false))
            {
                var end = await ServeAsync(channel, channel.Handshake.ClientVersion, options, cancellationToken).ConfigureAwait(false);
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
    internal static async Task<SessionEnd> ServeAsync(IPayloadChannel channel, string clientVersion, AgentSessionOptions options, CancellationToken cancellationToken)
    {
        AgentTarget target;
        try
        {
            target = await AgentTarget.FindAsync(options, cancellationToken).ConfigureAwait(false);
        }
        catch (AgentRefusalException refusal)
        {
            return new SessionEnd(SessionEndKind.Failed, refusal.Message);
        }

        var forwards = options.Properties.GetValueOrDefault(PortProperties.Type) == PortProperties.LocalPortForwarding;
        var client = PeerVersion.TryParse(clientVersion);
        // The agent asks for a client's version only; that it is itself too old to multiplex is told by its own.
        var muxes = forwards && client?.CompareTo(PeerVersion.FirstMultiplexingClient) >= 0
            && PeerVersion.IsAgentNewerThan(options.AgentVersion, PeerVersion.LastBasicAgent);
        if (!muxes) return await new BasicPortAgent(channel, target, forwards, options.AgentVersion).RunAsync(cancellationToken).ConfigureAwait(false);
        var keepAlive = client!.CompareTo(PeerVersion.LastKeepAliveClient) <= 0
            || !PeerVersion.IsAgentNewerThan(options.AgentVersion, PeerVersion.LastKeepAliveAgent);
        return await new MuxedPortAgent(channel, target, keepAlive, options.Time).RunAsync(cancellationToken).ConfigureAwait(false);
    }
}
