using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Fumidai.Postgres;

namespace Fumidai.Lab;

/// <summary>A type as pg_type tells it.</summary>
/// <param name="Oid">Its OID.</param>
/// <param name="Name">Unqualified, or quoted with its schema where that is not on the search path.</param>
/// <param name="Kind">typtype: b, c, d, e, r …</param>
/// <param name="Category">typcategory.</param>
/// <param name="IsBuiltIn">Whether it lives in pg_catalog.</param>
/// <param name="Element">Its element's OID; 0: no array.</param>
internal sealed record DataApiType(uint Oid, string Name, char Kind, char Category, bool IsBuiltIn, uint Element);

/// <summary>The types of one database, asked once each.</summary>
internal sealed class DataApiTypes
{
    private readonly ConcurrentDictionary<uint, DataApiType> _known = new();

    /// <summary>All of these, and the elements of arrays.</summary>
    public async Task<IReadOnlyDictionary<uint, DataApiType>> FindAsync(QueryConnection connection, IEnumerable<uint> oids, CancellationToken cancellationToken)
    {
        var unknown = oids.Where(oid => !_known.ContainsKey(oid)).Distinct().ToList();
        if (unknown.Count > 0)
        {
            var rows = new DataApiRows();
            var list = string.Join(',', unknown.Select(oid => oid.ToString(CultureInfo.InvariantCulture)));
            await connection.QueryAsync($$"""
                SELECT t.oid, CASE WHEN pg_catalog.pg_type_is_visible(t.oid) THEN t.typname ELSE pg_catalog.format('"%s"."%s"', n.nspname, t.typname) END,
                       t.typtype, t.typcategory, n.nspname = 'pg_catalog', CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END
                FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
                WHERE t.oid IN ({{list}}) OR t.oid IN (SELECT typelem FROM pg_catalog.pg_type WHERE oid IN ({{list}}))
                """, [], rows, cancellationToken).ConfigureAwait(false);
            foreach (var row in rows.Rows)
            {
                string At(int i) => Encoding.UTF8.GetString(row[i]!.Value.Span);
                var oid = uint.Parse(At(0), CultureInfo.InvariantCulture);
                _known[oid] = new(oid, At(1), At(2)[0], At(3)[0], At(4) == "t", uint.Parse(At(5), CultureInfo.InvariantCulture));
            }
        }
        return _known;
    }
}
