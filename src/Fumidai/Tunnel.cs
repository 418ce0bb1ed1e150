using System.Net;
using Fumidai.Aws;
using Microsoft.Extensions.Logging;

namespace Fumidai;

/// <summary>Something a user may want to see happen. Documented for <c>--json</c> in docs/events.md.</summary>
/// <param name="Kind">starting, bastion_started, session_open, host_key_learned, ready, channel_refused, degraded, reconnected, switched, closing.</param>
/// <param name="Text">One line for people.</param>
/// <param name="Fields">Machine-readable members, lower_snake_case.</param>
public sealed record TunnelEvent(string Kind, string Text, IReadOnlyDictionary<string, string> Fields);

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
    /// <summary>Where to log.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>One local listener bound to one target over one route.</summary>
public sealed class Tunnel : IAsyncDisposable
{
    private Tunnel() => throw new NotImplementedException();

    /// <summary>
    /// Binds the local port first (exclusively, 127.0.0.1 and ::1), then finds the bastion, opens the route and proves it once: the far end
    /// answered (TCP; for PostgreSQL an SSLRequest). On failure nothing is left: no listener, no session.
    /// </summary>
    /// <exception cref="FumidaiException">With the reason and next step.</exception>
    public static Task<Tunnel> OpenAsync(TunnelRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Where clients connect.</summary>
    public IPEndPoint Local => throw new NotImplementedException();

    /// <summary>The target.</summary>
    public Target Target => throw new NotImplementedException();

    /// <summary>ssm or ssh.</summary>
    public string RouteName => throw new NotImplementedException();

    /// <summary>Bastion's id.</summary>
    public string Bastion => throw new NotImplementedException();

    /// <summary>Completes when the tunnel is lost for good (with the reason) or was disposed (null).</summary>
    public Task<FumidaiException?> Ended => throw new NotImplementedException();

    /// <summary>Stops listening, ends channels, terminates the session, closes the route; waits for it all.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
