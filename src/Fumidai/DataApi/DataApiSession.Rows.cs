using System.Globalization;
using System.Text;
using Fumidai.Aws;

namespace Fumidai;

/// <content>Results.</content>
internal sealed partial class DataApiSession
{
    /// <summary>Characters of a piece of a row where nothing is known of the rows.</summary>
    private const int UsualPiece = 1000;

    private const int LargestPage = 20_000;

    private int _cursorNumber;

    private async Task<long> QueryAsync(SqlStatement statement, IResultRows rows, CancellationToken cancellationToken)
    {
        if (SetConfig(statement) is var (name, value))
            return await SetConfigAsync(statement, name, value, rows, cancellationToken).ConfigureAwait(false);
        if (WithLocalSettings(statement) is { } local)
            return await ChangeSettingsAsync(local, rows, cancellationToken).ConfigureAwait(false);
        var query = RowQuery.Of(statement);
        var isLarge = false;
        if (_transaction is null && _settings.Count == 0 && query.Described.Sql.Length <= 65_536 && await server.IsPureAsync(statement, client, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                return await AtOnceAsync(statement, query, rows, cancellationToken).ConfigureAwait(false);
            }
            catch (DataApiFailure failure) when (failure.Kind == DataApiFailureKind.TooLarge)
            {
                // Nothing was passed on yet, and the query may run again: page by page.
                isLarge = true;
            }
        }
        long count = 0;
        var mayRunTwice = !isLarge && await server.IsPureAsync(statement, client, cancellationToken).ConfigureAwait(false);
        await InOwnTransactionAsync(async () => count = (mayRunTwice ? await BoundedAsync(statement, query, rows, cancellationToken).ConfigureAwait(false) : null)
            ?? await PagesAsync(statement, query, rows, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return count;
    }

    /// <summary>One call where the shape is known or comes along; two where a type stands in the way of that.</summary>
    private async Task<long> AtOnceAsync(SqlStatement statement, RowQuery query, IResultRows rows, CancellationToken cancellationToken)
    {
        if (server.ShapeOf(statement.Key) is { } known)
        {
            using var again = await ExecuteAsync(query.Texts, statement, withColumns: false, cancellationToken).ConfigureAwait(false);
            if (Fits(again, known))
                return await PassAsync(again, known, rows, cancellationToken).ConfigureAwait(false);
            server.Forget(statement.Key);
        }
        DataApiResult? answer = null;
        try
        {
            try
            {
                answer = await ExecuteAsync(query.Described, statement, withColumns: true, cancellationToken).ConfigureAwait(false);
            }
            catch (DataApiFailure failure) when (failure.Kind == DataApiFailureKind.UnsupportedResult)
            {
                await DescribeAsync(statement, query, cancellationToken).ConfigureAwait(false);
                answer = await ExecuteAsync(query.Texts, statement, withColumns: false, cancellationToken).ConfigureAwait(false);
            }
            var columns = server.ShapeOf(statement.Key) ?? await ColumnsAsync(answer.Columns!.Skip(1), cancellationToken).ConfigureAwait(false);
            server.Remember(statement.Key, columns);
            return await PassAsync(answer, columns, rows, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            answer?.Dispose();
        }
    }

    /// <summary>A query of text columns of our own, with this session's settings.</summary>
    internal async Task<IReadOnlyList<IReadOnlyList<string?>>> ReadAsync(string sql, CancellationToken cancellationToken)
    {
        IReadOnlyList<IReadOnlyList<string?>> rows = [];
        await InSessionAsync(false, async () => rows = await AskAsync(sql, [], cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return rows;
    }

    /// <summary>In a transaction a result above the limits would take the transaction with it: as many pieces as surely fit. Null: there is more than that.</summary>
    private async Task<long?> BoundedAsync(SqlStatement statement, RowQuery query, IResultRows rows, CancellationToken cancellationToken)
    {
        var columns = await DescribeAsync(statement, query, cancellationToken).ConfigureAwait(false);
        var most = Pieces(UsualPiece);
        var framed = query.Pieces(UsualPiece);
        using var answer = await ExecuteAsync(framed with { Sql = string.Create(CultureInfo.InvariantCulture, $"{framed.Sql} LIMIT {most}") }, statement, withColumns: false, cancellationToken).ConfigureAwait(false);
        if (answer.RowCount >= most)
            return null;
        await rows.BeginAsync(columns, cancellationToken).ConfigureAwait(false);
        var (whole, count) = (new StringBuilder(), 0L);
        foreach (var piece in answer.FirstTexts())
            count += await PassPieceAsync(piece!, whole, columns, rows, cancellationToken).ConfigureAwait(false);
        return count;
    }

    /// <summary>How many pieces of so many characters are under the limit of an answer, were each character of four bytes.</summary>
    private static int Pieces(int length) => Math.Min(LargestPage, 1_000_000 / ((4 * length) + 20));

    /// <summary>How long pieces are best: longer than most rows, so that most are one piece, and short, so that many are a page.</summary>
    private async Task<int> PieceLengthAsync(SqlStatement statement, RowQuery query, CancellationToken cancellationToken)
    {
        if (!await server.IsPureAsync(statement, client, cancellationToken).ConfigureAwait(false))
            return UsualPiece;
        using var sample = await ExecuteAsync(query.Sample, statement, withColumns: false, cancellationToken).ConfigureAwait(false);
        var longest = int.Parse(sample.FirstTexts().First() ?? "0", CultureInfo.InvariantCulture);
        return Math.Clamp(longest + (longest / 4) + 8, 64, 16_000);
    }

    /// <summary>One more piece; a row is passed on with its last. The number of rows passed on.</summary>
    private static async ValueTask<int> PassPieceAsync(string piece, StringBuilder whole, IReadOnlyList<ResultColumn> columns, IResultRows rows, CancellationToken cancellationToken)
    {
        var isLast = piece[0] == '.';
        if (isLast && whole.Length == 0)
        {
            await rows.AddAsync(Split(piece[1..], columns), cancellationToken).ConfigureAwait(false);
            return 1;
        }
        whole.Append(piece, 1, piece.Length - 1);
        if (!isLast)
            return 0;
        var row = whole.ToString();
        whole.Clear();
        await rows.AddAsync(Split(row, columns), cancellationToken).ConfigureAwait(false);
        return 1;
    }

    /// <summary>A page after the other by a cursor; the next one is asked for when the client has taken this one. Rows come in pieces, so that no page, whatever comes, is above the limits.</summary>
    private async Task<long> PagesAsync(SqlStatement statement, RowQuery query, IResultRows rows, CancellationToken cancellationToken)
    {
        var columns = await DescribeAsync(statement, query, cancellationToken).ConfigureAwait(false);
        var cursor = string.Create(CultureInfo.InvariantCulture, $"\"fumidai {++_cursorNumber}\"");
        var length = await PieceLengthAsync(statement, query, cancellationToken).ConfigureAwait(false);
        var (declare, framed, size) = ($"DECLARE {cursor} NO SCROLL CURSOR FOR ", query.Pieces(length), Pieces(length));
        (await ExecuteAsync(new(declare + framed.Sql, declare.Length + framed.Offset), statement, withColumns: false, cancellationToken).ConfigureAwait(false)).Dispose();
        await rows.BeginAsync(columns, cancellationToken).ConfigureAwait(false);
        var (whole, count, fetch) = (new StringBuilder(), 0L, SqlStatement.Parse("FETCH"));
        for (var taken = size; taken == size;)
        {
            using var page = await ExecuteAsync(new(string.Create(CultureInfo.InvariantCulture, $"FETCH FORWARD {size} FROM {cursor}"), int.MaxValue), fetch, withColumns: false, cancellationToken).ConfigureAwait(false);
            taken = page.RowCount;
            foreach (var piece in page.FirstTexts())
                count += await PassPieceAsync(piece!, whole, columns, rows, cancellationToken).ConfigureAwait(false);
        }
        (await ExecuteAsync(new($"CLOSE {cursor}", int.MaxValue), fetch, withColumns: false, cancellationToken).ConfigureAwait(false)).Dispose();
        return count;
    }

    private async Task<long> ChangeWithRowsAsync(SqlStatement statement, IResultRows rows, CancellationToken cancellationToken)
    {
        var query = RowQuery.Of(statement);
        long count = 0;
        await InOwnTransactionAsync(async () =>
        {
            var columns = query.Zero is null ? server.ShapeOf(statement.Key) : await DescribeAsync(statement, query, cancellationToken).ConfigureAwait(false);
            using var answer = await ExecuteAsync(columns is null ? query.Described : query.Texts, statement, withColumns: columns is null, cancellationToken).ConfigureAwait(false);
            columns ??= await ColumnsAsync(answer.Columns!.Skip(1), cancellationToken).ConfigureAwait(false);
            server.Remember(statement.Key, columns);
            count = await PassAsync(answer, columns, rows, cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
        return count;
    }

    private async Task<string> ReportAsync(SqlStatement statement, IResultRows rows, CancellationToken cancellationToken)
    {
        if (statement.Word(0) == "SHOW" && _localSettings.TryGetValue(statement.Name(1), out var local))
        {
            await rows.BeginAsync([new(statement.Name(1), PostgresType.Text, -1)], cancellationToken).ConfigureAwait(false);
            await rows.AddAsync([local], cancellationToken).ConfigureAwait(false);
            return "SHOW";
        }
        await InSessionAsync(false, async () =>
        {
            using var answer = await ExecuteAsync(new(RowQuery.Guarded(statement), 0), statement, withColumns: true, cancellationToken).ConfigureAwait(false);
            if (!answer.HasRecords || answer.Columns is null)
                return;
            await rows.BeginAsync(await ColumnsAsync(answer.Columns, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            foreach (var row in answer.Texts())
                await rows.AddAsync(row, cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
        return statement.Word(0);
    }

    /// <summary>What the columns of a statement are, without running it; null: it has none, or they cannot be known so.</summary>
    public async Task<IReadOnlyList<ResultColumn>?> DescribeAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        if (statement.Verb == SqlVerb.Execute)
            statement = Executed(statement);
        IReadOnlyList<ResultColumn>? columns = null;
        switch (statement.Verb)
        {
            case SqlVerb.Query or SqlVerb.ChangeWithRows when RowQuery.Of(statement) is { Zero: not null } query:
                await InSessionAsync(false, async () => columns = await DescribeAsync(statement, query, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
                return columns;
            case SqlVerb.Report when statement.Word(0) == "SHOW":
                return [new(statement.Word(1) == "TIME" ? "TimeZone" : statement.Name(1), PostgresType.Text, -1)];
            case SqlVerb.Report when statement.Word(0) == "EXPLAIN":
                return [new("QUERY PLAN", statement.Words.Contains("JSON") ? PostgresTypes.BuiltIn(114)! : PostgresType.Text, -1)];
            case SqlVerb.Fetch when _cursors.TryGetValue(statement.Name(statement.Tokens.Count - 1), out var declared):
                return declared;
            default:
                return null;
        }
    }

    private async Task<IReadOnlyList<ResultColumn>> DescribeAsync(SqlStatement statement, RowQuery query, CancellationToken cancellationToken)
    {
        if (server.ShapeOf(statement.Key) is { } known)
            return known;
        using var answer = await ExecuteAsync(query.Zero!, statement, withColumns: true, cancellationToken).ConfigureAwait(false);
        var columns = await ColumnsAsync(answer.Columns ?? [], cancellationToken).ConfigureAwait(false);
        server.Remember(statement.Key, columns);
        return columns;
    }

    private Task<IReadOnlyList<ResultColumn>> ColumnsAsync(IEnumerable<DataApiColumn> columns, CancellationToken cancellationToken) =>
        server.Types.OfAsync([.. columns], (sql, parameter) => AskAsync(sql, [parameter], cancellationToken));

    private static async Task<long> PassAsync(DataApiResult answer, IReadOnlyList<ResultColumn> columns, IResultRows rows, CancellationToken cancellationToken)
    {
        await rows.BeginAsync(columns, cancellationToken).ConfigureAwait(false);
        foreach (var row in answer.FirstTexts())
            await rows.AddAsync(Split(row, columns), cancellationToken).ConfigureAwait(false);
        return answer.RowCount;
    }

    private static bool Fits(DataApiResult answer, IReadOnlyList<ResultColumn> columns) => answer.FirstTexts().FirstOrDefault() is not { } row || RowText.Split(row, columns.Count) is not null;

    private static string?[] Split(string? row, IReadOnlyList<ResultColumn> columns) =>
        // A row of nulls alone is "(,,)", never null.
        RowText.Split(row ?? "", columns.Count) ?? throw new SqlFailure("0A000", "the columns of this query changed meanwhile") { Hint = "Run it again" };

    private string Prepare(SqlStatement statement)
    {
        if (_prepared.ContainsKey(statement.Name(1)))
            throw new SqlFailure("42P05", $"prepared statement \"{statement.Name(1)}\" already exists");
        _prepared[statement.Name(1)] = statement;
        return "PREPARE";
    }

    private string Deallocate(SqlStatement statement)
    {
        var at = statement.Word(1) == "PREPARE" ? 2 : 1;
        if (statement.Word(at) == "ALL")
        {
            _prepared.Clear();
            return "DEALLOCATE ALL";
        }
        return _prepared.Remove(statement.Name(at)) ? "DEALLOCATE" : throw NotPrepared(statement.Name(at));
    }

    private static SqlFailure NotPrepared(string name) => new("26000", $"prepared statement \"{name}\" does not exist");

    /// <summary>EXECUTE name(arguments): the prepared text with each parameter replaced by its argument, cast to the declared type.</summary>
    private SqlStatement Executed(SqlStatement statement)
    {
        if (!_prepared.TryGetValue(statement.Name(1), out var prepared))
            throw NotPrepared(statement.Name(1));
        var (types, body) = Listed(prepared, 2);
        var (arguments, _) = Listed(statement, 2);
        if (types.Count > 0 && types.Count != arguments.Count)
            throw new SqlFailure("42601", $"wrong number of parameters for prepared statement \"{statement.Name(1)}\"");
        var start = prepared.Tokens[body + 1].Start;
        return SqlStatement.Parse(SqlParameters.Replace(prepared.Sql[start..], number => number > arguments.Count ? throw new SqlFailure("42P02", $"there is no parameter ${number}")
            : types.Count > 0 ? $"CAST(({arguments[number - 1]}) AS {types[number - 1]})" : $"({arguments[number - 1]})"));
    }

    /// <summary>What stands in brackets from a token on, cut at its commas; and the token behind.</summary>
    private static (List<string> Items, int Next) Listed(SqlStatement statement, int at)
    {
        var items = new List<string>();
        if (statement.Text(at) != "(")
            return (items, at);
        var (depth, start) = (0, statement.Tokens[at].End);
        for (; ; at++)
        {
            switch (statement.Text(at))
            {
                case "":
                    throw new SqlFailure("42601", "syntax error at end of input");
                case "(" or "[":
                    depth++;
                    break;
                case "]":
                    depth--;
                    break;
                case ")" when --depth == 0:
                    items.Add(statement.Sql[start..statement.Tokens[at].Start]);
                    return (items, at + 1);
                case "," when depth == 1:
                    items.Add(statement.Sql[start..statement.Tokens[at].Start]);
                    start = statement.Tokens[at].End;
                    break;
            }
        }
    }

    private async Task<string> DeclareAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        if (_transaction is null || _isImplicit)
            throw new SqlFailure("25P01", "DECLARE CURSOR can only be used in transaction blocks");
        var at = statement.Find("FOR");
        if (at < 0 || statement.Words.Take(at).Contains("BINARY"))
            throw SqlFailure.Refused("a binary cursor");
        var inner = SqlStatement.Parse(statement.From(at + 1));
        if (inner.Verb != SqlVerb.Query)
            throw new SqlFailure("42601", "a cursor is declared for a query");
        var query = RowQuery.Of(inner);
        var columns = await DescribeAsync(inner, query, cancellationToken).ConfigureAwait(false);
        var front = statement.Sql[..statement.Tokens[at].End] + " ";
        (await ExecuteAsync(new(front + query.Texts.Sql, query.Texts.Offset), statement, withColumns: false, cancellationToken).ConfigureAwait(false)).Dispose();
        _cursors[statement.Name(1)] = columns;
        return "DECLARE CURSOR";
    }

    private async Task<long> FetchAsync(SqlStatement statement, IResultRows rows, CancellationToken cancellationToken)
    {
        var name = statement.Name(statement.Tokens.Count - 1);
        if (!_cursors.TryGetValue(name, out var columns))
            throw new SqlFailure("34000", $"cursor \"{name}\" does not exist");
        var isMove = statement.Word(0) == "MOVE";
        using var page = await ExecuteAsync(new((isMove ? "FETCH" : statement.Word(0)) + statement.Sql[statement.Tokens[0].End..], 0), statement, withColumns: false, cancellationToken).ConfigureAwait(false);
        return isMove ? page.RowCount : await PassAsync(page, columns, rows, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>SELECT set_config('name', 'value', false) and nothing else: a SET in other words. Null: something else.</summary>
    private static (string Name, string Value)? SetConfig(SqlStatement statement)
    {
        if (!statement.Calls().Contains("set_config"))
            return null;
        var at = statement.Name(1) == "pg_catalog" ? 3 : 1;
        if (statement.Word(0) == "SELECT" && statement.Name(at) == "set_config" && statement.Text(at + 1) == "(" && statement.Literal(at + 2) is { } name && statement.Text(at + 3) == "," && statement.Literal(at + 4) is { } value
            && statement.Text(at + 5) == "," && statement.Text(at + 7) == ")")
        {
            if (statement.Word(at + 6) == "TRUE")
                return null;
            if (statement.Word(at + 6) == "FALSE" && statement.Tokens.Count == at + 8)
                return (name, value);
        }
        return null;
    }

    /// <summary>The query with each set_config(…, false) in it made one for the transaction; null: it has none.</summary>
    private static SqlStatement? WithLocalSettings(SqlStatement statement)
    {
        var (sql, moved) = (statement.Sql, 0);
        for (var i = 0; i + 1 < statement.Tokens.Count; i++)
        {
            if (statement.Name(i) != "set_config" || statement.Text(i + 1) != "(")
                continue;
            var (depth, at) = (1, i + 2);
            for (; at < statement.Tokens.Count && depth > 0; at++)
                depth += statement.Text(at) switch { "(" => 1, ")" => -1, _ => 0 };
            var last = at - 2;
            if (statement.Word(last) != "FALSE")
                continue;
            sql = sql.Remove(statement.Tokens[last].Start + moved, 5).Insert(statement.Tokens[last].Start + moved, "true");
            moved--;
        }
        return moved == 0 ? null : SqlStatement.Parse(sql);
    }

    /// <summary>Runs a query that changes settings, and keeps those that it changed.</summary>
    private async Task<long> ChangeSettingsAsync(SqlStatement statement, IResultRows rows, CancellationToken cancellationToken)
    {
        const string All = "SELECT name, setting FROM pg_catalog.pg_settings WHERE context IN ('user', 'superuser')";
        long count = 0;
        await InOwnTransactionAsync(async () =>
        {
            var before = (await AskAsync(All, [], cancellationToken).ConfigureAwait(false)).ToDictionary(r => r[0]!, r => r[1], StringComparer.Ordinal);
            count = await PagesAsync(statement, RowQuery.Of(statement), rows, cancellationToken).ConfigureAwait(false);
            foreach (var row in await AskAsync(All, [], cancellationToken).ConfigureAwait(false))
            {
                if (!before.TryGetValue(row[0]!, out var was) || was != row[1])
                    _pending![row[0]!] = row[1] ?? "";
            }
        }, cancellationToken).ConfigureAwait(false);
        return count;
    }

    private async Task<long> SetConfigAsync(SqlStatement statement, string name, string value, IResultRows rows, CancellationToken cancellationToken)
    {
        string? canonical = null;
        await InOwnTransactionAsync(async () =>
        {
            var answer = await AskAsync("SELECT pg_catalog.set_config(:n, :v, true)", [new("n", DataApiKind.String, name), new("v", DataApiKind.String, value)], cancellationToken).ConfigureAwait(false);
            _pending![name] = canonical = answer[0][0] ?? "";
        }, cancellationToken).ConfigureAwait(false);
        await rows.BeginAsync([new("set_config", PostgresType.Text, -1)], cancellationToken).ConfigureAwait(false);
        await rows.AddAsync([canonical], cancellationToken).ConfigureAwait(false);
        return 1;
    }
}
