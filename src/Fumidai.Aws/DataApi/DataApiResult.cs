using System.Text.Json;

namespace Fumidai.Aws;

/// <summary>An answer of ExecuteStatement. Its records are read where they lie: dispose it when they were.</summary>
public sealed class DataApiResult : IDisposable
{
    private readonly JsonDocument _answer;
    private readonly JsonElement _records;

    internal DataApiResult(JsonDocument answer)
    {
        _answer = answer;
        var root = answer.RootElement;
        HasRecords = root.TryGetProperty("records", out _records) && _records.ValueKind == JsonValueKind.Array;
        RowCount = HasRecords ? _records.GetArrayLength() : 0;
        Updated = root.TryGetProperty("numberOfRecordsUpdated", out var updated) && updated.TryGetInt64(out var count) ? count : 0;
        if (root.TryGetProperty("columnMetadata", out var columns) && columns.ValueKind == JsonValueKind.Array)
            Columns = [.. columns.EnumerateArray().Select(Column)];
    }

    /// <summary>Columns; null: they were not asked for, or the statement has no result.</summary>
    public IReadOnlyList<DataApiColumn>? Columns { get; }

    /// <summary>Whether the statement has a result, be it empty.</summary>
    public bool HasRecords { get; }

    /// <summary>Rows of this answer.</summary>
    public int RowCount { get; }

    /// <summary>numberOfRecordsUpdated.</summary>
    public long Updated { get; }

    /// <summary>The text of the first field of each row, for results of one text column; null for SQL null.</summary>
    public IEnumerable<string?> FirstTexts()
    {
        if (!HasRecords)
            yield break;
        foreach (var row in _records.EnumerateArray())
            yield return Text(row[0]);
    }

    /// <summary>Texts of all fields of each row; null for SQL null. For results of text columns.</summary>
    public IEnumerable<IReadOnlyList<string?>> Texts()
    {
        if (!HasRecords)
            yield break;
        foreach (var row in _records.EnumerateArray())
            yield return [.. row.EnumerateArray().Select(Text)];
    }

    private static string? Text(JsonElement field)
    {
        foreach (var member in field.EnumerateObject())
        {
            switch (member.Name)
            {
                case "isNull" when member.Value.ValueKind == JsonValueKind.True:
                    return null;
                case "stringValue":
                    return member.Value.GetString();
                case "longValue" or "doubleValue":
                    return member.Value.GetRawText();
                case "booleanValue":
                    return member.Value.GetBoolean() ? "t" : "f";
            }
        }
        return null;
    }

    private static DataApiColumn Column(JsonElement column) => new(
        column.TryGetProperty("label", out var label) ? label.GetString() ?? "" : column.Text("name") ?? "",
        column.Text("typeName") ?? "text", Number(column, "precision"), Number(column, "scale"));

    private static int Number(JsonElement column, string name) => column.TryGetProperty(name, out var value) && value.TryGetInt32(out var number) ? number : 0;

    /// <inheritdoc/>
    public void Dispose() => _answer.Dispose();
}
