using System.Collections.Concurrent;
using System.Globalization;

namespace Fumidai;

/// <summary>What the sessions of one database share: its types, which functions do more than compute, what queries look like, the server's settings.</summary>
internal sealed class DataApiServer
{
    private const int MostShapes = 2000;

    /// <summary>Built-in functions that everybody uses and that do nothing but compute.</summary>
    private static readonly HashSet<string> s_pure = new(StringComparer.Ordinal)
    {
        "count", "sum", "max", "min", "avg", "coalesce", "nullif", "greatest", "least", "now", "lower", "upper", "length", "octet_length", "char_length", "substring", "substr", "trim", "btrim",
        "replace", "round", "floor", "ceil", "abs", "repeat", "concat", "format", "to_char", "to_date", "to_timestamp", "date_trunc", "extract", "array_agg", "string_agg", "json_agg", "jsonb_agg",
        "json_build_object", "jsonb_build_object", "row_number", "rank", "exists", "in", "any", "all", "some", "values", "as", "over", "cast", "and", "or", "not", "array", "row", "from", "on", "where",
        "select", "using", "filter", "generate_series", "version", "current_setting", "current_database", "pg_typeof", "numeric", "varchar", "char", "decimal", "timestamp", "time", "bit", "unnest",
        "pg_get_userbyid", "pg_table_is_visible", "format_type", "array_to_string", "quote_ident", "obj_description", "pg_get_expr", "pg_get_viewdef", "pg_get_constraintdef", "pg_get_indexdef",
    };

    private readonly ConcurrentDictionary<string, IReadOnlyList<ResultColumn>> _shapes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, IReadOnlyList<uint>> _parameters = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<uint, PostgresType> _types = new();
    private HashSet<string>? _effects;

    public PostgresTypes Types { get; } = new();

    /// <summary>Settings as a connection of the Data API has them.</summary>
    public ConcurrentDictionary<string, string> Settings { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The columns a query was last seen with.</summary>
    public IReadOnlyList<ResultColumn>? ShapeOf(string sql) => _shapes.GetValueOrDefault(sql);

    public void Remember(string sql, IReadOnlyList<ResultColumn> columns)
    {
        if (_shapes.Count >= MostShapes)
            _shapes.Clear();
        _shapes[sql] = columns;
    }

    /// <summary>The parameters' types of a statement, as last found.</summary>
    public IReadOnlyList<uint>? ParametersOf(string key) => _parameters.GetValueOrDefault(key);

    public void RememberParameters(string key, IReadOnlyList<uint> types)
    {
        if (_parameters.Count >= MostShapes)
            _parameters.Clear();
        _parameters[key] = types;
    }

    /// <summary>A type by its OID.</summary>
    /// <exception cref="SqlFailure">42704: there is none.</exception>
    public async Task<PostgresType> TypeAsync(uint oid, DataApiSession session, CancellationToken cancellationToken)
    {
        if (PostgresTypes.BuiltIn(oid) is { } builtIn)
            return builtIn;
        if (_types.TryGetValue(oid, out var known))
            return known;
        if (await session.AskTypeAsync(oid, cancellationToken).ConfigureAwait(false) is not [var row])
            throw new SqlFailure("42704", $"type with OID {oid} does not exist");
        var element = row[2] is { } name ? new PostgresType(name, uint.Parse(row[3]!, CultureInfo.InvariantCulture), short.Parse(row[4]!, CultureInfo.InvariantCulture)) { IsEnum = row[6] == "e" } : null;
        return _types[oid] = new(row[0]!, oid, short.Parse(row[1]!, CultureInfo.InvariantCulture), element) { IsEnum = row[5] == "e" };
    }

    /// <summary>A type's name as SQL has it, without a modifier.</summary>
    public static string NameOf(PostgresType type) => PostgresTypes.BuiltIn(type.Oid) is null ? type.Name : $"pg_catalog.\"{type.Name}\"";

    /// <summary>A definition was changed: what was known of shapes, types and functions is not any more.</summary>
    public void Forget()
    {
        _shapes.Clear();
        _parameters.Clear();
        _types.Clear();
        _effects = null;
    }

    public void Forget(string sql) => _shapes.TryRemove(sql, out _);

    /// <summary>Whether a query may be run twice without anybody noticing: it calls no volatile function and none of the user's.</summary>
    public async Task<bool> IsPureAsync(SqlStatement statement, DataApiClient client, CancellationToken cancellationToken)
    {
        var calls = statement.Calls().Where(name => !s_pure.Contains(name)).Distinct().ToList();
        if (calls.Count == 0)
            return true;
        if (_effects is null)
        {
            using var answer = await client.ExecuteAsync(
                "SELECT DISTINCT proname::text FROM pg_catalog.pg_proc WHERE provolatile = 'v' OR pronamespace <> 'pg_catalog'::pg_catalog.regnamespace", [], new(), cancellationToken).ConfigureAwait(false);
            _effects = [.. answer.FirstTexts().OfType<string>()];
        }
        return !calls.Exists(_effects.Contains);
    }
}
