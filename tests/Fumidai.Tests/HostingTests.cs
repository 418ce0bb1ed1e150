using Fumidai.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit;

namespace Fumidai.Tests;

public sealed class HostingTests
{
    private static Task<Tunnel> OpenAsync(IRoute route, string name) => Tunnel.OpenAsync(
        Requests.To(new HostPort(name, 6379)), 0, "eu-west-1", (_, _) => Task.FromResult(route), TestContext.Current.CancellationToken);

    private static HostApplicationBuilder Builder()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.ClearProviders();
        return builder;
    }

    [Fact]
    public async Task The_tunnel_is_open_while_services_run_and_healthy_only_then()
    {
        var route = new MemoryRoute(_ => Task.CompletedTask);
        var builder = Builder();
        var seen = new Seen();
        builder.Services.AddSingleton(seen);
        builder.Services.AddHostedService<Witness>();
        builder.Services.AddFumidaiTunnel("cache", (_, _) => OpenAsync(route, "cache.internal"));
        builder.Services.AddFumidaiTunnel("other", (_, _) => OpenAsync(new MemoryRoute(_ => Task.CompletedTask), "other.internal"));
        builder.Services.AddHealthChecks().AddFumidaiTunnel("cache").AddFumidaiTunnel("other", HealthStatus.Degraded);
        using var host = builder.Build();
        var hosted = host.Services.GetRequiredService<HostedTunnel>();
        var health = host.Services.GetRequiredService<HealthCheckService>();
        Assert.Equal("cache", hosted.Name);
        Assert.Throws<InvalidOperationException>(() => hosted.Tunnel);
        var before = await health.CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal([HealthStatus.Unhealthy, HealthStatus.Degraded], before.Entries.Values.Select(e => e.Status));

        await host.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Status);
        Assert.NotEqual(hosted.Tunnel.Local, host.Services.GetRequiredKeyedService<HostedTunnel>("other").Tunnel.Local);
        await host.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal([true, true], seen.Open);
        Assert.True(route.IsDisposed);
        Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Status);
    }

    [Fact]
    public async Task A_tunnel_that_is_lost_for_good_is_unhealthy()
    {
        var route = new MemoryRoute(_ => Task.CompletedTask);
        var searches = 0;
        var builder = Builder();
        builder.Services.AddFumidaiTunnel("cache", (_, _) => Tunnel.OpenAsync(
            Requests.To(new HostPort("cache.internal", 6379)), 0, "eu-west-1",
            (_, _) => searches++ == 0 ? Task.FromResult<IRoute>(route) : throw new FumidaiException(Reason.NotFound, "the bastion is gone"),
            TestContext.Current.CancellationToken));
        builder.Services.AddHealthChecks().AddFumidaiTunnel("cache");
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var tunnel = host.Services.GetRequiredService<HostedTunnel>().Tunnel;

        route.Lose(new FumidaiException(Reason.NoRoute, "cannot start a session"));
        Assert.NotNull(await tunnel.Ended.WaitAsync(Requests.Guard));

        Assert.Equal(HealthStatus.Unhealthy, (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken)).Status);
    }

    [Fact]
    public async Task A_tunnel_that_cannot_be_opened_fails_the_start_with_its_reason()
    {
        var builder = Builder();
        builder.Services.AddFumidaiTunnel("cache", (_, _) => throw new FumidaiException(Reason.NoRoute, "no route to cache"));
        using var host = builder.Build();

        var failed = await Assert.ThrowsAsync<FumidaiException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal(Reason.NoRoute, failed.Reason);
    }

    [Fact]
    public void A_data_source_resolved_too_early_says_so_and_a_tunnel_added_twice_too()
    {
        var builder = Builder();
        builder.Services.AddFumidaiTunnel("app");
        builder.Services.AddFumidaiDataSource("app");
        using var host = builder.Build();

        Assert.Contains("after the start", Assert.Throws<InvalidOperationException>(host.Services.GetRequiredService<NpgsqlDataSource>).Message, StringComparison.Ordinal);
        Assert.Contains("added already", Assert.Throws<InvalidOperationException>(() => builder.Services.AddFumidaiTunnel("app")).Message, StringComparison.Ordinal);
    }

    private sealed class Seen
    {
        public List<bool> Open { get; } = [];
    }

    private sealed class Witness(HostedTunnel hosted, Seen seen) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            seen.Open.Add(hosted.State == TunnelState.Open);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            seen.Open.Add(hosted.State == TunnelState.Open);
            return Task.CompletedTask;
        }
    }
}
