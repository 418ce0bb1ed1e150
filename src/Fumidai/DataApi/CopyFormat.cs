using System.Text;

namespace Fumidai;

/// <summary>Rows as lines of COPY, in text and CSV, both ways. Source: PostgreSQL manual, COPY, "File Formats".</summary>
internal sealed class CopyFormat(CopyStatement copy, IReadOnlyList<string> columns)
{
    private const string Special = "\b\f\n\r\t\v";
    private const string Letters = "bfnrtv";

    /// <summary>A line with its end.</summary>
    public string Line(IReadOnlyList<string?> row, bool isHeader = false)
    {
        var line = new StringBuilder();
        for (var i = 0; i < row.Count; i++)
        {
            if (i > 0)
                line.Append(copy.Delimiter);
            if (row[i] is not { } text)
                line.Append(copy.Null);
            else if (copy.IsCsv)
                Csv(line, text, !isHeader && (copy.ForceQuote.Contains("*") || copy.ForceQuote.Contains(columns[i])), row.Count == 1);
            else
                Text(line, text);
        }
        return line.Append('\n').ToString();
    }

    private void Text(StringBuilder line, string text)
    {
        foreach (var c in text)
        {
            if (Special.IndexOf(c, StringComparison.Ordinal) is >= 0 and var at)
                line.Append('\\').Append(Letters[at]);
            else if (c == '\\' || c == copy.Delimiter)
                line.Append('\\').Append(c);
            else
                line.Append(c);
        }
    }

    private void Csv(StringBuilder line, string text, bool isForced, bool isAlone)
    {
        if (!isForced && text != copy.Null && !(isAlone && text == "\\.") && text.AsSpan().IndexOfAny([copy.Delimiter, copy.Quote, '\n', '\r']) < 0)
        {
            line.Append(text);
            return;
        }
        line.Append(copy.Quote);
        foreach (var c in text)
        {
            if (c == copy.Quote || c == copy.Escape)
                line.Append(copy.Escape);
            line.Append(c);
        }
        line.Append(copy.Quote);
    }

    /// <summary>
    /// The first row of a text; null: its line is not complete, or the end was said (<c>\.</c>).
    /// </summary>
    /// <param name="text">What has come.</param>
    /// <param name="at">Where the row begins; moved behind it.</param>
    /// <param name="isLast">Whether no more comes, so that a last line needs no end.</param>
    /// <param name="isOver">Set where the end was said.</param>
    /// <exception cref="SqlFailure">22P04.</exception>
    public List<string?>? Read(ReadOnlySpan<char> text, ref int at, bool isLast, ref bool isOver)
    {
        if (at >= text.Length)
            return null;
        var end = copy.IsCsv ? CsvEnd(text, at) : TextEnd(text, at);
        if (end < 0 && !isLast)
            return null;
        var line = text[at..(end < 0 ? text.Length : end)];
        at = end < 0 ? text.Length : end + 1;
        if (line.EndsWith("\r"))
            line = line[..^1];
        if (line is "\\.")
        {
            isOver = true;
            return null;
        }
        return copy.IsCsv ? SplitCsv(line) : SplitText(line);
    }

    /// <summary>A backslash before a line's end keeps it in the value.</summary>
    private static int TextEnd(ReadOnlySpan<char> text, int at)
    {
        for (; at < text.Length; at++)
        {
            if (text[at] == '\\')
                at++;
            else if (text[at] == '\n')
                return at;
        }
        return -1;
    }

    private int CsvEnd(ReadOnlySpan<char> text, int at)
    {
        var isQuoted = false;
        for (; at < text.Length; at++)
        {
            if (isQuoted && text[at] == copy.Escape && copy.Escape != copy.Quote)
                at++;
            else if (text[at] == copy.Quote)
                isQuoted = !isQuoted;
            else if (text[at] == '\n' && !isQuoted)
                return at;
        }
        return -1;
    }

    private List<string?> SplitText(ReadOnlySpan<char> line)
    {
        var (fields, field, start) = (new List<string?>(), new StringBuilder(), 0);
        for (var i = 0; ; i++)
        {
            if (i >= line.Length || line[i] == copy.Delimiter)
            {
                // What null looks like is compared before anything is unescaped.
                fields.Add(line[start..Math.Min(i, line.Length)].SequenceEqual(copy.Null) ? null : field.ToString());
                field.Clear();
                start = i + 1;
                if (i >= line.Length)
                    return fields;
            }
            else if (line[i] == '\\' && i + 1 < line.Length)
            {
                i++;
                field.Append(Unescaped(line, ref i));
            }
            else
            {
                field.Append(line[i]);
            }
        }
    }

    private static char Unescaped(ReadOnlySpan<char> line, ref int i)
    {
        if (Letters.IndexOf(line[i], StringComparison.Ordinal) is >= 0 and var at)
            return Special[at];
        if (line[i] is >= '0' and <= '7')
        {
            var value = line[i] - '0';
            for (var digits = 1; digits < 3 && i + 1 < line.Length && line[i + 1] is >= '0' and <= '7'; digits++)
                value = (value * 8) + line[++i] - '0';
            return (char)(value & 0x7F);
        }
        if (line[i] == 'x' && i + 1 < line.Length && char.IsAsciiHexDigit(line[i + 1]))
        {
            var value = Convert.ToInt32(line[++i].ToString(), 16);
            if (i + 1 < line.Length && char.IsAsciiHexDigit(line[i + 1]))
                value = (value * 16) + Convert.ToInt32(line[++i].ToString(), 16);
            return (char)(value & 0x7F);
        }
        return line[i];
    }

    private List<string?> SplitCsv(ReadOnlySpan<char> line)
    {
        var (fields, field, isQuoted, wasQuoted) = (new List<string?>(), new StringBuilder(), false, false);
        for (var i = 0; ; i++)
        {
            if (i >= line.Length || (line[i] == copy.Delimiter && !isQuoted))
            {
                if (isQuoted)
                    throw new SqlFailure("22P04", "unterminated CSV quoted field");
                var text = field.ToString();
                var name = fields.Count < columns.Count ? columns[fields.Count] : "";
                var isNull = text == copy.Null && (!wasQuoted || Has(copy.ForceNull, name)) && !(Has(copy.ForceNotNull, name) && !wasQuoted);
                fields.Add(isNull ? null : text);
                field.Clear();
                wasQuoted = false;
                if (i >= line.Length)
                    return fields;
            }
            else if (isQuoted && line[i] == copy.Escape && i + 1 < line.Length && (line[i + 1] == copy.Quote || line[i + 1] == copy.Escape))
            {
                field.Append(line[++i]);
            }
            else if (line[i] == copy.Quote)
            {
                isQuoted = !isQuoted;
                wasQuoted = true;
            }
            else
            {
                field.Append(line[i]);
            }
        }
    }

    private static bool Has(HashSet<string> names, string name) => names.Contains("*") || names.Contains(name);
}
