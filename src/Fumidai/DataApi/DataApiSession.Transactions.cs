namespace Fumidai;

/// <content>Transactions and their settings.</content>
internal sealed partial class DataApiSession
{
    private readonly Stack<(string Name, Dictionary<string, string> Pending)> _savepoints = new();

    private bool _hasToApply;

    private async Task OpenTransactionAsync(CancellationToken cancellationToken)
    {
        _transaction = await client.BeginAsync(cancellationToken).ConfigureAwait(false);
        _pending = new(StringComparer.OrdinalIgnoreCase);
        // Not at once: SET TRANSACTION must come before any query, and this is one.
        _hasToApply = _settings.Count > 0;
    }

    private async Task<string> BeginAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        if (_transaction is not null && !_isImplicit)
        {
            Notice("25001", "there is already a transaction in progress");
            return "BEGIN";
        }
        if (_transaction is null)
            await OpenTransactionAsync(cancellationToken).ConfigureAwait(false);
        _isImplicit = false;
        var modes = statement.Word(0) == "START" ? 2 : statement.Word(1) is "WORK" or "TRANSACTION" ? 2 : 1;
        if (statement.From(modes) is { Length: > 0 } wanted)
        {
            try
            {
                await AskAsync($"SET TRANSACTION {wanted}", [], cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await RollbackAsync(CancellationToken.None).ConfigureAwait(false);
                throw;
            }
        }
        return statement.Word(0) == "START" ? "START TRANSACTION" : "BEGIN";
    }

    private async Task<string> CommitAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        if (_transaction is null && !_isFailed)
        {
            Notice("25P01", "there is no transaction in progress");
            return "COMMIT";
        }
        var isGood = !_isFailed;
        if (isGood)
            await CommitAsync(cancellationToken).ConfigureAwait(false);
        else
            await RollbackAsync(cancellationToken).ConfigureAwait(false);
        await ChainAsync(statement, cancellationToken).ConfigureAwait(false);
        return isGood ? "COMMIT" : "ROLLBACK";
    }

    private async Task<string> RollbackAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        if (_transaction is null && !_isFailed)
        {
            Notice("25P01", "there is no transaction in progress");
            return "ROLLBACK";
        }
        await RollbackAsync(cancellationToken).ConfigureAwait(false);
        await ChainAsync(statement, cancellationToken).ConfigureAwait(false);
        return "ROLLBACK";
    }

    private async Task ChainAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        if (statement.Find("CHAIN") > 0 && statement.Find("NO") < 0)
            await OpenTransactionAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task CommitAsync(CancellationToken cancellationToken)
    {
        var (id, pending) = (_transaction!, _pending);
        // Whatever comes of it, it is over.
        Drop();
        _isFailed = _isImplicit = false;
        await client.CommitAsync(id, cancellationToken).ConfigureAwait(false);
        foreach (var (name, value) in pending ?? [])
            Keep(name, value);
    }

    private async Task RollbackAsync(CancellationToken cancellationToken)
    {
        var id = _transaction;
        Drop();
        _isFailed = _isImplicit = false;
        if (id is null)
            return;
        try
        {
            await client.RollbackAsync(id, cancellationToken).ConfigureAwait(false);
        }
        catch (SqlFailure failure) when (failure.Code is "25P03")
        {
            // It was rolled back already.
        }
    }

    private async Task<string> SavepointAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        if (_transaction is null || _isImplicit)
            throw new SqlFailure("25P01", $"{(statement.Word(0) == "RELEASE" ? "RELEASE SAVEPOINT" : "SAVEPOINT")} can only be used in transaction blocks");
        await AskAsync(statement.Sql, [], cancellationToken).ConfigureAwait(false);
        if (statement.Word(0) == "SAVEPOINT")
            _savepoints.Push((statement.Name(1), new(_pending!, StringComparer.OrdinalIgnoreCase)));
        return statement.Word(0);
    }

    private async Task<string> RollbackToAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        if (_transaction is null)
            throw _isFailed ? new SqlFailure("25P02", "the transaction is over; only ROLLBACK is possible") : new SqlFailure("25P01", "ROLLBACK TO SAVEPOINT can only be used in transaction blocks");
        await AskAsync(statement.Sql, [], cancellationToken).ConfigureAwait(false);
        _isFailed = false;
        var name = statement.Name(statement.Tokens.Count - 1);
        while (_savepoints.TryPeek(out var top))
        {
            _pending = new(top.Pending, StringComparer.OrdinalIgnoreCase);
            if (top.Name == name)
                break;
            _savepoints.Pop();
        }
        return "ROLLBACK";
    }
}
