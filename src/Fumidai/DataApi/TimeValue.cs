using System.Globalization;

namespace Fumidai;

/// <summary>Dates and times between their ISO text and PostgreSQL's counts: days and microseconds since 2000-01-01, years before Christ and infinity included.</summary>
internal static class TimeValue
{
    public const long Second = 1_000_000;
    private const long Day = 86_400 * Second;

    /// <summary>Days of the proleptic Gregorian calendar before 2000-01-01, from 0000-03-01.</summary>
    private const int Epoch = 730_425;

    public static int Date(string text)
    {
        if (text is "infinity" or "-infinity")
            return text[0] == '-' ? int.MinValue : int.MaxValue;
        var isBefore = text.EndsWith(" BC", StringComparison.Ordinal);
        var parts = (isBefore ? text[..^3] : text).Split('-');
        var year = int.Parse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture);
        return Days(isBefore ? 1 - year : year, Number(parts[1]), Number(parts[2]));
    }

    public static string DateText(int days)
    {
        if (days is int.MinValue or int.MaxValue)
            return days < 0 ? "-infinity" : "infinity";
        var (year, month, day) = Civil(days);
        return year > 0 ? string.Create(CultureInfo.InvariantCulture, $"{year:0000}-{month:00}-{day:00}") : string.Create(CultureInfo.InvariantCulture, $"{1 - year:0000}-{month:00}-{day:00} BC");
    }

    /// <summary>Microseconds of <c>HH:MM:SS.ffffff</c>, hours above 24 too.</summary>
    public static long Time(string text)
    {
        var parts = text.Split(':');
        var seconds = parts.Length > 2 ? parts[2] : "0";
        var point = seconds.IndexOf('.', StringComparison.Ordinal);
        var micros = point < 0 ? 0 : Number(seconds[(point + 1)..].PadRight(6, '0'));
        return (((((long)Number(parts[0]) * 60) + Number(parts[1])) * 60) + Number(point < 0 ? seconds : seconds[..point])) * Second + micros;
    }

    public static string TimeText(long micros) =>
        string.Create(CultureInfo.InvariantCulture, $"{micros / (3600 * Second):00}:{micros / (60 * Second) % 60:00}:{micros / Second % 60:00}") + Fraction(micros % Second);

    /// <summary>Microseconds east of Greenwich of <c>+HH[:MM[:SS]]</c>.</summary>
    public static long Zone(string text)
    {
        var parts = text[1..].Split(':');
        var seconds = (Number(parts[0]) * 3600) + (parts.Length > 1 ? Number(parts[1]) * 60 : 0) + (parts.Length > 2 ? Number(parts[2]) : 0);
        return (text[0] == '-' ? -seconds : seconds) * Second;
    }

    /// <summary>With a zone, in UTC.</summary>
    public static long Timestamp(string text)
    {
        if (text is "infinity" or "-infinity")
            return text[0] == '-' ? long.MinValue : long.MaxValue;
        var isBefore = text.EndsWith(" BC", StringComparison.Ordinal);
        if (isBefore)
            text = text[..^3];
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var time = text[(space + 1)..];
        var zone = time.AsSpan().IndexOfAny('+', '-');
        var days = Date(text[..space] + (isBefore ? " BC" : ""));
        return (days * Day) + Time(zone < 0 ? time : time[..zone]) - (zone < 0 ? 0 : Zone(time[zone..]));
    }

    public static string TimestampText(long micros, bool hasZone)
    {
        if (micros is long.MinValue or long.MaxValue)
            return micros < 0 ? "-infinity" : "infinity";
        var days = (int)Math.Floor((decimal)micros / Day);
        var date = DateText(days);
        var isBefore = date.EndsWith(" BC", StringComparison.Ordinal);
        return $"{(isBefore ? date[..^3] : date)} {TimeText(micros - (days * Day))}{(hasZone ? "+00" : "")}{(isBefore ? " BC" : "")}";
    }

    /// <summary>IntervalStyle postgres: <c>1 year 2 mons -3 days +04:05:06.7</c>.</summary>
    public static (int Months, int Days, long Micros) Interval(string text)
    {
        int months = 0, days = 0;
        var micros = 0L;
        var parts = text.Split(' ');
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts[i].Contains(':', StringComparison.Ordinal))
            {
                var time = Time(parts[i].TrimStart('-', '+'));
                micros = parts[i][0] == '-' ? -time : time;
                continue;
            }
            var number = int.Parse(parts[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            switch (parts[++i])
            {
                case "year" or "years":
                    months += number * 12;
                    break;
                case "mon" or "mons":
                    months += number;
                    break;
                case "day" or "days":
                    days += number;
                    break;
                default:
                    throw new FormatException();
            }
        }
        return (months, days, micros);
    }

    public static string IntervalText(int months, int days, long micros) =>
        string.Create(CultureInfo.InvariantCulture, $"{months} mons {days} days {(micros < 0 ? "-" : "")}{(Math.Abs((decimal)micros) / Second)} secs");

    private static string Fraction(long micros) => micros == 0 ? "" : "." + micros.ToString("000000", CultureInfo.InvariantCulture).TrimEnd('0');

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static int Days(int year, int month, int day)
    {
        var y = month <= 2 ? year - 1 : year;
        var era = (int)Math.Floor(y / 400.0);
        var ofEra = y - (era * 400);
        var ofYear = (((153 * (month + (month > 2 ? -3 : 9))) + 2) / 5) + day - 1;
        return (era * 146_097) + (ofEra * 365) + (ofEra / 4) - (ofEra / 100) + ofYear - Epoch;
    }

    private static (int Year, int Month, int Day) Civil(int days)
    {
        var z = (long)days + Epoch;
        var era = (long)Math.Floor(z / 146_097.0);
        var ofEra = z - (era * 146_097);
        var year = (ofEra - (ofEra / 1460) + (ofEra / 36_524) - (ofEra / 146_096)) / 365;
        var ofYear = ofEra - ((365 * year) + (year / 4) - (year / 100));
        var month = ((5 * ofYear) + 2) / 153;
        var day = ofYear - (((153 * month) + 2) / 5) + 1;
        var civil = month < 10 ? month + 3 : month - 9;
        return ((int)(year + (era * 400) + (civil <= 2 ? 1 : 0)), (int)civil, (int)day);
    }
}
