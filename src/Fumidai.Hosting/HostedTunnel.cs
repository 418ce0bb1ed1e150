using Fumidai.Npgsql;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Fumidai.Hosting;

/// <summary>
/// A tunnel that lives as long as the host: open before any other service starts, drained and closed after all have stopped. A tunnel that
/// cannot be opened fails the start of the host, with the reason and the next step.
/// </summary>
public sealed class HostedTunnel : IHostedLifecycleService, IAsyncDisposable
{
    private readonly Func<CancellationToken, Task<Tunnel>> _open;
    private readonly ILogger<HostedTunnel> _logger;
    private readonly bool _withDataSource;
    private readonly Action<NpgsqlDataSourceBuilder>? _configure;
    private readonly TimeSpan _drain;
    private Tunnel? _tunnel;
    private NpgsqlDataSource? _dataSource;

    internal HostedTunnel(string name, Func<CancellationToken, Task<Tunnel>> open, DataSourceWish? wish, TimeSpan drain, ILogger<HostedTunnel> logger)
    {
        Name = name;
        (_open, _withDataSource, _configure, _drain, _logger) = (open, wish is not null, wish?.Configure, drain, logger);
    }

    /// <summary>What the tunnel is registered as: its target.</summary>
    public string Name { get; }

    /// <summary>The open tunnel.</summary>
    /// <exception cref="InvalidOperationException">The host has not started, or has stopped.</exception>
    public Tunnel Tunnel => _tunnel ?? throw new InvalidOperationException($"the tunnel to {Name} is open only while the host runs: resolve it after the start");

    /// <summary>What can be said of the tunnel now; Ended before the start too.</summary>
    public TunnelState State => _tunnel?.State ?? TunnelState.Ended;

    /// <summary>What <see cref="TunnelHosting.AddFumidaiDataSource"/> asked for.</summary>
    /// <exception cref="InvalidOperationException">The host has not started, or no data source was asked for.</exception>
    public NpgsqlDataSource DataSource => _dataSource ?? throw new InvalidOperationException($"the data source of {Name} exists only while the host runs: resolve it after the start");

    /// <inheritdoc/>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        _tunnel = await _open(cancellationToken).ConfigureAwait(false);
        _logger.Opened(Name, _tunnel.Local, _tunnel.RouteName, _tunnel.Bastion);
        _ = WatchAsync(_tunnel);
        if (_withDataSource)
            _dataSource = await _tunnel.CreateDataSourceAsync(_configure, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        // The pool's own connections first: they would never finish by themselves.
        if (_dataSource is not null)
            await _dataSource.DisposeAsync().ConfigureAwait(false);
        if (_tunnel is not null)
            await _tunnel.DrainAsync(_drain, cancellationToken).ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Closes what is open, without waiting for connections.</summary>
    public async ValueTask DisposeAsync()
    {
        var (dataSource, tunnel) = (_dataSource, _tunnel);
        (_dataSource, _tunnel) = (null, null);
        if (dataSource is not null)
            await dataSource.DisposeAsync().ConfigureAwait(false);
        if (tunnel is not null)
            await tunnel.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WatchAsync(Tunnel tunnel)
    {
        if (await tunnel.Ended.ConfigureAwait(false) is { } lost)
            _logger.Lost(Name, lost);
    }
}

/// <summary>That a data source is wanted, and how.</summary>
internal sealed record DataSourceWish(Action<NpgsqlDataSourceBuilder>? Configure);

/// <summary>Event ids 480 to 489.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(EventId = 480, Level = LogLevel.Information, Message = "Listening on {Local} → {Target} via {Route} {Bastion}")]
    public static partial void Opened(this ILogger logger, string target, System.Net.IPEndPoint local, string route, string bastion);

    [LoggerMessage(EventId = 481, Level = LogLevel.Error, Message = "The tunnel to {Target} is lost for good")]
    public static partial void Lost(this ILogger logger, string target, Exception exception);
}
