using System.Globalization;
using System.Text;
using Fumidai.Aws;
using Fumidai.Postgres;

namespace Fumidai;

/// <content>COPY between server and client: queries and inserts to the Data API, COPY's own messages and formats to the client.</content>
internal sealed partial class GatewayConnection
{
    /// <summary>What one request may weigh, in bytes: under the API's 4 MiB with all that stands around it.</summary>
    private const int RequestBytes = 3_000_000;

    private async Task<string> CopyAsync(SqlStatement statement, CancellationToken stop)
    {
        if (Session.Status == 'E')
            throw new SqlFailure("25P02", "current transaction is aborted, commands ignored until end of transaction block");
        try
        {
            var copy = CopyStatement.Of(statement);
            var count = copy.IsFrom ? await CopyInAsync(copy, stop).ConfigureAwait(false) : await CopyOutAsync(copy, stop).ConfigureAwait(false);
            return string.Create(CultureInfo.InvariantCulture, $"COPY {count}");
        }
        catch (SqlFailure)
        {
            Session.Spoil();
            throw;
        }
    }

    private async Task<long> CopyOutAsync(CopyStatement copy, CancellationToken stop)
    {
        var query = copy.Query;
        if (query is null)
        {
            var table = await CopyTable.FindAsync(Session, copy, stop).ConfigureAwait(false);
            query = $"SELECT {string.Join(", ", table.Columns.Select(c => c.Quoted))} FROM ONLY {copy.Table}";
        }
        var inner = SqlStatement.Parse(query, Session.StandardStrings);
        if (inner.Verb is not (SqlVerb.Query or SqlVerb.ChangeWithRows))
            throw new SqlFailure("0A000", "COPY query must have a result");
        var rows = new CopyOutRows(copy, _output);
        var tag = await Session.RunAsync(inner, rows, stop).ConfigureAwait(false);
        _output.Empty('c');
        return long.Parse(tag.AsSpan(tag.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture);
    }

    private async Task<long> CopyInAsync(CopyStatement copy, CancellationToken stop)
    {
        var table = await CopyTable.FindAsync(Session, copy, stop).ConfigureAwait(false);
        var format = new CopyFormat(copy, [.. table.Columns.Select(c => c.Name)]);
        var answer = _output.Begin('G').Byte('\0').Int16(table.Columns.Count);
        foreach (var _ in table.Columns)
            answer.Int16(0);
        answer.End();
        await _output.FlushAsync(stop).ConfigureAwait(false);
        var (rows, text, decoder) = (new CopyInRows(table), new StringBuilder(), s_utf8.GetDecoder());
        var (count, isHeader, isOver, wasImplicit) = (0L, copy.HasHeader, false, false);
        SqlFailure? failed = null;
        var isLast = false;
        while (!isLast)
        {
            // To its end whatever happens: the client does not listen before.
            var message = await NextAsync(stop).ConfigureAwait(false) ?? throw new IOException("the client has gone");
            switch (message.Type)
            {
                case 'd':
                    if (failed is null)
                        Append(message.Body.Span);
                    break;
                case 'c':
                    isLast = true;
                    break;
                case 'f':
                    failed ??= new SqlFailure("57014", $"COPY from stdin failed: {Text(message)}");
                    isLast = true;
                    break;
                case 'H' or 'S':
                    continue;
                default:
                    throw new PostgresProtocolException("unexpected message type during COPY from stdin");
            }
            if (failed is not null)
                continue;
            try
            {
                await TakeAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (Known(e) is { } failure)
            {
                failed = failure;
            }
        }
        if (failed is not null)
        {
            if (wasImplicit)
                await EndBadlyAsync(stop).ConfigureAwait(false);
            throw failed;
        }
        return count;

        void Append(ReadOnlySpan<byte> bytes)
        {
            var chars = new char[decoder.GetCharCount(bytes, flush: false)];
            text.Append(chars, 0, decoder.GetChars(bytes, chars, flush: false));
        }

        async Task TakeAsync()
        {
            var (all, at) = (text.ToString(), 0);
            while (!isOver && format.Read(all, ref at, isLast, ref isOver) is { } row)
            {
                if (isHeader)
                    isHeader = false;
                else if (!rows.Add(row) && !isLast)
                    await SendAsync(more: true).ConfigureAwait(false);
            }
            text.Remove(0, at);
            if (isLast)
                await SendAsync(more: false).ConfigureAwait(false);
        }

        async Task SendAsync(bool more)
        {
            // Several requests are one COPY: all or nothing.
            if (more && !Session.HasTransaction)
            {
                await Session.BeginImplicitAsync(stop).ConfigureAwait(false);
                wasImplicit = true;
            }
            if (rows.Count > 0)
                count += await rows.SendAsync(copy.Table!, Session, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Rows on their way to the client.</summary>
    private sealed class CopyOutRows(CopyStatement copy, GatewayOutput output) : IResultRows
    {
        private CopyFormat? _format;

        public ValueTask BeginAsync(IReadOnlyList<ResultColumn> columns, CancellationToken cancellationToken)
        {
            _format = new(copy, [.. columns.Select(c => c.Name)]);
            var begin = output.Begin('H').Byte('\0').Int16(columns.Count);
            foreach (var _ in columns)
                begin.Int16(0);
            begin.End();
            if (copy.HasHeader)
                Send(_format.Line([.. columns.Select(c => c.Name)], isHeader: true));
            return ValueTask.CompletedTask;
        }

        public ValueTask AddAsync(IReadOnlyList<string?> row, CancellationToken cancellationToken)
        {
            Send(_format!.Line(row));
            return output.RelieveAsync(cancellationToken);
        }

        private void Send(string line) => output.Begin('d').Bytes(Encoding.UTF8.GetBytes(line)).End();
    }

    /// <summary>Rows gathered for one INSERT: an array of arrays of texts, which the server casts as COPY's input would.</summary>
    private sealed class CopyInRows(CopyTable table)
    {
        private readonly StringBuilder _json = new("[");
        private int _bytes;

        public int Count { get; private set; }

        /// <summary>Takes one; false: it is time to send.</summary>
        public bool Add(List<string?> row)
        {
            if (row.Count < table.Columns.Count)
                throw new SqlFailure("22P04", $"missing data for column \"{table.Columns[row.Count].Name}\"");
            if (row.Count > table.Columns.Count)
                throw new SqlFailure("22P04", "extra data after last expected column");
            _json.Append(Count++ > 0 ? ",[" : "[");
            for (var i = 0; i < row.Count; i++)
            {
                _json.Append(i > 0 ? "," : "");
                if (row[i] is not { } text)
                    _json.Append("null");
                else
                    Append(text);
                _bytes += 16;
            }
            _json.Append(']');
            return _bytes < RequestBytes;
        }

        public async Task<long> SendAsync(string name, DataApiSession session, CancellationToken stop)
        {
            var casts = table.Columns.Select((c, i) => string.Create(CultureInfo.InvariantCulture, $"CAST(r->>{i} AS {c.Type})"));
            var sql = $"INSERT INTO {name} ({string.Join(", ", table.Columns.Select(c => c.Quoted))}) OVERRIDING SYSTEM VALUE SELECT {string.Join(", ", casts)} "
                + "FROM pg_catalog.json_array_elements(CAST(:fumidai_rows AS pg_catalog.json)) WITH ORDINALITY AS e(r, n) ORDER BY n";
            var parameter = new DataApiParameter("fumidai_rows", DataApiKind.String, _json.Append(']').ToString());
            _json.Clear().Append('[');
            (Count, _bytes) = (0, 0);
            var tag = await session.RunAsync(SqlStatement.Parse(sql, parameters: [parameter]), NoRows.Instance, stop).ConfigureAwait(false);
            return long.Parse(tag.AsSpan(tag.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture);
        }

        private void Append(string text)
        {
            _json.Append('"');
            foreach (var c in text)
            {
                if (c is '"' or '\\')
                    _json.Append('\\').Append(c);
                else if (c < ' ')
                    _json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                else
                    _json.Append(c);
                // As text within text it may be written as \u0022.
                _bytes += char.IsAsciiLetterOrDigit(c) || c is ' ' or '.' or '-' or '_' ? 1 : 12;
            }
            _json.Append('"');
        }
    }

    private sealed class NoRows : IResultRows
    {
        public static NoRows Instance { get; } = new();

        public ValueTask BeginAsync(IReadOnlyList<ResultColumn> columns, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask AddAsync(IReadOnlyList<string?> row, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
