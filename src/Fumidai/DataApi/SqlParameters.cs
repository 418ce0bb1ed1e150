using System.Globalization;
using System.Text;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>Values in place of <c>$1</c>, and literals.</summary>
internal static class SqlParameters
{
    /// <summary>The text with each parameter outside strings and comments replaced.</summary>
    public static string Replace(string sql, Func<int, string> value)
    {
        var replaced = new StringBuilder(sql.Length);
        foreach (var token in SqlLexer.Read(sql))
        {
            if (token.Kind == SqlTokenKind.Parameter && int.TryParse(sql.AsSpan(token.Start + 1, token.End - token.Start - 1), CultureInfo.InvariantCulture, out var number))
                replaced.Append(' ').Append(value(number)).Append(' ');
            else
                replaced.Append(sql, token.Start, token.End - token.Start);
        }
        return replaced.ToString();
    }

    /// <summary>A literal that means this text whatever standard_conforming_strings says.</summary>
    public static string Literal(string text) => text.Contains('\\', StringComparison.Ordinal)
        ? "E'" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal) + "'"
        : "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}
