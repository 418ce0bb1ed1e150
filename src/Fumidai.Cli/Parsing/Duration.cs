using System.Globalization;

namespace Fumidai.Cli;

/// <summary>A length of time as people write it: <c>30s</c>, <c>2m</c>, <c>1h</c>, <c>500ms</c>, or <c>0</c>.</summary>
internal static class Duration
{
    internal static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    internal const string Good = "must be a time such as 30s, 2m or 0, at most 24h";

    /// <summary>Null: it is none.</summary>
    internal static TimeSpan? Read(string text)
    {
        if (text == "0")
            return TimeSpan.Zero;
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        if (!int.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        TimeSpan? read = text[digits..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            _ => null,
        };
        return read <= Longest ? read : null;
    }
}
