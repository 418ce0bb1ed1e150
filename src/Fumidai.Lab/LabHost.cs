namespace Fumidai.Lab;

/// <summary>A running lab.</summary>
public sealed class LabHost : IAsyncDisposable
{
    private LabHost() => throw new NotImplementedException();

    /// <summary>Starts the API, the relay, the virtual agents and the real servers; returns when the seed's agents are Online and PostgreSQL answers.</summary>
    /// <exception cref="LabException">Something is missing on this machine, with what to install.</exception>
    public static Task<LabHost> StartAsync(LabOptions options, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The API's port.</summary>
    public int Port => throw new NotImplementedException();

    /// <summary>What to export, in order: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_CA_BUNDLE, SSL_CERT_FILE …</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Environment => throw new NotImplementedException();

    /// <summary>Lines that tell what is served (for the foreground display).</summary>
    public IReadOnlyList<string> Describe() => throw new NotImplementedException();

    /// <summary>Stops everything and removes what it made.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>The lab cannot run here; the message says what to install or change.</summary>
public sealed class LabException(string message, Exception? inner = null) : Exception(message, inner);
