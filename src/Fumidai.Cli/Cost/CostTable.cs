using System.Globalization;
using System.Text;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>The table with its bars, for a terminal.</summary>
/// <param name="Comparison">What is shown.</param>
/// <param name="Question">What was assumed.</param>
/// <param name="Width">Columns.</param>
/// <param name="UsesColor">Whether bars are coloured.</param>
internal sealed record CostTable(CostComparison Comparison, CostQuestion Question, int Width, bool UsesColor)
{
    /// <summary>Columns where stdout is no terminal.</summary>
    internal const int DefaultWidth = 100;

    private const int LeastWidth = 40;
    private const int LeastBar = 8;
    private const int MostBar = 60;

    // Eighths of a column.
    private const string Eighths = "▏▎▍▌▋▊▉█";

    private int Columns => Math.Max(Width, LeastWidth);

    internal IEnumerable<string> Lines()
    {
        foreach (var (part, title) in new[] { (ArchitecturePart.Way, "The way to the database"), (ArchitecturePart.Database, "The database") })
        {
            foreach (var line in Wrap("", $"{title}, USD a month in {Comparison.Region}"))
                yield return line;
            foreach (var line in Rows([.. Comparison.Of(part)]))
                yield return line;
            yield return "";
        }
        yield return "Why one would pick it";
        foreach (var line in Comparison.Rows.DistinctBy(r => r.Architecture.Family).SelectMany(r => Reasons(r.Architecture)))
            yield return line;
        yield return "";
        foreach (var line in Wrap("", $"Assumed: {Question.Assumptions}."))
            yield return line;
        foreach (var line in Wrap("", $"USD a month without tax, discounts and free allowances; prices of {Comparison.OldestPrice ?? "no known date"} or later, fumidai cost --prices shows each with its source."))
            yield return line;
        var unknown = Comparison.Rows.SelectMany(r => r.Cost.Unknown).Select(l => l.Price.Item).Distinct(StringComparer.Ordinal).ToList();
        if (unknown.Count > 0)
        {
            foreach (var line in Wrap("", $"≥: at least, since these prices of {Comparison.Region} are not known: {string.Join(", ", unknown)}."))
                yield return line;
        }
    }

    /// <summary>The prices of a region.</summary>
    internal static IEnumerable<string> Prices(IReadOnlyList<Price> prices)
    {
        string[][] rows = [["ITEM", "USD", "UNIT", "USAGE TYPE", "AS OF", "SOURCE"], .. prices.Select(p => new[] { p.Item, p.Usd?.ToString(CultureInfo.InvariantCulture) ?? "unknown", p.Unit, p.UsageType, p.AsOf, p.Source })];
        var widths = Enumerable.Range(0, 5).Select(column => rows.Max(r => r[column].Length)).ToArray();
        return rows.Select(row => string.Join("  ", row.Select((cell, column) => column < widths.Length ? cell.PadRight(widths[column]) : cell)).TrimEnd());
    }

    private IEnumerable<string> Rows(IReadOnlyList<ComparedCost> rows)
    {
        var sums = rows.Select(Sum).ToList();
        var sumWidth = sums.Max(s => s.Length);
        var nameWidth = rows.Max(r => r.Architecture.Name.Length);
        var room = Columns - 2 - sumWidth - 2 - nameWidth - 2;
        for (var i = 0; i < rows.Count; i++)
        {
            var left = $"  {sums[i].PadLeft(sumWidth)}  ";
            var bar = Bar(rows[i].Cost.KnownUsd, Math.Clamp(room >= LeastBar ? room : Columns - left.Length, LeastBar, MostBar), rows[i].Architecture.Part);
            if (room >= LeastBar)
            {
                yield return $"{left}{rows[i].Architecture.Name.PadRight(nameWidth)}  {bar}".TrimEnd();
            }
            else
            {
                foreach (var line in Wrap(left, rows[i].Architecture.Name))
                    yield return line;
                if (bar.Length > 0)
                    yield return new string(' ', left.Length) + bar;
            }
        }
    }

    private string Bar(decimal usd, int width, ArchitecturePart part)
    {
        if (Comparison.LargestUsd <= 0 || usd <= 0)
            return "";
        var eighths = Math.Max(1, (int)decimal.Round(usd / Comparison.LargestUsd * width * 8));
        var bar = new string(Eighths[^1], eighths / 8) + (eighths % 8 > 0 ? Eighths[eighths % 8 - 1] : "");
        return UsesColor ? $"\x1b[{(part == ArchitecturePart.Way ? 36 : 35)}m{bar}\x1b[0m" : bar;
    }

    private IEnumerable<string> Reasons(Architecture architecture)
    {
        foreach (var line in Wrap("  ", architecture.Family))
            yield return line;
        foreach (var (word, text) in new[] { ("security", architecture.Reasons.Security), ("throughput", architecture.Reasons.Throughput), ("cost", architecture.Reasons.Cost) })
        {
            foreach (var line in Wrap($"    {word,-12}", text))
                yield return line;
        }
    }

    // Later lines stand beneath the first one's text.
    private IEnumerable<string> Wrap(string lead, string text)
    {
        var line = new StringBuilder(lead);
        var isEmpty = true;
        foreach (var word in text.Split(' '))
        {
            if (!isEmpty && line.Length + 1 + word.Length > Columns)
            {
                yield return line.ToString();
                line.Clear().Append(' ', lead.Length);
                isEmpty = true;
            }
            line.Append(isEmpty ? "" : " ").Append(word);
            isEmpty = false;
        }
        yield return line.ToString().TrimEnd();
    }

    /// <summary>The sum of a row, as far as it is known.</summary>
    internal static string Sum(ComparedCost row) => row.IsUnknown ? "unknown" : (row.IsComplete ? "" : "≥ ") + Money(row.Cost.KnownUsd);

    internal static string Money(decimal usd) => usd.ToString("0.00", CultureInfo.InvariantCulture);
}
