namespace Fumidai;

/// <summary>The columns that a COPY of a table is about.</summary>
/// <param name="Columns">In order: name, quoted where it must be, and the type without its modifier, which an assignment brings.</param>
internal sealed record CopyTable(IReadOnlyList<(string Name, string Quoted, string Type)> Columns)
{
    /// <exception cref="SqlFailure">No such relation or column, or one that COPY does not take.</exception>
    public static async Task<CopyTable> FindAsync(DataApiSession session, CopyStatement copy, CancellationToken cancellationToken)
    {
        var rows = await session.ReadAsync($"""
            SELECT c.relkind::text, c.relname::text, a.attname::text, pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, -1), a.attgenerated::text
            FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.oid = {SqlParameters.Literal(copy.Table!)}::pg_catalog.regclass ORDER BY a.attnum
            """, cancellationToken).ConfigureAwait(false);
        var (kind, name) = (rows[0][0], rows[0][1]);
        if (!copy.IsFrom && kind is not "r")
        {
            var what = kind switch { "v" => "view", "m" => "materialized view", "f" => "foreign table", "S" => "sequence", "p" => "partitioned table", _ => "non-table relation" };
            throw new SqlFailure("42809", $"cannot copy from {what} \"{name}\"") { Hint = kind == "S" ? null : "Try the COPY (SELECT ...) TO variant." };
        }
        if (copy.IsFrom && kind is not ("r" or "p" or "f" or "v"))
            throw new SqlFailure("42809", $"cannot copy to {(kind == "S" ? "sequence" : kind == "m" ? "materialized view" : "non-table relation")} \"{name}\"");
        var all = rows.Where(r => r[2] is not null).ToList();
        if (copy.Columns is null)
            return new([.. all.Where(r => r[5] == "").Select(r => (r[2]!, r[3]!, r[4]!))]);
        var chosen = new List<(string, string, string)>();
        foreach (var written in copy.Columns)
        {
            var wanted = written[0] == '"' ? written[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal) : written.ToLowerInvariant();
            var row = all.Find(r => r[2] == wanted) ?? throw new SqlFailure("42703", $"column \"{wanted}\" of relation \"{name}\" does not exist");
            if (row[5] != "")
                throw new SqlFailure("42P10", $"column \"{wanted}\" is a generated column") { Detail = "Generated columns cannot be used in COPY." };
            chosen.Add((row[2]!, row[3]!, row[4]!));
        }
        return new(chosen);
    }
}
