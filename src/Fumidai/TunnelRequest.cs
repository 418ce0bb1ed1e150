using Fumidai.Aws;
using Microsoft.Extensions.Logging;

namespace Fumidai;

/// <summary>What to open.</summary>
public sealed record TunnelRequest
{
    /// <summary>Where to.</summary>
    public required Target Target { get; init; }
    /// <summary>Settings of the run.</summary>
    public required Settings Settings { get; init; }
    /// <summary>Access to AWS.</summary>
    public required AwsAccess Access { get; init; }
    /// <summary>Told of everything worth telling.</summary>
    public IProgress<TunnelEvent>? Events { get; init; }
    /// <summary>
    /// Asks a person for the passphrase of a key file, given its path; null: nobody can be asked. Never called when
    /// <c>FUMIDAI_IDENTITY_PASSPHRASE</c> is set. Returning null gives up.
    /// </summary>
    public Func<string, CancellationToken, ValueTask<Secret?>>? AskPassphrase { get; init; }
    /// <summary>
    /// Asked when the bastion of an <c>ssh</c> route does not let our address in: whoever owns its rules may change them. True: it lets us in now;
    /// null: nobody may.
    /// </summary>
    public Func<BastionInstance, System.Net.IPAddress, CancellationToken, ValueTask<bool>>? Admit { get; init; }
    /// <summary>Signs in for the clients; null: they do it themselves, bytes are copied only. The tunnel's from its opening on, which may fail.</summary>
    public AuthProxy? AuthProxy { get; init; }
    /// <summary>Asks who the cluster's writer is now; null: RDS is asked.</summary>
    internal Func<CancellationToken, Task<string?>>? AskWriter { get; init; }
    /// <summary>Speaks PostgreSQL to the clients and the Data API to the cluster: there is no other route then. The tunnel's from its opening on, which may fail.</summary>
    public DataApiGateway? DataApi { get; init; }
    internal LocalEndpoint? Endpoint => AuthProxy ?? (LocalEndpoint?)DataApi;
    /// <summary>Whether only a child of this process connects, by its environment: the endpoint then makes no Unix socket and no file, and says nothing about signing in.</summary>
    public bool ServesChild { get; init; }
    /// <summary>Where to log.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
