using Fumidai.Postgres;

namespace Fumidai.Lab;

/// <summary>A result as far as the Data API may give it away: 1 MiB in all, 64 KB a row (aws-facts §4.1). What is above is counted and dropped.</summary>
internal sealed class DataApiRows : IQueryRows
{
    public const int MaximumResponse = 1 << 20;
    public const int MaximumRow = 64 * 1024;

    private long _bytes;

    public IReadOnlyList<QueryColumn>? Columns { get; private set; }

    public List<ReadOnlyMemory<byte>?[]> Rows { get; } = [];

    public bool IsTooLarge { get; private set; }

    public bool HasTooLargeRow { get; private set; }

    public void Begin(IReadOnlyList<QueryColumn> columns) => Columns = columns;

    public void Add(IReadOnlyList<ReadOnlyMemory<byte>?> values)
    {
        var row = values.Sum(value => (long)(value?.Length ?? 0));
        HasTooLargeRow |= row > MaximumRow;
        // An empty value still takes {"isNull":true} or so in the answer.
        IsTooLarge |= (_bytes += row + (14 * values.Count)) > MaximumResponse;
        if (IsTooLarge || HasTooLargeRow)
            Rows.Clear();
        else
            Rows.Add([.. values]);
    }
}
