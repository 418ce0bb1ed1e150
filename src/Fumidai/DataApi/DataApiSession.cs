using Fumidai.Aws;

namespace Fumidai;

/// <summary>
/// One client's session over the Data API, which has none: transactions, settings and prepared statements are kept here and brought to each
/// connection that the API takes. Not for several tasks at once.
/// </summary>
internal sealed partial class DataApiSession(DataApiClient client, DataApiServer server) : IAsyncDisposable
{
    private readonly Dictionary<string, SqlStatement> _prepared = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<ResultColumn>> _cursors = new(StringComparer.Ordinal);
    /// <summary>In front of each statement, so that a cancel request finds it in pg_stat_activity; which server process it has is nowhere told.</summary>
    private readonly string _mark = $"/*fumidai {Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(6))}*/";
    private string? _transaction;
    private bool _isFailed;
    private bool _isImplicit;

    /// <summary>Told of what PostgreSQL would tell as a notice: SQLSTATE and sentence.</summary>
    public Action<string, string> Notice { get; init; } = static (_, _) => { };

    /// <summary>Told of settings that clients are to know.</summary>
    public Action<string, string> SettingChanged { get; init; } = static (_, _) => { };

    /// <summary>I idle, T in a transaction, E in a failed one.</summary>
    public char Status => _isFailed ? 'E' : _transaction is not null && !_isImplicit ? 'T' : 'I';

    /// <summary>Whether a transaction of whatever kind is open over there.</summary>
    public bool HasTransaction => _transaction is not null;

    /// <summary>Something before or around a statement failed: a transaction is failed then too.</summary>
    public void Spoil() => _isFailed |= _transaction is not null;

