namespace Fumidai.Lab;

/// <summary>Times of the message gateway, all by the lab's clock.</summary>
internal sealed record RelayOptions
{
    /// <summary>A websocket is closed with 1000 "Bye" after so long; the session lives on (protocol §6.1, third party's observation).</summary>
    public TimeSpan SocketLife { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>A session without stream data for so long ends (protocol §6.1: AWS's default).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>A token nobody used is worth nothing after so long. Not backed: the real lifetime is unknown (protocol §13.7).</summary>
    public TimeSpan TokenLife { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the first text message may take after the upgrade. Not backed.</summary>
    public TimeSpan FirstMessageLimit { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a peer may keep its socket open after channel_closed or a close frame. Not backed.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Rates and sizes.</summary>
    public ServiceModel Service { get; init; } = ServiceModel.Open;

    /// <summary>Largest message taken, in bytes; the service's own limit is unknown (protocol §3.6), the agent's code takes a megabyte.</summary>
    public int MaxMessage { get; init; } = 2 << 20;
}
