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
        new("client-too-old", Hop.Laptop, v => v.Local.ClientVersion is { } text && Major(text) is > 0 and < 10 and var major
            ? new("client-too-old", Hop.Laptop, string.Create(CultureInfo.InvariantCulture, $"psql {major} cannot sign in"), $"{v.Local.Client} is {text}; SCRAM-SHA-256, which Aurora asks for, came with version 10", Fixes.Sentence("sudo apt-get install postgresql-client"), Reason.Failed) { IsNote = true }
            : null),
    ];

    private static int Major(string version) => int.TryParse(version.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : 0;
}
