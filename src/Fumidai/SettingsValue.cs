using System.Globalization;

namespace Fumidai;

/// <summary>What a single setting may look like, wherever it comes from. A wrong value is a <see cref="FormatException"/> that says what would be right.</summary>
internal static class SettingsValue
{
    private static readonly string[] Routes = ["auto", "ssm", "ssh", "eice", "data-api"];
    private static readonly string[] LaterRoutes = ["direct"];

    internal static string Via(string value) =>
        Routes.Contains(value, StringComparer.Ordinal) ? value
        : LaterRoutes.Contains(value, StringComparer.Ordinal) ? throw new FormatException($"the route {value} is not there yet; auto, ssm, ssh, eice and data-api are")
        : throw new FormatException($"“{value}” is not a route: auto, ssm, ssh, eice or data-api");

    /// <summary>A route by its name, not <c>auto</c>.</summary>
    internal static string OneRoute(string value) => value == "auto" ? throw new FormatException("“auto” is no route of its own") : Via(value);

    internal static string Auth(string value) =>
        value is "auto" or "iam" or "secret" ? value : throw new FormatException($"“{value}” is not a way to sign in: auto, iam or secret");

    internal static string Bastion(string value)
    {
        if (value.StartsWith("i-", StringComparison.Ordinal) && value.Length > 2 && value.AsSpan(2).IndexOfAnyExcept(Id) < 0)
            return value;
        if (value.StartsWith("tag:", StringComparison.Ordinal) && value.IndexOf('=', StringComparison.Ordinal) > 4)
            return value;
        throw new FormatException($"“{value}” is not a bastion: i-… or tag:KEY=VALUE");
    }

    internal static int Port(string value, int least) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port >= least && port <= 65535
            ? port
            : throw new FormatException($"“{value}” is not a port: {least} to 65535");

    internal static int Sessions(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var sessions) && sessions is >= 1 and <= 100
            ? sessions
            : throw new FormatException($"“{value}” is not a number of sessions: 1 to 100");

    /// <summary>Seconds or minutes, <c>90s</c>, <c>30m</c>: at least 10 s, at most the hour that AWS allows.</summary>
    internal static TimeSpan EiceDuration(string value) =>
        value.Length is > 1 and < 6 && value[^1] is 's' or 'm' && int.TryParse(value.AsSpan(0, value.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && (value[^1] == 's' ? TimeSpan.FromSeconds(number) : TimeSpan.FromMinutes(number)) is var time && time >= TimeSpan.FromSeconds(10) && time <= TimeSpan.FromHours(1)
            ? time
            : throw new FormatException($"“{value}” is not a duration of 10s to 60m");

    internal static Uri HttpUrl(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0
            ? url
            : throw new FormatException($"“{value}” is not an http or https URL");

    private static readonly System.Buffers.SearchValues<char> Id = System.Buffers.SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyz");
}
