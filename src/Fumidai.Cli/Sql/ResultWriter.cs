using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fumidai.Cli;

/// <summary>Prints one statement's result as it comes.</summary>
internal abstract class ResultWriter(TextWriter output, Action beforeFirst) : IResultRows, IAsyncDisposable
{
    /// <summary>Whether there is a result at all.</summary>
    internal bool HasBegun { get; private set; }

    protected IReadOnlyList<ResultColumn> Columns { get; private set; } = [];

    internal static ResultWriter Of(string format, TextWriter output, Action beforeFirst) => format switch
    {
        "csv" => new CsvWriter(output, beforeFirst),
        "json" => new JsonWriter(output, beforeFirst, isArray: true),
        "ndjson" => new JsonWriter(output, beforeFirst, isArray: false),
        _ => new TableWriter(output, beforeFirst),
    };

    public async ValueTask BeginAsync(IReadOnlyList<ResultColumn> columns, CancellationToken cancellationToken)
    {
        beforeFirst();
        (HasBegun, Columns) = (true, columns);
        await WriteAsync(Head());
    }

    public async ValueTask AddAsync(IReadOnlyList<string?> row, CancellationToken cancellationToken) => await WriteAsync(Row(row));

    internal async Task EndAsync(string tag, CancellationToken cancellationToken)
    {
        if (HasBegun)
            await WriteAsync(Foot());
        await output.FlushAsync(cancellationToken);
    }

    protected abstract string Head();

    protected abstract string Row(IReadOnlyList<string?> row);

    protected abstract string Foot();

    private async Task WriteAsync(string text)
    {
        if (text.Length == 0)
            return;
        try
        {
            await output.WriteAsync(text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FumidaiException(Reason.Failed, "cannot write to standard output", e.Message, inner: e);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Columns side by side. Widths come from the first thousand rows; a wider value later moves its line only.</summary>
    private sealed class TableWriter(TextWriter output, Action beforeFirst) : ResultWriter(output, beforeFirst)
    {
        private const int Measured = 1000;

        private readonly List<IReadOnlyList<string?>> _held = [];
        private int[]? _widths;
        private long _count;

        protected override string Head() => "";

        protected override string Row(IReadOnlyList<string?> row)
        {
            _count++;
            if (_widths is not null)
                return Line(row);
            _held.Add(row);
            return _held.Count < Measured ? "" : Release();
        }

        protected override string Foot() => $"{(_widths is null ? Release() : "")}({_count} row{(_count == 1 ? "" : "s")})\n";

        private string Release()
        {
            _widths = [.. Columns.Select((c, i) => _held.Select(r => Width(r[i] ?? "")).Append(Width(c.Name)).Max())];
            var text = new StringBuilder();
            text.Append(string.Join(" | ", Columns.Select((c, i) => Pad(Shown(c.Name), _widths[i], false))).TrimEnd()).Append('\n');
            text.Append(string.Join("-+-", _widths.Select(w => new string('-', w)))).Append('\n');
            foreach (var row in _held)
                text.Append(Line(row));
            _held.Clear();
            return text.ToString();
        }

        private string Line(IReadOnlyList<string?> row) =>
            string.Join(" | ", row.Select((value, i) => Pad(Shown(value ?? ""), _widths![i], Columns[i].Type.IsNumber))).TrimEnd() + "\n";

        private static string Pad(string text, int width, bool toTheRight)
        {
            var fill = new string(' ', Math.Max(0, width - Cells(text)));
            return toTheRight ? fill + text : text + fill;
        }

        private static int Width(string text) => Cells(Shown(text));

        /// <summary>Line ends and the like must not break a table, nor drive a terminal.</summary>
        private static string Shown(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => c switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", _ when char.IsControl(c) => $"\\x{(int)c:x2}", _ => c.ToString() })) : text;

        /// <summary>Cells of a terminal: wide East Asian characters take two.</summary>
        private static int Cells(string text) => text.EnumerateRunes().Sum(r => r.Value is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3) or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE6F)
            or (>= 0xFF00 and <= 0xFF60) or (>= 0xFFE0 and <= 0xFFE6) or (>= 0x1F300 and <= 0x1FAFF) or (>= 0x20000 and <= 0x3FFFD) ? 2 : 1);
    }

    /// <summary>RFC 4180 with PostgreSQL's own way of null: nothing; an empty string is quoted.</summary>
    private sealed class CsvWriter(TextWriter output, Action beforeFirst) : ResultWriter(output, beforeFirst)
    {
        protected override string Head() => string.Join(',', Columns.Select(c => Quoted(c.Name))) + "\n";

        protected override string Row(IReadOnlyList<string?> row) => string.Join(',', row.Select(v => v is null ? "" : v.Length == 0 ? "\"\"" : Quoted(v))) + "\n";

        protected override string Foot() => "";

        private static string Quoted(string value) => value.AsSpan().IndexOfAny(",\"\r\n") < 0 ? value : "\"" + value.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
    }

    /// <summary>An object a row; numbers, booleans and JSON as such, everything else as PostgreSQL's text.</summary>
    private sealed class JsonWriter(TextWriter output, Action beforeFirst, bool isArray) : ResultWriter(output, beforeFirst)
    {
        private bool _isLater;

        protected override string Head() => isArray ? "[" : "";

        protected override string Row(IReadOnlyList<string?> row)
        {
            using var bytes = new MemoryStream();
            using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }))
            {
                json.WriteStartObject();
                for (var i = 0; i < row.Count; i++)
                {
                    json.WritePropertyName(Columns[i].Name);
                    Write(json, Columns[i].Type, row[i]);
                }
                json.WriteEndObject();
            }
            var text = Encoding.UTF8.GetString(bytes.ToArray());
            var before = isArray && _isLater ? ",\n " : "";
            _isLater = true;
            return isArray ? before + text : text + "\n";
        }

        protected override string Foot() => isArray ? "]\n" : "";

        private static void Write(Utf8JsonWriter json, PostgresType type, string? value)
        {
            if (value is null)
                json.WriteNullValue();
            else if (type.Oid == 16)
                json.WriteBooleanValue(value == "t");
            else if ((type.IsNumber && char.IsAsciiDigit(value[^1])) || type.Oid is 114 or 3802)
                json.WriteRawValue(value, skipInputValidation: true);
            else
                json.WriteStringValue(value);
        }
    }
}
