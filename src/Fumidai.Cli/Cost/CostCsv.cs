using System.Globalization;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>The table as CSV (RFC 4180, but with LF), for spreadsheets.</summary>
internal static class CostCsv
{
    internal static IEnumerable<string> Of(CostComparison comparison)
    {
        yield return "region,part,id,architecture,usd_month,complete,unknown,security,throughput,cost";
        foreach (var row in comparison.Rows)
        {
            var what = row.Architecture;
            yield return Row(comparison.Region, CostJson.Word(what.Part), what.Id, what.Name, row.IsUnknown ? "" : decimal.Round(row.Cost.KnownUsd, 4).ToString(CultureInfo.InvariantCulture), row.IsComplete ? "true" : "false",
                string.Join(' ', row.Cost.Unknown.Select(l => l.Price.Item)), what.Reasons.Security, what.Reasons.Throughput, what.Reasons.Cost);
        }
    }

    internal static IEnumerable<string> Prices(IEnumerable<Price> prices) =>
        prices.Select(p => Row(p.Region, p.Item, p.UsageType, p.Unit, p.Usd?.ToString(CultureInfo.InvariantCulture) ?? "", p.AsOf, p.Source)).Prepend("region,item,usage_type,unit,usd,as_of,source");

    internal static string Row(params string[] fields) => string.Join(',', fields.Select(Field));

    private static string Field(string text) => text.AsSpan().IndexOfAny(",\"\n\r") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
