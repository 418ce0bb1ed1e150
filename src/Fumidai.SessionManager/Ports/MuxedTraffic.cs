namespace Fumidai.SessionManager;

/// <summary>Many connections at once: smux over the channel (protocol §5.4).</summary>
internal sealed class MuxedTraffic : IPortTraffic, ITrafficLoops
{
    /// <summary>The stock library's keep-alive interval.</summary>
    internal static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(10);

    private readonly IPayloadChannel _channel;
    private readonly MuxSession _mux;
    private readonly bool _keepAlive;
    private readonly TimeProvider _time;

    public MuxedTraffic(IPayloadChannel channel, string agentVersion, TimeSpan holdLimit, TimeProvider time, bool keepAlive = false)
    {
        (_channel, _time) = (channel, time);
        _mux = new MuxSession(channel, MuxRole.Client, holdLimit, time);
        _keepAlive = keepAlive || !PeerVersion.IsAgentNewerThan(agentVersion, PeerVersion.LastKeepAliveAgent);
    }

    public int OpenStreams => _mux.OpenStreams;

    /// <summary>For tests: what is left behind.</summary>
    internal MuxSession Mux => _mux;

    public ValueTask<PortStream> OpenStreamAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<PortStream>(_mux.Open());
    }

    public async Task<SessionEnd> RunAsync(CancellationToken cancellationToken)
    {
        using var keepAlive = _keepAlive
            ? _time.CreateTimer(static mux => ((MuxSession)mux!).SendKeepAlive(), _mux, KeepAliveInterval, KeepAliveInterval)
            : null;
        return await TrafficLoops.RunAsync(_channel, this, cancellationToken).ConfigureAwait(false);
    }

    public Task SendAsync(CancellationToken cancellationToken) => _mux.RunSenderAsync(cancellationToken);

    public void StopWaitingForReaders() => _mux.StopWaitingForReaders();

    public void EndStreams(SessionEndedException reason) => _mux.End(reason);

    public async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        while (await _channel.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var (type, payload) = _channel.Current;
            if (type == PayloadType.Output) _mux.Receive(payload.Span);
            else if (type == PayloadType.Flag && ServiceMessages.TryReadFlag(payload.Span, out var flag) && flag == SessionFlag.ConnectToPortError)
                _mux.ExpectRefusal();
            await _mux.WhenRoomAsync().ConfigureAwait(false);
        }
    }
}
