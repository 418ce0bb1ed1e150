namespace Fumidai.SessionManager;

/// <summary>How connections share the data channel of a port session: multiplexed, or one after the other.</summary>
internal interface IPortTraffic
{
    /// <summary>Connections open now.</summary>
    int OpenStreams { get; }

    /// <summary>Opens one.</summary>
    ValueTask<PortStream> OpenStreamAsync(CancellationToken cancellationToken);

    /// <summary>Moves bytes until the session is over or cancelled; then every stream has ended. Never faults.</summary>
    Task<SessionEnd> RunAsync(CancellationToken cancellationToken);
}
