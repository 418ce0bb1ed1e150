using System.Text;

namespace Fumidai.Lab;

/// <summary>
/// Rewrites the Data API's <c>:name</c> parameters to PostgreSQL's <c>$n</c>. Casts (<c>::</c>), strings, quoted names, dollar quotes and comments are
/// left alone. Lab only: how AWS reads an array slice (<c>[1:n]</c>) is not known; here it is a parameter, as the syntax says.
/// </summary>
internal static class NamedParameters
{
    /// <summary>The statement for PostgreSQL, and the names in the order of their numbers.</summary>
    public static (string Sql, IReadOnlyList<string> Names) Rewrite(string sql)
    {
        var rewritten = new StringBuilder(sql.Length);
        var names = new List<string>();
        for (var at = 0; at < sql.Length;)
        {
            var end = EndOfOpaque(sql, at);
            if (end > at)
            {
                rewritten.Append(sql, at, end - at);
                at = end;
            }
            else if (sql[at] == ':' && at + 1 < sql.Length && sql[at + 1] is ':' or '=')
            {
                rewritten.Append(sql, at, 2);
                at += 2;
            }
            else if (sql[at] == ':' && at + 1 < sql.Length && IsNameStart(sql[at + 1]))
            {
                for (end = at + 1; end < sql.Length && IsName(sql[end]);)
                    end++;
                var name = sql[(at + 1)..end];
                var number = names.IndexOf(name);
                if (number < 0)
                {
                    number = names.Count;
                    names.Add(name);
                }
                rewritten.Append('$').Append(number + 1);
                at = end;
            }
            else
            {
                rewritten.Append(sql[at++]);
            }
        }
        return (rewritten.ToString(), names);
    }

    /// <summary>The end of what begins here and is not looked into; <paramref name="at"/> itself: nothing of the kind.</summary>
    private static int EndOfOpaque(string sql, int at)
    {
        switch (sql[at])
        {
            case '\'':
                return EndOfQuoted(sql, at, '\'', at > 0 && sql[at - 1] is 'e' or 'E' && (at < 2 || !IsName(sql[at - 2])));
            case '"':
                return EndOfQuoted(sql, at, '"', false);
            case '-' when Begins(sql, at, "--"):
                var line = sql.IndexOf('\n', at);
                return line < 0 ? sql.Length : line;
            case '/' when Begins(sql, at, "/*"):
                return EndOfComment(sql, at);
            case '$' when at == 0 || !IsName(sql[at - 1]):
                var close = at + 1;
                while (close < sql.Length && IsName(sql[close]))
                    close++;
                if (close >= sql.Length || sql[close] != '$' || char.IsAsciiDigit(sql[at + 1]))
                    return at;
                var tag = sql[at..(close + 1)];
                var end = sql.IndexOf(tag, close + 1, StringComparison.Ordinal);
                return end < 0 ? sql.Length : end + tag.Length;
            default:
                return at;
        }
    }

    private static int EndOfQuoted(string sql, int at, char quote, bool hasEscapes)
    {
        for (var i = at + 1; i < sql.Length; i++)
        {
            if (hasEscapes && sql[i] == '\\')
                i++;
            else if (sql[i] == quote && i + 1 < sql.Length && sql[i + 1] == quote)
                i++;
            else if (sql[i] == quote)
                return i + 1;
        }
        return sql.Length;
    }

    private static int EndOfComment(string sql, int at)
    {
        var depth = 0;
        for (var i = at; i < sql.Length; i++)
        {
            if (Begins(sql, i, "/*"))
            {
                depth++;
                i++;
            }
            else if (Begins(sql, i, "*/"))
            {
                i++;
                if (--depth == 0)
                    return i + 1;
            }
        }
        return sql.Length;
    }

    private static bool Begins(string sql, int at, string with) => string.CompareOrdinal(sql, at, with, 0, with.Length) == 0;

    private static bool IsNameStart(char c) => char.IsLetter(c) || c == '_';

    private static bool IsName(char c) => char.IsLetterOrDigit(c) || c == '_';
}
