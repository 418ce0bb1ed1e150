using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fumidai.Postgres;

namespace Fumidai.Lab;

/// <summary>A transaction that calls take part in by its id. One call at a time; it ends after three minutes without one, or 24 hours in all (aws-facts §4.1).</summary>
internal sealed class DataApiTransaction(DataApiConnection connection, DateTimeOffset begun) : IDisposable
{
    public static readonly TimeSpan Idle = TimeSpan.FromMinutes(3);
    public static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    public DataApiConnection Connection { get; } = connection;
    public DateTimeOffset Begun { get; } = begun;
    public DateTimeOffset LastCall { get; set; } = begun;
    public bool IsRunning { get; set; }
    public ITimer? Expiry { get; set; }

    public void Dispose() => Expiry?.Dispose();
}

/// <summary>The service's connections: idle ones by login, and those that a transaction holds.</summary>
internal sealed class DataApiConnections(LabContext context, Func<string, IPEndPoint?> serverOf) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<DataApiLogin, Stack<DataApiConnection>> _idle = [];
    private readonly Dictionary<string, DataApiTransaction> _transactions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string, string), DataApiTypes> _types = new();
    private bool _isOver;

    /// <summary>Transactions that are open, for whoever wants to see that none was left.</summary>
    public int OpenTransactions
    {
        get
        {
            lock (_gate)
                return _transactions.Count;
        }
    }

    public DataApiTypes TypesOf(DataApiLogin login) => _types.GetOrAdd((login.ClusterId, login.Database), static _ => new());

    /// <summary>An idle connection of this login, or a new one.</summary>
    public async Task<DataApiConnection> TakeAsync(DataApiLogin login, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            while (_idle.TryGetValue(login, out var stack) && stack.TryPop(out var idle))
            {
                if (idle.Connection.IsUsable)
                    return idle;
            }
        }
        return await OpenAsync(login, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A connection comes back: what its session was told is forgotten, or it is closed.</summary>
    public async Task GiveBackAsync(DataApiConnection connection)
    {
        try
        {
            if (connection.Connection.IsUsable)
            {
                if (connection.Connection.Status != 'I')
                    await connection.Connection.QueryAsync("ROLLBACK", [], null, CancellationToken.None).ConfigureAwait(false);
                await connection.Connection.QueryAsync("DISCARD ALL", [], null, CancellationToken.None).ConfigureAwait(false);
                lock (_gate)
                {
                    if (!_isOver)
                    {
                        if (!_idle.TryGetValue(connection.Login, out var stack))
                            _idle[connection.Login] = stack = new();
                        stack.Push(connection);
                        return;
                    }
                }
            }
        }
        catch (Exception e) when (e is SqlErrorException or PostgresProtocolException or IOException)
        {
            // The server went away meanwhile.
        }
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Begins a transaction; its id.</summary>
    public async Task<string> BeginAsync(DataApiLogin login, CancellationToken cancellationToken)
    {
        var connection = await TakeAsync(login, cancellationToken).ConfigureAwait(false);
        try
        {
            await connection.Connection.QueryAsync("BEGIN", [], null, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        var id = Convert.ToBase64String(RandomNumberGenerator.GetBytes(120));
        var transaction = new DataApiTransaction(connection, context.Time.GetUtcNow());
        lock (_gate)
            _transactions[id] = transaction;
        transaction.Expiry = context.Time.CreateTimer(_ => Expire(id), null, DataApiTransaction.Idle, Timeout.InfiniteTimeSpan);
        return id;
    }

    /// <summary>Makes a transaction this call's until <see cref="Leave"/>.</summary>
    /// <exception cref="AwsError">It is not there, or another call has it.</exception>
    public DataApiTransaction Enter(string id, string clusterId)
    {
        // The clock says what has expired; a timer may wake later.
        if (IsOverdue(id))
            Expire(id);
        lock (_gate)
        {
            if (!_transactions.TryGetValue(id, out var transaction) || transaction.Connection.Login.ClusterId != clusterId)
                throw new AwsError("TransactionNotFoundException", $"Transaction {id} Is Not Found", 404);
            if (transaction.IsRunning)
                throw new AwsError("DatabaseErrorException", "Transaction is still running a query");
            transaction.IsRunning = true;
            return transaction;
        }
    }

    /// <summary>The call is over; the three minutes begin anew.</summary>
    public void Leave(DataApiTransaction transaction)
    {
        lock (_gate)
        {
            transaction.IsRunning = false;
            transaction.LastCall = context.Time.GetUtcNow();
        }
        var left = transaction.Begun + DataApiTransaction.Longest - transaction.LastCall;
        transaction.Expiry?.Change(left < DataApiTransaction.Idle ? TimeSpan.FromTicks(Math.Max(0, left.Ticks)) : DataApiTransaction.Idle, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends a transaction with these words; what it held goes back.</summary>
    public async Task<string> EndAsync(string id, DataApiTransaction transaction, string words, CancellationToken cancellationToken)
    {
        Forget(id, transaction);
        try
        {
            return await transaction.Connection.Connection.QueryAsync(words, [], null, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await GiveBackAsync(transaction.Connection).ConfigureAwait(false);
        }
    }

    private bool IsOverdue(string id)
    {
        lock (_gate)
            return _transactions.TryGetValue(id, out var transaction) && context.Time.GetUtcNow() >= transaction.LastCall + DataApiTransaction.Idle;
    }

    private void Forget(string id, DataApiTransaction transaction)
    {
        lock (_gate)
            _transactions.Remove(id);
        transaction.Dispose();
    }

    private void Expire(string id)
    {
        DataApiTransaction? transaction;
        lock (_gate)
        {
            if (!_transactions.TryGetValue(id, out transaction) || transaction.IsRunning)
                return;
            transaction.IsRunning = true;
        }
        context.Calls.Report("lab:ExpireTransaction", null, "rolled back");
        _ = EndAsync(id, transaction, "ROLLBACK", CancellationToken.None).ContinueWith(static ended => ended.Exception, TaskScheduler.Default);
    }

    private async Task<DataApiConnection> OpenAsync(DataApiLogin login, CancellationToken cancellationToken)
    {
        var endpoint = context.Model.Read(m => m.DbClusters[login.ClusterId].Endpoint);
        var server = serverOf(login.ClusterId) ?? throw new AwsError("DatabaseUnavailableException", "The writer instance in the DB cluster isn't available.", 504);
        return await DataApiConnection.OpenAsync(login, server, new ServerIdentity(endpoint, new X509Certificate2Collection(context.Authority.Certificate)), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        List<DataApiConnection> all;
        lock (_gate)
        {
            _isOver = true;
            foreach (var transaction in _transactions.Values)
                transaction.Dispose();
            all = [.. _idle.Values.SelectMany(stack => stack), .. _transactions.Values.Select(t => t.Connection)];
            _idle.Clear();
            _transactions.Clear();
        }
        foreach (var connection in all)
            await connection.DisposeAsync().ConfigureAwait(false);
    }
}