    /// <summary>OIDs of a statement's parameters: as declared, else as the server finds them. One call, remembered; two within a transaction.</summary>
    /// <exception cref="SqlFailure">What the server has against the statement.</exception>
    public async Task<IReadOnlyList<uint>> ParameterTypesAsync(string sql, IReadOnlyList<uint> declared, CancellationToken cancellationToken)
    {
        if (_isFailed)
            throw new SqlFailure("25P02", "current transaction is aborted, commands ignored until end of transaction block");
        var key = $"{string.Join(',', declared)}|{string.Join('|', _settings.Select(s => s.Key + "=" + s.Value))}|{sql}";
        if (server.ParametersOf(key) is { } known)
            return known;
        var names = new List<string>();
        foreach (var oid in declared)
            names.Add(oid is 0 or 705 ? "unknown" : DataApiServer.NameOf(await server.TypeAsync(oid, this, cancellationToken).ConfigureAwait(false)));
        var list = names.Count == 0 ? "" : $"({string.Join(", ", names)})";
        var inTransaction = _transaction is not null || _settings.Count > 0;
        // PREPARE and what it found cannot be two calls outside a transaction; an error carries the answer out, and undoes nothing that was.
        var end = inTransaction ? "PERFORM pg_catalog.set_config('fumidai.types', t, true);" : "RAISE EXCEPTION USING ERRCODE = 'FD000', MESSAGE = t;";
        var block = $"""
            DECLARE t text; BEGIN EXECUTE {SqlParameters.Literal($"PREPARE \"fumidai parameters\"{list} AS {sql}")};
            SELECT 'types:' || pg_catalog.array_to_string(parameter_types::pg_catalog.oid[], ',') INTO t FROM pg_catalog.pg_prepared_statements WHERE name = 'fumidai parameters';
            DEALLOCATE "fumidai parameters"; {end} END
            """;
        var found = "types:";
        if (inTransaction)
        {
            await InOwnTransactionAsync(async () =>
            {
                await AskAsync($"DO {SqlParameters.Literal(block)}", [], cancellationToken).ConfigureAwait(false);
                found = (await AskAsync("SELECT pg_catalog.current_setting('fumidai.types')", [], cancellationToken).ConfigureAwait(false))[0][0]!;
            }, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            try
            {
                await AskAsync($"DO {SqlParameters.Literal(block)}", [], cancellationToken).ConfigureAwait(false);
            }
            catch (SqlFailure answer) when (answer.Code == "FD000")
            {
                found = answer.Message;
            }
        }
        uint[] types = [.. found["types:".Length..].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(oid => uint.Parse(oid, System.Globalization.CultureInfo.InvariantCulture))];
        server.RememberParameters(key, types);
        return types;
    }

    /// <summary>A type by its OID: its name, as a cast has it, and the same as columns tell it.</summary>
    internal Task<IReadOnlyList<IReadOnlyList<string?>>> AskTypeAsync(uint oid, CancellationToken cancellationToken) => AskAsync("""
        SELECT pg_catalog.format('%I.%I', n.nspname, t.typname), t.typlen::text, CASE WHEN t.typcategory = 'A' THEN e.typname::text END, e.oid::text, e.typlen::text, t.typtype::text, e.typtype::text
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem WHERE t.oid = CAST(:oid AS pg_catalog.oid)
        """, [new("oid", DataApiKind.Long, oid.ToString(System.Globalization.CultureInfo.InvariantCulture))], cancellationToken);

    /// <summary>Has the server stop what runs for this session now. May be called beside everything else.</summary>
    public async Task CancelAsync(CancellationToken cancellationToken)
    {
        try
        {
            (await client.ExecuteAsync("SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.pg_stat_activity WHERE state = 'active' AND query LIKE :mark || '%'",
                [new("mark", DataApiKind.String, _mark)], new(), cancellationToken).ConfigureAwait(false)).Dispose();
        }
        catch (Exception e) when (e is SqlFailure or DataApiFailure)
        {
            // A cancel request that fails is not answered either.
        }
    }

    /// <summary>Begins a transaction around statements that belong together though nobody said BEGIN; <see cref="EndImplicitAsync"/> ends it.</summary>
    public async Task BeginImplicitAsync(CancellationToken cancellationToken)
    {
        if (_transaction is not null || _isFailed)
            return;
        await OpenTransactionAsync(cancellationToken).ConfigureAwait(false);
        _isImplicit = true;
    }

    /// <summary>Commits what <see cref="BeginImplicitAsync"/> began, or rolls it back; nothing where BEGIN made it the user's.</summary>
    public async Task EndImplicitAsync(bool isGood, CancellationToken cancellationToken)
    {
        if (!_isImplicit)
            return;
        _isImplicit = false;
        if (isGood && !_isFailed)
            await CommitAsync(cancellationToken).ConfigureAwait(false);
        else
            await RollbackAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs one statement; its command tag.</summary>
    /// <exception cref="SqlFailure">It failed; a transaction is then failed too.</exception>
    public async Task<string> RunAsync(SqlStatement statement, IResultRows rows, CancellationToken cancellationToken)
    {
        if (_isFailed && statement.Verb is not (SqlVerb.Commit or SqlVerb.Rollback or SqlVerb.RollbackTo))
            throw new SqlFailure("25P02", "current transaction is aborted, commands ignored until end of transaction block");
        try
        {
            return await DispatchAsync(statement, rows, cancellationToken).ConfigureAwait(false);
        }
        catch (DataApiFailure failure)
        {
            var told = DataApiClient.Told(failure, _transaction is not null);
            // Both refusals come after the statement, and the transaction goes with them.
            Fail(isLost: _transaction is not null);
            throw told;
        }
        catch (SqlFailure failure)
        {
            Fail(isLost: failure.Code is "25P03" or "08007");
            throw;
        }
    }

    private void Fail(bool isLost)
    {
        _isFailed = _transaction is not null;
        if (isLost)
            Drop();
    }

    private void Drop()
    {
        _transaction = null;
        _hasToApply = false;
        _cursors.Clear();
        _pending = null;
        _savepoints.Clear();
        if (_isImplicit)
            (_isImplicit, _isFailed) = (false, false);
    }

    private async Task<string> DispatchAsync(SqlStatement statement, IResultRows rows, CancellationToken cancellationToken)
    {
        switch (statement.Verb)
        {
            case SqlVerb.Refused:
                throw SqlFailure.Refused(statement.Why!);
            case SqlVerb.Query:
                return CommandTag.Of(statement, await QueryAsync(statement, rows, cancellationToken).ConfigureAwait(false));
            case SqlVerb.ChangeWithRows:
                return CommandTag.Of(statement, await ChangeWithRowsAsync(statement, rows, cancellationToken).ConfigureAwait(false));
            case SqlVerb.Report:
                return await ReportAsync(statement, rows, cancellationToken).ConfigureAwait(false);
            case SqlVerb.Begin:
                return await BeginAsync(statement, cancellationToken).ConfigureAwait(false);
            case SqlVerb.Commit:
                return await CommitAsync(statement, cancellationToken).ConfigureAwait(false);
            case SqlVerb.Rollback:
                return await RollbackAsync(statement, cancellationToken).ConfigureAwait(false);
            case SqlVerb.Savepoint:
                return await SavepointAsync(statement, cancellationToken).ConfigureAwait(false);
            case SqlVerb.RollbackTo:
                return await RollbackToAsync(statement, cancellationToken).ConfigureAwait(false);
            case SqlVerb.Set or SqlVerb.Reset or SqlVerb.Discard:
                return await SetAsync(statement, cancellationToken).ConfigureAwait(false);
            case SqlVerb.Copy:
                throw SqlFailure.Refused("COPY between server and client without the protocol's own messages");
            case SqlVerb.Prepare:
                return Prepare(statement);
            case SqlVerb.Execute:
                return await RunAsync(Executed(statement), rows, cancellationToken).ConfigureAwait(false);
            case SqlVerb.Deallocate:
                return Deallocate(statement);
            case SqlVerb.Declare:
                return await DeclareAsync(statement, cancellationToken).ConfigureAwait(false);
            case SqlVerb.Fetch:
                return CommandTag.Of(statement, await FetchAsync(statement, rows, cancellationToken).ConfigureAwait(false));
            default:
                return await ChangeAsync(statement, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A change or a definition: one call where nothing has to be prepared for it.</summary>
    private async Task<string> ChangeAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        if (statement.IsTemporary && (_transaction is null || _isImplicit))
            throw SqlFailure.Refused("something temporary that outlives its transaction");
        if (statement.IsAlone && _transaction is null && _settings.Count > 0)
            throw new SqlFailure("0A000", $"{statement.Word(0)} runs outside a transaction, where settings of this session cannot be brought to it over the Data API") { Hint = "RESET ALL first, and qualify names" };
        long count = 0;
        await InSessionAsync(statement.IsAlone, async () =>
        {
            using var answer = await ExecuteAsync(new(RowQuery.Guarded(statement), 0), statement, withColumns: false, cancellationToken).ConfigureAwait(false);
            count = answer.Updated;
        }, cancellationToken).ConfigureAwait(false);
        if (statement.IsDefinition)
            server.Forget();
        return statement.Verb == SqlVerb.Change ? CommandTag.Of(statement, count) : CommandTag.OfUtility(statement);
    }

    /// <summary>In the open transaction; in one of its own where this session has settings to bring; else as it is.</summary>
    private async Task InSessionAsync(bool isAlone, Func<Task> work, CancellationToken cancellationToken)
    {
        if (_transaction is not null || isAlone || _settings.Count == 0)
        {
            await work().ConfigureAwait(false);
            return;
        }
        await InOwnTransactionAsync(work, cancellationToken).ConfigureAwait(false);
    }

    private async Task InOwnTransactionAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        if (_transaction is not null)
        {
            await work().ConfigureAwait(false);
            return;
        }
        await OpenTransactionAsync(cancellationToken).ConfigureAwait(false);
        _isImplicit = true;
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (e is DataApiFailure or SqlFailure { Code: "25P03" or "08007" })
                Drop();
            else
                await RollbackAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        await EndImplicitAsync(isGood: true, cancellationToken).ConfigureAwait(false);
    }

    private async Task<DataApiResult> ExecuteAsync(FramedSql framed, SqlStatement statement, bool withColumns, CancellationToken cancellationToken)
    {
        if (framed.Sql.Length + _mark.Length > 65_536)
            throw new SqlFailure("54000", "the statement is longer than the 65,536 characters that the Data API takes");
        await BringSettingsAsync(statement, cancellationToken).ConfigureAwait(false);
        try
        {
            return await client.ExecuteAsync(_mark + framed.Sql, statement.Parameters, new() { TransactionId = _transaction, WithColumns = withColumns, ContinueAfterTimeout = statement.Verb == SqlVerb.Utility }, cancellationToken).ConfigureAwait(false);
        }
        catch (SqlFailure failure)
        {
            throw failure.Moved(framed.Offset == int.MaxValue ? framed.Offset : framed.Offset + _mark.Length, statement.Sql.Length);
        }
    }

    /// <summary>What this session set is brought to a transaction before its first statement, save those that only say of what kind it is.</summary>
    private async Task BringSettingsAsync(SqlStatement? statement, CancellationToken cancellationToken)
    {
        if (!_hasToApply || _transaction is null || statement is { Verb: SqlVerb.Utility } && statement.Word(0) == "SET")
            return;
        _hasToApply = false;
        await ApplySettingsAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<IReadOnlyList<string?>>> AskAsync(string sql, DataApiParameter[] parameters, CancellationToken cancellationToken)
    {
        if (!sql.StartsWith("SET TRANSACTION", StringComparison.Ordinal))
            await BringSettingsAsync(null, cancellationToken).ConfigureAwait(false);
        using var answer = await client.ExecuteAsync(sql, parameters, new() { TransactionId = _transaction }, cancellationToken).ConfigureAwait(false);
        return [.. answer.Texts()];
    }

    /// <summary>Rolls back what is open: the client is gone. What still runs there is stopped first, since a transaction takes one call at a time.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_transaction is not { } left)
            return;
        Drop();
        for (var tries = 0; tries < 10; tries++)
        {
            try
            {
                await client.RollbackAsync(left, CancellationToken.None).ConfigureAwait(false);
                return;
            }
            catch (SqlFailure failure) when (failure.Code == "55006")
            {
                await CancelAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SqlFailure or DataApiFailure)
            {
                // It is over, or will be after three minutes without a call.
                return;
            }
        }
    }
}
