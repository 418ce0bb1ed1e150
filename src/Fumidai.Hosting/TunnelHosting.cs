using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Fumidai.Hosting;

/// <summary>Puts tunnels into a host.</summary>
public static class TunnelHosting
{
    /// <summary>How long connections may take to finish when the host stops; what the host allows altogether bounds it.</summary>
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Adds a tunnel that is open while the host runs. Inject <see cref="HostedTunnel"/> (the first one added; others by the key
    /// <paramref name="target"/>) to learn where it listens.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="target"><c>cluster/ID</c>, <c>instance/ID</c>, <c>host/NAME:PORT</c>, or a name of fumidai.yaml.</param>
    /// <param name="configure">What differs from the environment and fumidai.yaml.</param>
    public static IServiceCollection AddFumidaiTunnel(this IServiceCollection services, string target, Action<TunnelOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        return services.AddFumidaiTunnel(target, (provider, cancellationToken) =>
        {
            var options = new TunnelOptions { LoggerFactory = provider.GetService<ILoggerFactory>() };
            configure?.Invoke(options);
            return Tunnel.OpenAsync(target, options, cancellationToken);
        });
    }

    /// <summary>Adds a tunnel that the caller opens.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">The key it is registered by.</param>
    /// <param name="open">Opens it, once, when the host starts.</param>
    public static IServiceCollection AddFumidaiTunnel(this IServiceCollection services, string name, Func<IServiceProvider, CancellationToken, Task<Tunnel>> open)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(open);
        if (services.Any(s => s.IsKeyedService && s.ServiceType == typeof(HostedTunnel) && name.Equals(s.ServiceKey)))
            throw new InvalidOperationException($"the tunnel {name} was added already");
        services.AddKeyedSingleton(name, (provider, _) => new HostedTunnel(
            name, cancellationToken => open(provider, cancellationToken), provider.GetKeyedService<DataSourceWish>(name), Drain, provider.GetRequiredService<ILogger<HostedTunnel>>()));
        services.TryAddSingleton(provider => provider.GetRequiredKeyedService<HostedTunnel>(name));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<HostedTunnel>(name));
        return services;
    }

    /// <summary>
    /// Adds an <see cref="NpgsqlDataSource"/> over a tunnel added before (the first one unkeyed, each by its key). It can be resolved once the
    /// host has started.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="target">The tunnel's key.</param>
    /// <param name="configure">Pool sizes, type mappings and so on.</param>
    public static IServiceCollection AddFumidaiDataSource(this IServiceCollection services, string target, Action<NpgsqlDataSourceBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddKeyedSingleton(target, new DataSourceWish(configure));
        // Resolved too early it fails, and that is not remembered: the same registration serves after the start.
        services.AddKeyedSingleton(target, (provider, _) => provider.GetRequiredKeyedService<HostedTunnel>(target).DataSource);
        services.TryAddSingleton(provider => provider.GetRequiredKeyedService<HostedTunnel>(target).DataSource);
        return services;
    }

    /// <summary>Healthy while the tunnel serves, Degraded while it reconnects; otherwise what <paramref name="failureStatus"/> says, Unhealthy by default. Asks nobody: it wakes no paused cluster.</summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="target">The tunnel's key.</param>
    /// <param name="failureStatus">What a tunnel that does not serve is reported as.</param>
    /// <param name="tags">Tags of the check.</param>
    public static IHealthChecksBuilder AddFumidaiTunnel(this IHealthChecksBuilder builder, string target, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            $"fumidai {target}", provider => new TunnelHealthCheck(provider.GetRequiredKeyedService<HostedTunnel>(target)), failureStatus, tags));
    }
}
