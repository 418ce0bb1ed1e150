using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>The chart of <c>--svg</c>: one bar an architecture, readable at 1000 pixels, in light and dark.</summary>
internal static class CostChart
{
    private const double Width = 1000;
    private const double Margin = 24;
    private const double BarsAt = 490;
    private const double BarsEnd = 900;
    private const double RowHeight = 28;

    private const string Style = ":root{--ground:#fff;--ink:#1f2328;--faint:#59636e;--way:#0a7ea4;--database:#8250df;--rule:#d1d9e0}"
        + "@media(prefers-color-scheme:dark){:root{--ground:#0d1117;--ink:#f0f6fc;--faint:#9198a1;--way:#39c5e6;--database:#bc8cff;--rule:#3d444d}}"
        + "text{font-family:" + Svg.Fonts + ";font-size:15px;fill:var(--ink)}.head{font-size:20px;font-weight:600}.part{font-weight:600}.small{font-size:13px;fill:var(--faint)}"
        + ".sum{font-variant-numeric:tabular-nums}.way{fill:var(--way)}.database{fill:var(--database)}.ground{fill:var(--ground)}.rule{stroke:var(--rule)}";

    internal static string Of(CostComparison comparison, CostQuestion question)
    {
        var svg = new Svg();
        var parts = new[] { (ArchitecturePart.Way, "The way to the database"), (ArchitecturePart.Database, "The database") };
        var footnotes = Footnotes(comparison, question).SelectMany(Lines).ToList();
        var height = 74 + parts.Sum(p => 44 + comparison.Of(p.Item1).Count() * RowHeight) + 22 + footnotes.Count * 19;
        svg.Element("rect", ("class", "ground"), ("width", Width), ("height", height));
        svg.Text(Margin, 40, $"What it costs a month in {comparison.Region}, USD", "head");
        var y = 74.0;
        foreach (var (part, title) in parts)
        {
            svg.Text(Margin, y + 16, title, "part");
            svg.Element("line", ("class", "rule"), ("x1", Margin), ("x2", Width - Margin), ("y1", y + 26), ("y2", y + 26));
            y += 34;
            foreach (var row in comparison.Of(part))
            {
                var length = comparison.LargestUsd > 0 ? Math.Max(1, (double)(row.Cost.KnownUsd / comparison.LargestUsd) * (BarsEnd - BarsAt)) : 1;
                svg.Open("g");
                svg.Tip($"{row.Architecture.Name}: {row.Architecture.Reasons.Security} {row.Architecture.Reasons.Throughput} {row.Architecture.Reasons.Cost}");
                svg.Text(Margin, y + 19, row.Architecture.Name, "");
                svg.Element("rect", ("class", CostJson.Word(part)), ("x", BarsAt), ("y", y + 6), ("width", length), ("height", RowHeight - 11), ("rx", 2.0));
                svg.Text(BarsAt + length + 8, y + 19, CostTable.Sum(row), "sum");
                svg.Close("g");
                y += RowHeight;
            }
            y += 10;
        }
        y += 14;
        foreach (var line in footnotes)
        {
            svg.Text(Margin, y, line, "small");
            y += 19;
        }
        return svg.Document(Width, height, $"What the architectures cost a month in {comparison.Region}", Style);
    }

    private static IEnumerable<string> Footnotes(CostComparison comparison, CostQuestion question)
    {
        yield return $"Assumed: {question.Assumptions}.";
        yield return $"Without tax, discounts and free allowances; prices of {comparison.OldestPrice ?? "no known date"} or later. fumidai cost --prices shows their sources.";
        if (comparison.Rows.Any(r => !r.IsComplete))
            yield return $"≥: at least; some prices of {comparison.Region} are not known.";
    }

    // SVG has no line breaks: 130 characters of this size fit.
    private static IEnumerable<string> Lines(string text)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length + 1 + word.Length > 130)
            {
                yield return line;
                line = "";
            }
            line += line.Length == 0 ? word : " " + word;
        }
        yield return line;
    }
}
