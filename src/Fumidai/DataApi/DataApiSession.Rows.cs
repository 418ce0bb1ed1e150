using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <content>Results.</content>
internal sealed partial class DataApiSession
{
    /// <summary>Rows of the first page: with rows at their limit of 64 KB still under the limit of 1 MiB.</summary>
    private const int FirstPage = 15;

    /// <summary>Bytes a page is meant to have: half of what an answer may, since rows differ.</summary>
    private const int PageBytes = 400_000;

    private const int LargestPage = 20_000;

    private int _cursorNumber;

    private async Task<long> QueryAsync(SqlStatement statement, IResultRows rows, CancellationToken cancellationToken)
    {
        if (SetConfig(statement) is var (name, value))
            return await SetConfigAsync(statement, name, value, rows, cancellationToken).ConfigureAwait(false);
        var query = RowQuery.Of(statement);
        if (_transaction is null && _settings.Count == 0 && query.Described.Sql.Length <= 65_536 && await server.IsPureAsync(statement, client, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                return await AtOnceAsync(statement, query, rows, cancellationToken).ConfigureAwait(false);
            }
            catch (DataApiFailure failure) when (failure.Kind == DataApiFailureKind.TooLarge)
            {
                // Nothing was passed on yet, and the query may run again: page by page.
            }
        }
        long count = 0;
        await InOwnTransactionAsync(async () => count = await PagesAsync(statement, query, rows, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
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

    /// <summary>A page after the other by a cursor; the next one is asked for when the client has taken this one.</summary>
    private async Task<long> PagesAsync(SqlStatement statement, RowQuery query, IResultRows rows, CancellationToken cancellationToken)
    {
        var columns = await DescribeAsync(statement, query, cancellationToken).ConfigureAwait(false);
        var cursor = string.Create(CultureInfo.InvariantCulture, $"\"fumidai {++_cursorNumber}\"");
        var declare = $"DECLARE {cursor} NO SCROLL CURSOR FOR ";
        (await ExecuteAsync(new(declare + query.Texts.Sql, declare.Length + query.Texts.Offset), statement, withColumns: false, cancellationToken).ConfigureAwait(false)).Dispose();
        await rows.BeginAsync(columns, cancellationToken).ConfigureAwait(false);
        long count = 0;
        for (var size = FirstPage; ;)
        {
            var (taken, bytes, largest) = (0, 0L, 1);
            using (var page = await ExecuteAsync(new(string.Create(CultureInfo.InvariantCulture, $"FETCH FORWARD {size} FROM {cursor}"), int.MaxValue), statement, withColumns: false, cancellationToken).ConfigureAwait(false))
            {
                foreach (var row in page.FirstTexts())
                {
                    await rows.AddAsync(Split(row, columns), cancellationToken).ConfigureAwait(false);
                    (taken, bytes, largest) = (taken + 1, bytes + row!.Length, Math.Max(largest, row.Length));
                }
            }
            count += taken;
            if (taken < size)
                break;
            // Grown by degrees: what comes next may be larger than what came.
            size = (int)Math.Clamp(Math.Min(PageBytes / Math.Max(bytes / taken, largest / 8), size * 4L), 1, LargestPage);
        }
        (await ExecuteAsync(new($"CLOSE {cursor}", int.MaxValue), statement, withColumns: false, cancellationToken).ConfigureAwait(false)).Dispose();
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
        return statement.Words.Contains("FALSE") ? throw SqlFailure.Refused("set_config for the session within a larger query") : null;
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
