using System.Globalization;
using System.Text;

namespace Fumidai.Cli;

/// <summary>Text of foreign origin made fit for one line of a terminal: no line ends, no escape sequences, no endless words.</summary>
internal static class Visible
{
    private const int LongestQuote = 80;

    /// <summary>One line; control characters become visible escapes.</summary>
    internal static string Line(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.ReplaceLineEndings(" ").EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                clean.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
            else
                clean.Append(rune);
        }
        return clean.ToString().Trim();
    }

    /// <summary>The same for a line whose indentation means something.</summary>
    internal static string Indented(string text) => text[..^text.TrimStart().Length] + Line(text);

    /// <summary>What the user typed, in quotation marks, cut when long.</summary>
    internal static string Quote(string text)
    {
        var line = Line(text);
        return line.Length <= LongestQuote ? $"“{line}”" : $"“{line[..LongestQuote]}…”";
    }
}
