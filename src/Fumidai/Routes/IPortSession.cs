using Fumidai.SessionManager;

namespace Fumidai;

/// <summary>What the ssm route needs of a port session: <see cref="PortClient"/> is one, tests have another.</summary>
internal interface IPortSession : IAsyncDisposable
{
    /// <inheritdoc cref="PortClient.SessionId"/>
    string SessionId { get; }

    /// <inheritdoc cref="PortClient.Health"/>
    SessionHealth Health { get; }

    /// <inheritdoc cref="PortClient.NextHealthChange"/>
    Task NextHealthChange();

    /// <inheritdoc cref="PortClient.OpenStreamAsync"/>
    ValueTask<PortStream> OpenStreamAsync(CancellationToken cancellationToken);

    /// <inheritdoc cref="PortClient.Ended"/>
    Task<SessionEnd> Ended { get; }
}

/// <summary>The real one.</summary>
internal sealed class PortClientSession(PortClient client) : IPortSession
{
    public string SessionId => client.SessionId;

    public SessionHealth Health => client.Health;

    public Task<SessionEnd> Ended => client.Ended;

    public Task NextHealthChange() => client.NextHealthChange();

    public ValueTask<PortStream> OpenStreamAsync(CancellationToken cancellationToken) => client.OpenStreamAsync(cancellationToken);

    public ValueTask DisposeAsync() => client.DisposeAsync();
}
