namespace Fumidai;

/// <summary>One column of a result.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Modifier">Type modifier as PostgreSQL counts it; -1: none.</param>
public sealed record ResultColumn(string Name, PostgresType Type, int Modifier);

/// <summary>A type of the server.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Oid">Its OID.</param>
/// <param name="Length">Bytes; -1: variable.</param>
/// <param name="Element">The element type of an array; null: no array.</param>
public sealed record PostgresType(string Name, uint Oid, short Length, PostgresType? Element = null)
{
    /// <summary>Whether it is an enum.</summary>
    public bool IsEnum { get; init; }

    /// <summary>text.</summary>
    public static PostgresType Text { get; } = new("text", 25, -1);

    /// <summary>Whether values are numbers to JSON.</summary>
    public bool IsNumber => Oid is 20 or 21 or 23 or 26 or 700 or 701 or 1700;
}

/// <summary>What a statement's result goes to.</summary>
public interface IResultRows
{
    /// <summary>The columns, before the first row.</summary>
    ValueTask BeginAsync(IReadOnlyList<ResultColumn> columns, CancellationToken cancellationToken);

    /// <summary>One row in PostgreSQL's text; null for SQL null. Whoever is slow here slows the server.</summary>
    ValueTask AddAsync(IReadOnlyList<string?> row, CancellationToken cancellationToken);
}
