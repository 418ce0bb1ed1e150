using System.Text;

namespace Fumidai;

/// <summary>PostgreSQL's text of a row: what a whole-row cast gives. Source: PostgreSQL manual, 8.16.6 Composite Type Input and Output Syntax.</summary>
internal static class RowText
{
    /// <summary>The fields; null for SQL null. Null: it holds another number of fields than that.</summary>
    public static string?[]? Split(string row, int count)
    {
        if (row.Length < 2 || row[0] != '(' || row[^1] != ')')
            return null;
        if (count == 0)
            return row.Length == 2 ? [] : null;
        var fields = new string?[count];
        var at = 1;
        for (var i = 0; i < count; i++)
        {
            if (row[at] is ',' or ')')
            {
                fields[i] = null;
            }
            else if (row[at] == '"')
            {
                fields[i] = Quoted(row, ref at);
            }
            else
            {
                var end = row.AsSpan(at).IndexOfAny(',', ')');
                fields[i] = row.Substring(at, end);
                at += end;
            }
            if (row[at] != (i == count - 1 ? ')' : ','))
                return null;
            at++;
        }
        return at == row.Length ? fields : null;
    }

    /// <summary>Both a quote and a backslash are doubled within quotes.</summary>
    private static string Quoted(string row, ref int at)
    {
        var text = new StringBuilder();
        for (at++; ; at++)
        {
            if (row[at] is '"' or '\\')
            {
                if (row[at] == '"' && row[at + 1] != '"')
                    break;
                at++;
            }
            text.Append(row[at]);
        }
        at++;
        return text.ToString();
    }
}
