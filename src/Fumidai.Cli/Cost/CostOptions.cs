using System.Globalization;

namespace Fumidai.Cli;

/// <summary>The options of <c>fumidai cost</c>.</summary>
internal static class CostOptions
{
    internal static readonly OptionSpec HoursADay = new("--hours-a-day", "N", "hours a day in which somebody is connected; default 8", OptionGroup.Cost, Between(0, 24));
    internal static readonly OptionSpec IdleHours = new("--idle-hours", "N", "hours a day in which nobody is connected, but what stops when idle has not stopped yet; default 0.5", OptionGroup.Cost, Between(0, 24));
    internal static readonly OptionSpec Gb = new("--gb", "N", "gigabytes a month through the way; default 1", OptionGroup.Cost, Between(0, 1_000_000));
    internal static readonly OptionSpec Zones = new("--zones", "N", "zones of endpoints and NAT gateways: 1 to 3; default: 1 and 2 side by side", OptionGroup.Cost, text => text is "1" or "2" or "3" ? null : "must be 1, 2 or 3");
    internal static readonly OptionSpec Hours = new("--hours", "N", "hours that a month has; default 730, as AWS counts", OptionGroup.Cost, Between(1, 744));
    internal static readonly OptionSpec Acu = new("--acu", "N", "the typical capacity, in ACU, while somebody is connected; default 2", OptionGroup.Cost, Between(0.5m, 256));
    internal static readonly OptionSpec StorageGb = new("--storage-gb", "N", "gigabytes stored in the database; default 10", OptionGroup.Cost, Between(0, 128_000));
    internal static readonly OptionSpec Calls = new("--calls", "N", "calls of the Data API a month; default 100000", OptionGroup.Cost, Between(0, 1_000_000_000_000));
    internal static readonly OptionSpec Dpus = new("--dpus", "N", "units of work (DPU) of DSQL a month; default 100000", OptionGroup.Cost, Between(0, 1_000_000_000_000));
    internal static readonly OptionSpec Prices = new("--prices", null, "print the prices of the region instead, each with its date and source", OptionGroup.Cost);

    internal static readonly OptionSpec Refresh = new("--refresh", null, "ask AWS's Price List API for today's prices (pricing:GetProducts); where that is not allowed, the shipped ones", OptionGroup.Cost);
    internal static readonly OptionSpec Stack = new("--stack", null, "the bill of what fumidai up has built, with its real uptime; --name names one", OptionGroup.Cost);

    internal static readonly OptionSpec Svg = new("--svg", null, "the chart as an SVG picture, for light and dark pages", OptionGroup.Output);
    internal static readonly OptionSpec Csv = new("--csv", null, "the table as CSV", OptionGroup.Output);

    internal static readonly OptionSpec[] OfUsage = [HoursADay, IdleHours, Gb, Zones, Hours, Acu, StorageGb, Calls, Dpus];

    internal static decimal? Number(this Typed typed, OptionSpec option, decimal? otherwise) => typed.Value(option) is { } text ? Read(text) : otherwise;

    private static decimal? Read(string text) => decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static Func<string, string?> Between(decimal least, decimal most) =>
        text => Read(text) is { } number && number >= least && number <= most ? null : string.Create(CultureInfo.InvariantCulture, $"must be a number from {least} to {most}");
}
