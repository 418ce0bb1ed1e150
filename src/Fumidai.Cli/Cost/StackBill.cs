using System.Globalization;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>What a stack has cost since the month began, by its real uptime, and what a month of it costs as it runs now.</summary>
/// <param name="Report">The stack as it is.</param>
/// <param name="Hours">Hours of this month (UTC) in which it has existed.</param>
/// <param name="BastionHours">Hours of this month since each bastion's last start; 0 for one that is stopped. Earlier runs EC2 does not tell.</param>
/// <param name="SoFar">The bill of these hours.</param>
/// <param name="Month">The bill of a month as it runs now.</param>
internal sealed record StackBill(StackReport Report, decimal Hours, IReadOnlyDictionary<string, decimal> BastionHours, MonthlyCost SoFar, MonthlyCost Month)
{
    internal static StackBill Of(StackReport report, PriceTable prices)
    {
        var now = report.Now;
        var begin = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        if (report.Status.Stack.Created is { } created && created > begin)
            begin = created;
        var hours = Since(begin, now);
        var bastions = report.Bastions.ToDictionary(b => b.Kind, b => b.Instance is { State: "running" or "pending" } i ? i.Launched is { } launched && launched > begin ? Since(launched, now) : hours : 0m, StringComparer.Ordinal);
        var stack = StackQuantities.Of(report.Status.Stack, report.Status.Resources);
        return new StackBill(report, hours, bastions,
            MonthlyCost.OfUptime(stack, prices, report.Region, hours, bastions.GetValueOrDefault("private"), bastions.GetValueOrDefault("public")),
            MonthlyCost.OfUptime(stack, prices, report.Region, MonthlyCost.HoursPerMonth, bastions.GetValueOrDefault("private") > 0 ? MonthlyCost.HoursPerMonth : 0, bastions.GetValueOrDefault("public") > 0 ? MonthlyCost.HoursPerMonth : 0));
    }

    internal IEnumerable<string> Lines()
    {
        yield return string.Create(CultureInfo.InvariantCulture, $"{Report.Status.Stack.Name} in {Report.Region}: {Hours:0.0} hours of this month so far");
        foreach (var (kind, hours) in BastionHours)
            yield return string.Create(CultureInfo.InvariantCulture, $"  {kind} bastion: {(hours > 0 ? $"running, {hours:0.0} hours since its last start" : "stopped; its earlier hours are not told by EC2")}");
        yield return "   SO FAR   A MONTH  USD, the month as it runs now";
        foreach (var what in Month.Lines.Concat(SoFar.Lines).Select(l => l.What).Distinct(StringComparer.Ordinal))
            yield return $"{Usd(SoFar, what),9} {Usd(Month, what),9}  {what}";
        yield return $"{CostTable.Money(SoFar.KnownUsd),9} {CostTable.Money(Month.KnownUsd),9}  in all{(Month.Unknown.Any() ? ", without what is not known" : "")}";
        yield return $"  Prices of {Month.OldestPrice ?? "no known date"} or later; the cluster at its least capacity; what it stores, gigabytes and requests are not counted.";
    }

    internal static string Json(IEnumerable<StackBill> bills) => JsonEvents.Write(json =>
    {
        json.WriteStartArray();
        foreach (var bill in bills)
        {
            json.WriteStartObject();
            json.WriteString("name", bill.Report.Status.Stack.Name);
            json.WriteString("region", bill.Report.Region);
            json.WriteNumber("hours_this_month", Math.Round(bill.Hours, 4));
            json.WriteStartObject("bastion_hours_since_start");
            foreach (var (kind, hours) in bill.BastionHours)
                json.WriteNumber(kind, Math.Round(hours, 4));
            json.WriteEndObject();
            json.WriteNumber("usd_so_far", Math.Round(bill.SoFar.KnownUsd, 4));
            json.WriteNumber("usd_month", Math.Round(bill.Month.KnownUsd, 4));
            CostJson.WriteLines(json, "so_far", bill.SoFar.Lines);
            CostJson.WriteLines(json, "month", bill.Month.Lines);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    internal static IEnumerable<string> Csv(IEnumerable<StackBill> bills) => bills
        .SelectMany(b => b.Month.Lines.Select(l => CostCsv.Row(b.Report.Status.Stack.Name, b.Report.Region, l.What, Plain(b.SoFar.Lines.Where(s => s.What == l.What).Sum(s => s.Usd)), Plain(l.Usd))))
        .Prepend("stack,region,what,usd_so_far,usd_month");

    private static string Plain(decimal? usd) => usd is { } known ? decimal.Round(known, 4).ToString(CultureInfo.InvariantCulture) : "";

    private static string Usd(MonthlyCost bill, string what)
    {
        var lines = bill.Lines.Where(l => l.What == what).ToList();
        return lines.Exists(l => l.Usd is null) ? "unknown" : CostTable.Money(lines.Sum(l => l.Usd ?? 0));
    }

    private static decimal Since(DateTimeOffset begin, DateTimeOffset now) => Math.Max(0, (decimal)(now - begin).TotalHours);
}
