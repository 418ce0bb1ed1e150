using System.Globalization;

namespace Fumidai;

/// <summary>This machine (aws-facts §8.2 rows 3, 39).</summary>
internal static class LaptopRules
{
    /// <summary>AWS refuses signatures that are five minutes off.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromMinutes(4.5);

    internal static readonly Rule[] All =
    [
        new("clock-skew", Hop.Laptop, v => v.Topology.ClockOffset is { } offset && offset.Duration() > s_skew
            ? new("clock-skew", Hop.Laptop, "this machine's clock is wrong", string.Create(CultureInfo.InvariantCulture, $"it is {Math.Abs(offset.TotalMinutes):0} minutes {(offset > TimeSpan.Zero ? "behind" : "ahead of")} AWS, which refuses signatures older than five"),
                Fixes.Sentence("sudo timedatectl set-ntp true"), Reason.AwsAccess)
            : null),
        new("port-busy", Hop.Laptop, v => v.Local is { Port: > 0, PortHolder: { } holder }
            ? new("port-busy", Hop.Laptop, string.Create(CultureInfo.InvariantCulture, $"local port {v.Local.Port} is taken"), $"{holder} listens there", Fixes.Sentence("leave --port out, or name another: --port 0 takes any free one"), Reason.Failed)
            : null),
        new("client-missing", Hop.Laptop, v => v.Local.Client is null
            ? new("client-missing", Hop.Laptop, "psql is not installed", "no psql on PATH; tunnel works without, connect needs it", Fixes.Sentence("sudo apt-get install postgresql-client"), Reason.Failed) { IsNote = true }
            : null),
    ];
}
