namespace Fumidai.SessionManager;

/// <summary>What a running session tells about its connection.</summary>
public enum SessionHealth
{
    /// <summary>Connected.</summary>
    Up,
    /// <summary>The socket is lost; resuming.</summary>
    Resuming,
    /// <summary>Over.</summary>
    Ended,
}

/// <summary>The laptop's end of one port session, basic or multiplexed as the versions decide (protocol §5.1).</summary>
public sealed class PortClient : IAsyncDisposable
{
    /// <summary>In basic mode nothing tells that the far end is done, and the next connection waits: a shorter silence has to do.</summary>
    private static readonly TimeSpan BasicHalfCloseLimit = TimeSpan.FromSeconds(1);

    private readonly DataChannel _channel;
    private readonly IPortTraffic _traffic;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<SessionEnd> _running;
    private readonly TaskCompletionSource<SessionEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _sync = new();
    private Task? _disposing;

    private PortClient(DataChannel channel, PortClientOptions options)
    {
        _channel = channel;
        var handshake = channel.Handshake;
        IsSingleConnection = handshake.Property(PortProperties.Type) != PortProperties.LocalPortForwarding;
        IsMultiplexed = !IsSingleConnection && PeerVersion.IsAgentNewerThan(handshake.AgentVersion, PeerVersion.LastBasicAgent);
        if (IsMultiplexed) channel.ReadInline();
        var basicLimit = options.HalfCloseLimit < BasicHalfCloseLimit || IsSingleConnection ? options.HalfCloseLimit : BasicHalfCloseLimit;
        _traffic = IsMultiplexed
            ? new MuxedTraffic(channel, handshake.AgentVersion, options.HalfCloseLimit, options.Time, options.KeepAlive)
            : new BasicTraffic(channel, IsSingleConnection, basicLimit, options.Time);
        _running = RunAsync();
    }

    /// <summary>Connects, shakes hands and is ready to open streams.</summary>
    /// <exception cref="SessionEndedException">The service or agent ended it, with their words; or it is no port session.</exception>
    /// <exception cref="TimeoutException">No handshake within <see cref="PortClientOptions.HandshakeTimeout"/>.</exception>
    public static async Task<PortClient> StartAsync(StreamTicket ticket, ISessionControl control, PortClientOptions options, CancellationToken cancellationToken)
    {
        var channel = await DataChannel.ConnectAsync(ticket, control, options.ForChannel(), cancellationToken).ConfigureAwait(false);
        if (channel.Handshake.SessionType == SessionTypes.Port) return new PortClient(channel, options);
        await channel.TerminateAsync().ConfigureAwait(false);
        throw new SessionEndedException(new SessionEnd(SessionEndKind.Failed,
            $"the agent began a {channel.Handshake.SessionType} session, not a port session"));
    }

    internal static PortClient Over(DataChannel channel, PortClientOptions options) => new(channel, options);

    /// <summary>The session's id.</summary>
    public string SessionId => _channel.SessionId;

    /// <summary>What the agent announced, e.g. <c>3.3.1142.0</c>.</summary>
    public string AgentVersion => _channel.Handshake.AgentVersion;

    /// <summary>Whether many streams run at once. In basic mode a second stream waits for the first one's end.</summary>
    public bool IsMultiplexed { get; }

    /// <summary>Whether the session is one connection and ends with it: the SSH document (protocol §5.3).</summary>
    public bool IsSingleConnection { get; }

    /// <summary>Streams open now.</summary>
    public int OpenStreams => _traffic.OpenStreams;

    /// <summary>The connection's state now.</summary>
    public SessionHealth Health => _ended.Task.IsCompleted ? SessionHealth.Ended : _channel.Health;

    /// <summary>Completes at the next change of <see cref="Health"/>.</summary>
    public Task NextHealthChange() => _ended.Task.IsCompleted ? Task.CompletedTask : Task.WhenAny(_channel.NextHealthChange(), _ended.Task);

    /// <summary>Opens one connection to the session's destination. Returns at once: the protocol has no word for "connected"; a refusal shows as <see cref="PortStream.Ended"/> with <see cref="ConnectToPortException"/>.</summary>
    /// <exception cref="SessionEndedException">The session is over.</exception>
    public ValueTask<PortStream> OpenStreamAsync(CancellationToken cancellationToken) => _traffic.OpenStreamAsync(cancellationToken);

    /// <summary>How the session ended; never faults.</summary>
    public Task<SessionEnd> Ended => _ended.Task;

    /// <summary>Flag TerminateSession, a wait of at most two seconds for its acknowledgement, then TerminateSession, then close (protocol §6.3).</summary>
    public ValueTask DisposeAsync()
    {
        lock (_sync) _disposing ??= EndAsync();
        return new ValueTask(_disposing);
    }

    private async Task<SessionEnd> RunAsync()
    {
        var end = await _traffic.RunAsync(_stop.Token).ConfigureAwait(false);
        _ended.TrySetResult(end);
        return end;
    }

    // The traffic runs on until the flag is acknowledged: bytes already given to us leave before it.
    private async Task EndAsync()
    {
        await _channel.TerminateAsync().ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }
}
