using System.Net;
using System.Text;

namespace Fumidai;

/// <summary>The picture as one page that fetches nothing: the SVG, the verdicts in words, and what each part costs.</summary>
public static class PictureHtml
{
    private const string Style = "body{font-family:" + Svg.Fonts + ";margin:24px auto;max-width:1000px;padding:0 16px;color:#1f2328;background:#fff}svg{max-width:100%;height:auto}table{border-collapse:collapse}td,th{text-align:left;padding:4px 16px 4px 0;border-bottom:1px solid #d1d9e0}td.usd{text-align:right;font-variant-numeric:tabular-nums}"
        + "@media(prefers-color-scheme:dark){body{color:#f0f6fc;background:#0d1117}td,th{border-color:#3d444d}}";

    /// <summary>Draws.</summary>
    public static string Of(Picture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var page = new StringBuilder();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>").Append(Escape(picture.Title)).Append("</title>\n<style>").Append(Style).Append("</style>\n</head>\n<body>\n");
        page.Append(PictureSvg.Of(picture)).Append("\n<h2>Routes</h2>\n<ul>\n");
        foreach (var (works, sentence) in picture.Verdicts)
            page.Append("<li>").Append(works ? "✓ " : "✗ ").Append(Escape(sentence)).Append("</li>\n");
        page.Append("</ul>\n<h2>What it costs</h2>\n<table>\n<tr><th>part</th><th>USD a month</th></tr>\n");
        foreach (var part in picture.Parts.Where(p => p.Cost is not null))
            page.Append("<tr><td>").Append(Escape($"{part.Title} {(part.Details is [var first, ..] ? first : "")}".TrimEnd())).Append("</td><td class=\"usd\">").Append(Escape(part.IsCostUnknown ? "not known" : FormattableString.Invariant($"{part.Usd:0.00}"))).Append("</td></tr>\n");
        page.Append("</table>\n<p>").Append(Escape(picture.CostSentence)).Append(".</p>\n</body>\n</html>");
        return page.ToString();
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
