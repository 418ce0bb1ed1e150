using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>A tunnel as a service: SIGTERM lets clients finish, probes and metrics answer, systemd is told.</summary>
public sealed class ServiceJourneys(RunningLab lab)
{
    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task SIGTERM_takes_no_new_client_and_lets_the_open_one_finish(string route)
    {
        var (tunnel, port) = await lab.TunnelAsync(route, "--drain", "1h");
        await using var _ = tunnel;
        await using var client = Command.Start(await lab.PgEnvironmentAsync(port), "psql", "-XAt");
        await client.TypeAsync("begin; select 'before';\n");
        await client.OutputLineAsync("before");

        tunnel.Signal("TERM");
        await tunnel.ErrorLineAsync("1 may finish");
        var listens = await Machine.ListensAsync(port);
        await client.TypeAsync("select 'after'; commit;\n\\q\n");
        var finished = await client.FinishAsync();
        var ended = await tunnel.FinishAsync();

        Assert.False(listens);
        Assert.True(finished.ExitCode == 0, finished.ToString());
        Assert.Contains("after", finished.Output, StringComparison.Ordinal);
        Assert.True(ended.ExitCode == 143, ended.ToString());
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_second_signal_ends_the_wait(string second)
    {
        var (tunnel, port) = await lab.TunnelAsync("ssm", "--drain", "1h");
        await using var _ = tunnel;
        await using var client = Command.Start(await lab.PgEnvironmentAsync(port), "psql", "-XAt");
        await client.TypeAsync("select 'before';\n");
        await client.OutputLineAsync("before");

        tunnel.Signal("TERM");
        await tunnel.ErrorLineAsync("1 may finish");
        tunnel.Signal(second);
        var ended = await tunnel.FinishAsync();

        Assert.True(ended.ExitCode == 143, ended.ToString());
        Assert.Contains("Cutting 1 connection", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_clients_or_without_a_drain_SIGTERM_ends_at_once()
    {
        var (idle, _) = await lab.TunnelAsync("ssm", "--drain", "1h");
        await using var first = idle;
        var (busy, port) = await lab.TunnelAsync("ssm", "--drain", "0");
        await using var second = busy;
        await using var client = Command.Start(await lab.PgEnvironmentAsync(port), "psql", "-XAt");
        await client.TypeAsync("select 'before';\n");
        await client.OutputLineAsync("before");

        idle.Signal("TERM");
        busy.Signal("TERM");

        Assert.Equal(143, (await idle.FinishAsync()).ExitCode);
        Assert.Equal(143, (await busy.FinishAsync()).ExitCode);
    }

    [Fact]
    public async Task Probes_metrics_and_systemd_see_the_tunnel_come_and_go()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "systemd is a Linux matter");
        var name = Path.Combine(lab.Environment["HOME"], $"notify-{Guid.NewGuid():N}"[..16]);
        using var supervisor = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        supervisor.Bind(new UnixDomainSocketEndPoint(name));
        var environment = new Dictionary<string, string>(lab.Environment, StringComparer.Ordinal) { ["NOTIFY_SOCKET"] = name, ["WATCHDOG_USEC"] = "2000000" };
        await using var tunnel = Command.Start(environment, Command.Fumidai, "tunnel", "cluster/app", "--via", "ssm", "--health-port", "0");
        var health = (await tunnel.ErrorLineAsync("Health checks and metrics on ")).Split(' ')[^1];
        var ready = await tunnel.OutputLineAsync("Listening on ");
        var port = int.Parse(ready.Split(' ')[2].Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.StartsWith("http://127.0.0.1:", health, StringComparison.Ordinal);
        await ToldAsync(supervisor, "READY=1");
        await ToldAsync(supervisor, "WATCHDOG=1");
        var pg = await lab.PgEnvironmentAsync(port);

        await using var client = Command.Start(pg, "psql", "-XAt");
        await client.TypeAsync("select repeat('x', 100000);\n");
        await client.OutputLineAsync("xxxx");
        using var http = new HttpClient();
        Assert.Equal("ok\n", await http.GetStringAsync(new Uri(health + "/healthz"), TestContext.Current.CancellationToken));
        Assert.StartsWith("ready cluster/app ", await http.GetStringAsync(new Uri(health + "/readyz"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var metrics = (await http.GetStringAsync(new Uri(health + "/metrics"), TestContext.Current.CancellationToken)).Split('\n');
        Assert.Contains("fumidai_tunnels{target=\"cluster/app\"} 1", metrics);
        Assert.Contains("fumidai_channels{target=\"cluster/app\",route=\"ssm\"} 1", metrics);
        var down = metrics.Single(l => l.StartsWith("fumidai_io_bytes_total{target=\"cluster/app\",route=\"ssm\",direction=\"receive\"} ", StringComparison.Ordinal));
        Assert.True(long.Parse(down.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) > 100_000, down);

        tunnel.Signal("TERM");
        await tunnel.ErrorLineAsync("1 may finish");
        await ToldAsync(supervisor, "STOPPING=1");
        using (var draining = await http.GetAsync(new Uri(health + "/readyz"), TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, draining.StatusCode);
            Assert.StartsWith("draining cluster/app ", await draining.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        await client.TypeAsync("\\q\n");
        Assert.Equal(143, (await tunnel.FinishAsync()).ExitCode);
    }

    // The watchdog speaks in between; a guard, no measure.
    private static async Task ToldAsync(Socket supervisor, string word)
    {
        var buffer = new byte[4096];
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var read = await supervisor.ReceiveAsync(buffer, SocketFlags.None, guard.Token);
            if (Encoding.UTF8.GetString(buffer, 0, read).StartsWith(word, StringComparison.Ordinal))
                return;
        }
    }
}
