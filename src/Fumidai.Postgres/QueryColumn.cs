namespace Fumidai.Postgres;

/// <summary>One column of a result, as RowDescription tells it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="TableOid">The table it is a column of; 0: none.</param>
/// <param name="Attribute">Its number in that table; 0: none.</param>
/// <param name="TypeOid">OID of its type.</param>
/// <param name="TypeLength">Bytes of the type; negative: variable.</param>
/// <param name="TypeModifier">E.g. the length of varchar(n) plus four; -1: none.</param>
public sealed record QueryColumn(string Name, uint TableOid, short Attribute, uint TypeOid, short TypeLength, int TypeModifier);

/// <summary>One parameter's value in text format.</summary>
/// <param name="TypeOid">OID of its type; 0: the server is to find out.</param>
/// <param name="Text">UTF-8; null: SQL null.</param>
public sealed record QueryParameter(uint TypeOid, ReadOnlyMemory<byte>? Text);

/// <summary>What a query's rows go to.</summary>
public interface IQueryRows
{
    /// <summary>The columns, before the first row; not called for a statement without a result.</summary>
    void Begin(IReadOnlyList<QueryColumn> columns);

    /// <summary>One row in text format, null for SQL null; the memory is the callee's only until it returns.</summary>
    void Add(IReadOnlyList<ReadOnlyMemory<byte>?> values);
}
