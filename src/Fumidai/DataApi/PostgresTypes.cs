using System.Collections.Concurrent;
using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Types by the names that columnMetadata tells. The built-in ones are known; others are asked of the server once.</summary>
internal sealed class PostgresTypes
{
    /// <summary>Name, OID, length, OID of its array. Source: pg_type.dat of PostgreSQL 15; these never change.</summary>
    private static readonly (string Name, uint Oid, short Length, uint Array)[] s_builtIn =
    [
        ("bool", 16, 1, 1000), ("bytea", 17, -1, 1001), ("char", 18, 1, 1002), ("name", 19, 64, 1003), ("int8", 20, 8, 1016), ("int2", 21, 2, 1005), ("int4", 23, 4, 1007),
        ("text", 25, -1, 1009), ("oid", 26, 4, 1028), ("json", 114, -1, 199), ("xml", 142, -1, 143), ("cidr", 650, -1, 651), ("float4", 700, 4, 1021), ("float8", 701, 8, 1022),
        ("macaddr8", 774, 8, 775), ("macaddr", 829, 6, 1040), ("inet", 869, -1, 1041), ("bpchar", 1042, -1, 1014), ("varchar", 1043, -1, 1015), ("date", 1082, 4, 1182), ("time", 1083, 8, 1183),
        ("timestamp", 1114, 8, 1115), ("timestamptz", 1184, 8, 1185), ("interval", 1186, 16, 1187), ("timetz", 1266, 12, 1270), ("bit", 1560, -1, 1561), ("varbit", 1562, -1, 1563),
        ("numeric", 1700, -1, 1231), ("uuid", 2950, 16, 2951), ("jsonb", 3802, -1, 3807), ("money", 790, 8, 791), ("xid", 28, 4, 1011), ("cid", 29, 4, 1012), ("tid", 27, 6, 1010),
        ("regclass", 2205, 4, 2210), ("regtype", 2206, 4, 2211), ("regproc", 24, 4, 1008), ("point", 600, 16, 1017), ("pg_node_tree", 194, -1, 0), ("aclitem", 1033, 12, 1034), ("void", 2278, 4, 0),
        ("int2vector", 22, -1, 1006), ("oidvector", 30, -1, 1013), ("record", 2249, -1, 2287),
    ];

    private static readonly Dictionary<string, PostgresType> s_known = Known();

    private readonly ConcurrentDictionary<string, PostgresType> _asked = new(StringComparer.Ordinal);

    /// <summary>A built-in type by its OID; null: none that is known here.</summary>
    public static PostgresType? BuiltIn(uint oid) => s_known.Values.FirstOrDefault(type => type.Oid == oid);

    /// <summary>The columns as PostgreSQL would describe them.</summary>
    /// <param name="columns">As the API tells them.</param>
    /// <param name="ask">Runs a query of text columns; one parameter.</param>
    public async Task<IReadOnlyList<ResultColumn>> OfAsync(IReadOnlyList<DataApiColumn> columns, Func<string, DataApiParameter, Task<IReadOnlyList<IReadOnlyList<string?>>>> ask)
    {
        var found = new ResultColumn[columns.Count];
        for (var i = 0; i < found.Length; i++)
        {
            var type = await FindAsync(columns[i].TypeName, ask).ConfigureAwait(false);
            found[i] = new(columns[i].Name, type, Modifier(columns[i], type.Oid));
        }
        return found;
    }

    private async Task<PostgresType> FindAsync(string name, Func<string, DataApiParameter, Task<IReadOnlyList<IReadOnlyList<string?>>>> ask)
    {
        if (s_known.TryGetValue(name, out var known) || _asked.TryGetValue(name, out known))
            return known;
        var rows = await ask("""
            SELECT t.oid::text, t.typlen::text, CASE WHEN t.typcategory = 'A' THEN e.typname::text END, e.oid::text, e.typlen::text, t.typtype::text, e.typtype::text
            FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
            WHERE t.oid = pg_catalog.to_regtype(:name) OR (pg_catalog.to_regtype(:name) IS NULL AND t.typname = :name)
            """, new DataApiParameter("name", DataApiKind.String, name)).ConfigureAwait(false);
        if (rows is not [var row, ..])
            return PostgresType.Text with { Name = name };
        var element = row[2] is { } elementName ? new PostgresType(elementName, uint.Parse(row[3]!, CultureInfo.InvariantCulture), short.Parse(row[4]!, CultureInfo.InvariantCulture)) { IsEnum = row[6] == "e" } : null;
        return _asked[name] = new(name, uint.Parse(row[0]!, CultureInfo.InvariantCulture), short.Parse(row[1]!, CultureInfo.InvariantCulture), element) { IsEnum = row[5] == "e" };
    }

    private static int Modifier(DataApiColumn column, uint oid) => oid switch
    {
        1700 when column.Precision > 0 => ((column.Precision << 16) | (column.Scale & 0x7FF)) + 4,
        1042 or 1043 when column.Precision is > 0 and < 10_485_761 => column.Precision + 4,
        1083 or 1114 or 1184 or 1266 when column.Precision > 0 && column.Scale is >= 0 and < 6 => column.Scale,
        _ => -1,
    };

    private static Dictionary<string, PostgresType> Known()
    {
        var known = new Dictionary<string, PostgresType>(StringComparer.Ordinal);
        foreach (var (name, oid, length, array) in s_builtIn)
        {
            var type = known[name] = new(name, oid, length);
            if (array != 0)
                known["_" + name] = new("_" + name, array, -1, type);
        }
        // What JDBC calls an integer that a sequence fills.
        (known["serial"], known["bigserial"], known["smallserial"]) = (known["int4"], known["int8"], known["int2"]);
        return known;
    }
}
