using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fumidai.Hosting;

/// <summary>What the tunnel itself knows of its state; no probe is made.</summary>
internal sealed class TunnelHealthCheck(HostedTunnel hosted) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (hosted.State == TunnelState.Reconnecting)
            return Task.FromResult(HealthCheckResult.Degraded($"the route to {hosted.Name} is lost and another is searched for; new connections wait"));
        if (hosted.State != TunnelState.Open)
            return Task.FromResult(new HealthCheckResult(context.Registration.FailureStatus, $"the tunnel to {hosted.Name} does not serve"));
        var tunnel = hosted.Tunnel;
        return Task.FromResult(HealthCheckResult.Healthy($"{tunnel.Local} → {hosted.Name} via {tunnel.RouteName} {tunnel.Bastion}", new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["local"] = tunnel.Local.ToString(),
            ["route"] = tunnel.RouteName,
            ["bastion"] = tunnel.Bastion,
            ["connections"] = tunnel.Connections,
        }));
    }
}
