using System.Text.Json;

namespace Fumidai.SessionManager;

/// <summary>How a session of any kind is run at the laptop's end.</summary>
public sealed record SessionClientOptions
{
    /// <summary>What concerns port sessions and all others alike: version, timings, sockets, clock, log.</summary>
    public PortClientOptions Port { get; init; } = new();

    /// <summary>The Target given to StartSession: part of the KMS encryption context (protocol §4.3).</summary>
    public string Target { get; init; } = "";

    /// <summary>Makes data keys where the account encrypts shells; null: such sessions fail.</summary>
    public ISessionKeySource? Keys { get; init; }
}

/// <summary>
/// A started session whose kind the agent has just told: the document that the user named does not tell it, a customer's own may be of any kind
/// (protocol §1.2). Exactly one of <see cref="Port"/> and <see cref="Shell"/> is there.
/// </summary>
public sealed class SessionClient : IAsyncDisposable
{
    private SessionClient(string sessionId, PortClient? port, ShellClient? shell, IReadOnlyDictionary<string, string> properties)
        => (SessionId, Port, Shell, Properties) = (sessionId, port, shell, properties);

    /// <summary>The session's id.</summary>
    public string SessionId { get; }

    /// <summary>The port session, if it is one.</summary>
    public PortClient? Port { get; }

    /// <summary>The shell or command, if it is one.</summary>
    public ShellClient? Shell { get; }

    /// <summary>The document's properties that are texts: <c>localPortNumber</c>, <c>localConnectionType</c> and so on (protocol §5.2).</summary>
    public IReadOnlyDictionary<string, string> Properties { get; }

    /// <summary>How it ended; never faults.</summary>
    public Task<SessionEnd> Ended => Port?.Ended ?? Shell!.Ended;

    /// <summary>Connects, shakes hands and sees what it is.</summary>
    /// <exception cref="SessionEndedException">The service or agent ended it, with their words.</exception>
    /// <exception cref="TimeoutException">No handshake within the limit.</exception>
    public static async Task<SessionClient> StartAsync(StreamTicket ticket, ISessionControl control, SessionClientOptions options, CancellationToken cancellationToken)
    {
        var channelOptions = options.Port.ForChannel() with { Target = options.Target, Keys = options.Keys };
        var channel = await DataChannel.ConnectAsync(ticket, control, channelOptions, cancellationToken).ConfigureAwait(false);
        var properties = TextProperties(channel.Handshake.Properties);
        return channel.Handshake.SessionType == SessionTypes.Port
            ? new SessionClient(channel.SessionId, PortClient.Over(channel, options.Port), null, properties)
            : new SessionClient(channel.SessionId, null, new ShellClient(channel, channel.SessionId, channel.Handshake, channel.TerminateAsync), properties);
    }

    /// <summary>Ends the session at both ends, then closes.</summary>
    public ValueTask DisposeAsync() => Port?.DisposeAsync() ?? Shell!.DisposeAsync();

    private static Dictionary<string, string> TextProperties(JsonElement properties)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (properties.ValueKind != JsonValueKind.Object) return texts;
        foreach (var property in properties.EnumerateObject())
            if (property.Value.ValueKind == JsonValueKind.String) texts[property.Name] = property.Value.GetString()!;
        return texts;
    }
}
