using System.Globalization;
using System.Net;
using System.Text;

namespace Fumidai.Bench;

/// <summary>A table as bars: one group a row, each row on its own scale, longest bar = largest value.</summary>
internal static class Plot
{
    private const int Left = 290;
    private const int Bar = 420;
    private const int Line = 15;
    private static readonly string[] s_colors = ["#9aa0a6", "#5f6368", "#4285f4", "#f29900", "#188038"];

    /// <summary>Writes an SVG file.</summary>
    /// <param name="file">Where to.</param>
    /// <param name="title">Above it.</param>
    /// <param name="ways">The columns.</param>
    /// <param name="rows">Name and one value a column; NaN: not measured.</param>
    public static void Write(string file, string title, IReadOnlyList<string> ways, IReadOnlyList<(string Name, double[] Values)> rows)
    {
        var svg = new StringBuilder();
        var y = 48;
        foreach (var (name, values) in rows)
        {
            var most = values.Where(v => !double.IsNaN(v)).DefaultIfEmpty(1).Max();
            var first = true;
            for (var i = 0; i < ways.Count; i++)
            {
                if (double.IsNaN(values[i]))
                    continue;
                if (first)
                    Text(svg, Left - 8, y + 11, name, "end", "#202124");
                first = false;
                var width = most > 0 ? Math.Max(1, values[i] / most * Bar) : 1;
                svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Left}\" y=\"{y}\" width=\"{width:0.#}\" height=\"{Line - 3}\" fill=\"{s_colors[i % s_colors.Length]}\"/>\n");
                Text(svg, Left + width + 5, y + 10, $"{values[i].ToString(values[i] < 20 ? "0.0" : "0", CultureInfo.InvariantCulture)} {ways[i]}", "start", "#5f6368");
                y += Line;
            }
            y += 9;
        }
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Left + Bar + 160}\" height=\"{y + 8}\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
        Text(text, 16, 24, title, "start", "#202124");
        File.WriteAllText(file, text.Append(svg).Append("</svg>\n").ToString());
    }

    private static void Text(StringBuilder svg, double x, int y, string text, string anchor, string color) =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{color}\">{WebUtility.HtmlEncode(text)}</text>\n");
}
