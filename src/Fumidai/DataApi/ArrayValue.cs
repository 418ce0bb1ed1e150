using System.Globalization;
using System.Text;

namespace Fumidai;

/// <summary>An array between its text and its parts.</summary>
/// <param name="Lengths">By dimension.</param>
/// <param name="Bounds">Lower bounds, by dimension.</param>
/// <param name="Items">All of them in order; null for SQL null.</param>
internal sealed record ArrayValue(IReadOnlyList<int> Lengths, IReadOnlyList<int> Bounds, IReadOnlyList<string?> Items)
{
    /// <exception cref="FormatException">No array's text.</exception>
    public static ArrayValue Parse(string text, char comma = ',')
    {
        var at = 0;
        var bounds = new List<int>();
        if (text.Length > 0 && text[0] == '[')
        {
            at = text.IndexOf('=', StringComparison.Ordinal) + 1;
            foreach (var range in text[1..(at - 2)].Split("]["))
                bounds.Add(int.Parse(range.AsSpan(0, range.IndexOf(':', StringComparison.Ordinal)), CultureInfo.InvariantCulture));
        }
        var lengths = new List<int>();
        var items = new List<string?>();
        Read(text, ref at, 0, comma, lengths, items);
        if (at != text.Length)
            throw new FormatException();
        if (items.Count == 0)
            lengths.Clear();
        return new(lengths, bounds.Count > 0 ? bounds : [.. lengths.Select(_ => 1)], items);
    }

    public override string ToString()
    {
        if (Items.Count == 0)
            return "{}";
        var text = new StringBuilder();
        if (Bounds.Any(b => b != 1))
        {
            for (var i = 0; i < Lengths.Count; i++)
                text.Append(CultureInfo.InvariantCulture, $"[{Bounds[i]}:{Bounds[i] + Lengths[i] - 1}]");
            text.Append('=');
        }
        var next = 0;
        Write(text, 0, ref next);
        return text.ToString();
    }

    private void Write(StringBuilder text, int depth, ref int next)
    {
        text.Append('{');
        for (var i = 0; i < Lengths[depth]; i++)
        {
            if (i > 0)
                text.Append(',');
            if (depth + 1 < Lengths.Count)
                Write(text, depth + 1, ref next);
            else if (Items[next++] is { } item)
                text.Append('"').Append(item.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
            else
                text.Append("NULL");
        }
        text.Append('}');
    }

    private static void Read(string text, ref int at, int depth, char comma, List<int> lengths, List<string?> items)
    {
        if (text[at++] != '{')
            throw new FormatException();
        if (lengths.Count == depth)
            lengths.Add(0);
        var count = 0;
        while (text[at] != '}')
        {
            if (count > 0 && text[at++] != comma)
                throw new FormatException();
            if (text[at] == '{')
                Read(text, ref at, depth + 1, comma, lengths, items);
            else
                items.Add(Item(text, ref at, comma));
            count++;
        }
        at++;
        lengths[depth] = count;
    }

    private static string? Item(string text, ref int at, char comma)
    {
        var item = new StringBuilder();
        if (text[at] == '"')
        {
            for (at++; text[at] != '"'; at++)
                item.Append(text[at] == '\\' ? text[++at] : text[at]);
            at++;
            return item.ToString();
        }
        for (; text[at] != comma && text[at] != '}'; at++)
            item.Append(text[at] == '\\' ? text[++at] : text[at]);
        return item.Equals("NULL") ? null : item.ToString();
    }
}
