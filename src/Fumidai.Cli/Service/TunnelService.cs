using System.Globalization;
using System.Net;

namespace Fumidai.Cli;

/// <summary>
/// <c>fumidai tunnel</c> as a service: health port, systemd, and an end that lets connections finish. Ready while every tunnel serves; alive
/// while the process can answer at all.
/// </summary>
internal sealed class TunnelService : IAsyncDisposable
{
    /// <summary>Closing sessions and routes after the drain, for systemd's patience.</summary>
    private static readonly TimeSpan ClosingLimit = TimeSpan.FromSeconds(10);

    private readonly Run _run;
    private readonly TimeSpan _drain;
    private readonly MeterPage? _meters;
    private readonly HealthServer? _health;
    private readonly SystemdNotify _systemd;
    private IReadOnlyList<Tunnel>? _tunnels;

    private TunnelService(Run run, TimeSpan drain, IPEndPoint? health)
    {
        _run = run;
        _drain = drain;
        if (health is not null)
        {
            _meters = new MeterPage(Telemetry.Name);
            _health = HealthServer.Listen(health, Answer, run.Surroundings.Time);
        }
        _systemd = SystemdNotify.Open(run.Surroundings.Environment, Environment.ProcessId, run.Surroundings.Time);
    }

    /// <summary>Answers from now on: alive, not ready yet.</summary>
    /// <exception cref="FumidaiException">The health port cannot be bound.</exception>
    internal static TunnelService Start(Run run, TimeSpan drain, IPEndPoint? health)
    {
        var service = new TunnelService(run, drain, health);
        if (service._health is { EndPoint: var at })
        {
            run.Screen.Report(new TunnelEvent(
                "health", $"Health checks and metrics on http://{at}",
                new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["address"] = at.Address.ToString(),
                    ["port"] = at.Port.ToString(CultureInfo.InvariantCulture),
                }));
        }
        return service;
    }

    /// <summary>Every tunnel is open.</summary>
    internal void Ready(IReadOnlyList<Tunnel> tunnels)
    {
        _tunnels = tunnels;
        _systemd.Ready(string.Join(", ", tunnels.Select(t => $"{t.Target.Name} on {t.Local}")));
    }

    /// <summary>After SIGTERM: stops accepting and lets connections finish, as long as was allowed and no second signal comes.</summary>
    internal async Task DrainAsync(IReadOnlyList<Tunnel> tunnels)
    {
        _run.Stop.LetFinish();
        _systemd.Stopping(_drain + ClosingLimit);
        var left = await Task.WhenAll(tunnels.Select(t => t.DrainAsync(_drain, _run.Stop.Hurry))).ConfigureAwait(false);
        if (left.Sum() is > 0 and var cut)
            _run.Screen.Note(string.Create(CultureInfo.InvariantCulture, $"Cutting {cut} {(cut == 1 ? "connection" : "connections")} still open"));
    }

    public async ValueTask DisposeAsync()
    {
        _systemd.Dispose();
        if (_health is not null)
            await _health.DisposeAsync().ConfigureAwait(false);
        _meters?.Dispose();
    }

    private HealthAnswer? Answer(string path) => path switch
    {
        "/healthz" => HealthServer.Plain(200, "ok"),
        "/readyz" => Readiness(),
        "/metrics" => new HealthAnswer(200, MeterPage.ContentType, _meters!.Text()),
        _ => null,
    };

    private HealthAnswer Readiness()
    {
        if (_tunnels is not { } tunnels)
            return HealthServer.Plain(503, "opening");
        var lines = tunnels.Select(t => $"{Word(t.State)} {t.Target.Name} {t.Local} {t.RouteName} {t.Bastion}");
        return HealthServer.Plain(tunnels.All(t => t.State == TunnelState.Open) ? 200 : 503, string.Join('\n', lines));
    }

    private static string Word(TunnelState state) => state switch
    {
        TunnelState.Open => "ready",
        TunnelState.Reconnecting => "reconnecting",
        TunnelState.Draining => "draining",
        _ => "ended",
    };
}
