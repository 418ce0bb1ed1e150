using System.Text;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>SQL that was put around a user's text.</summary>
/// <param name="Sql">All of it.</param>
/// <param name="Offset">Characters before the user's text, by which the server's positions are too large.</param>
internal sealed record FramedSql(string Sql, int Offset);

/// <summary>
/// The forms into which a query is put: each row as one text in PostgreSQL's own quoting, whatever the types, since the Data API returns only some
/// types and those not exactly.
/// </summary>
/// <param name="Texts">One text column: the rows.</param>
/// <param name="Described">The rows' texts, then the query's own columns as nulls, for their metadata; that second copy of the query never runs, its condition is false.</param>
/// <param name="Zero">No row, only metadata; null: it cannot be asked without running.</param>
internal sealed record RowQuery(FramedSql Texts, FramedSql Described, FramedSql? Zero)
{
    /// <summary>No user calls a column or relation so.</summary>
    private const string Alias = "\"fumidai row\"";

    /// <summary>The rows cut into pieces of so many characters: <c>+</c> before one that more follows of the same row, <c>.</c> before a row's last. OFFSET 0 keeps a row's text from being made twice.</summary>
    public FramedSql Pieces(int length)
    {
        var n = length.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var front = $"SELECT CASE WHEN (i + 1) * {n} < pg_catalog.length(t) THEN '+' ELSE '.' END || pg_catalog.substr(t, i * {n} + 1, {n}) FROM (";
        return new($"{front}{Named} OFFSET 0) r CROSS JOIN LATERAL pg_catalog.generate_series(0, (pg_catalog.length(t) - 1) / {n}) i", front.Length + Texts.Offset + "SELECT t FROM (".Length);
    }

    /// <summary>How long the longest of the first rows is, in characters.</summary>
    public FramedSql Sample => new($"SELECT pg_catalog.max(pg_catalog.length(t))::pg_catalog.text FROM ({Named} LIMIT 1000) r", 0);

    /// <summary>The rows' texts as a column called t.</summary>
    private string Named => $"SELECT t FROM ({Texts.Sql}) r(t)";

    public static RowQuery Of(SqlStatement statement)
    {
        var sql = Guarded(statement);
        if (statement.Verb == SqlVerb.Query)
        {
            return new(
                Framed($"SELECT {Alias}::pg_catalog.text FROM (", sql, $"\n) {Alias}"),
                Framed($"SELECT a.t, n.* FROM (SELECT {Alias}::pg_catalog.text AS t FROM (", sql, $"\n) {Alias}) a LEFT JOIN (SELECT * FROM ({sql}\n) b WHERE false) n ON true"),
                Framed("SELECT * FROM (", sql, $"\n) {Alias} WHERE false"));
        }
        // Changes may stand in WITH at the top only: the main statement becomes one more of its queries.
        var at = statement.Main == 0 ? 0 : sql.Length - Guarded(statement, statement.Tokens[statement.Main].Start).Length;
        var front = at == 0 ? $"WITH {Alias} AS (" : $"{sql[..at]}, {Alias} AS (";
        return new(
            Framed(front, sql[at..], $"\n) SELECT {Alias}::pg_catalog.text FROM {Alias}", at),
            Framed(front, sql[at..], $"\n) SELECT a.t, n.* FROM (SELECT {Alias}::pg_catalog.text AS t FROM {Alias}) a LEFT JOIN (SELECT * FROM {Alias} WHERE false) n ON true", at),
            Returned(statement));
    }

    /// <summary>The text with a space behind each lone colon before a name (array slices), which the Data API would take for a parameter.</summary>
    public static string Guarded(SqlStatement statement, int from = 0)
    {
        StringBuilder? guarded = null;
        var (sql, copied) = (statement.Sql, from);
        foreach (var token in statement.Tokens)
        {
            if (token.Start < from || token.Kind != SqlTokenKind.Sign || sql[token.Start] != ':' || token.End >= sql.Length || !(char.IsLetter(sql[token.End]) || sql[token.End] == '_')
                || (token.Start > 0 && sql[token.Start - 1] == ':')
                || (statement.Parameters.Count > 0 && sql.AsSpan(token.End).StartsWith("fumidai_")))
                continue;
            guarded ??= new();
            guarded.Append(sql, copied, token.End - copied).Append(' ');
            copied = token.End;
        }
        return guarded is null ? sql[from..] : guarded.Append(sql, copied, sql.Length - copied).ToString();
    }

    private static FramedSql Framed(string front, string sql, string end, int before = 0) => new(front + sql + end, front.Length - before);

    /// <summary>What RETURNING returns, asked of the table alone; null where other tables may take part.</summary>
    private static FramedSql? Returned(SqlStatement statement)
    {
        var returning = statement.Find("RETURNING");
        if (statement.Main != 0 || returning < 0)
            return null;
        var (first, ends) = statement.Word(0) switch
        {
            "INSERT" => (2, (string[])["VALUES", "SELECT", "WITH", "TABLE", "DEFAULT", "OVERRIDING"]),
            "UPDATE" => (1, ["SET"]),
            "DELETE" => (2, ["WHERE", "RETURNING"]),
            _ => (0, []),
        };
        if (first == 0 || (statement.Word(0) is "UPDATE" && statement.Find("FROM") > 0) || (statement.Word(0) is "DELETE" && statement.Find("USING") > 0))
            return null;
        var end = ends.Select(word => statement.Find(word, first)).Where(at => at > 0).DefaultIfEmpty(returning).Min();
        var table = new StringBuilder();
        for (var i = first; i < end && statement.Text(i) != "("; i++)
            table.Append(' ').Append(statement.Text(i)).Append(statement.Text(i) == "." ? "" : " ");
        var list = Guarded(statement, statement.Tokens[returning].End);
        return new($"SELECT {list}\nFROM {table.Replace(" . ", ".")} WHERE false", int.MaxValue);
    }
}
