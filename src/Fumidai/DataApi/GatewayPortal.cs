namespace Fumidai;

/// <summary>A statement that a client prepared.</summary>
/// <param name="Statement">Null: nothing but space and comments.</param>
/// <param name="Sql">Its text, with <c>$1</c> ….</param>
/// <param name="Types">OIDs of its parameters as the client declared them; 0, or missing at the end: to be found out.</param>
internal sealed record GatewayStatement(SqlStatement? Statement, string Sql, IReadOnlyList<uint> Types);

/// <summary>
/// A bound statement, and its rows where they are handed out by degrees: whoever runs it waits in <see cref="AddAsync"/> until more is wanted, so nothing
/// runs between two portions.
/// </summary>
internal sealed class GatewayPortal(SqlStatement? statement, IReadOnlyList<short> formats, GatewayOutput output) : IResultRows, IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private IReadOnlyList<ResultColumn> _columns = [];
    private TaskCompletionSource _suspended = New();
    private TaskCompletionSource _resumed = New();
    private long _allowed;
    private Task<string>? _running;

    /// <summary>Null: an empty one.</summary>
    public SqlStatement? Statement { get; } = statement;

    public IReadOnlyList<short> Formats { get; } = formats;

    /// <summary>Whether its columns are wanted before its first row.</summary>
    public bool IsToDescribe { get; set; }

    /// <summary>Whether rows are left from an earlier portion.</summary>
    public bool IsSuspended => _running is { IsCompleted: false };

    /// <summary>Whether it has run to its end.</summary>
    public bool IsOver => _running is { IsCompleted: true };

    public ValueTask BeginAsync(IReadOnlyList<ResultColumn> columns, CancellationToken cancellationToken)
    {
        _columns = columns;
        if (Formats.Count > 1 && Formats.Count != columns.Count)
            throw new SqlFailure("08P01", $"bind message has {Formats.Count} result formats but query has {columns.Count} columns");
        if (IsToDescribe)
            output.Columns(columns, Formats);
        IsToDescribe = false;
        return ValueTask.CompletedTask;
    }

    public async ValueTask AddAsync(IReadOnlyList<string?> row, CancellationToken cancellationToken)
    {
        while (_allowed == 0)
        {
            _suspended.TrySetResult();
            await _resumed.Task.WaitAsync(_stop.Token).ConfigureAwait(false);
        }
        _allowed--;
        output.Row(row, _columns, Formats);
        await output.RelieveAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A portion; the command tag when it was the last, null when there may be more.</summary>
    /// <param name="most">Rows; 0: all.</param>
    /// <param name="run">Begins it.</param>
    public async Task<string?> RunAsync(int most, Func<IResultRows, Task<string>> run)
    {
        _allowed = most > 0 ? most : long.MaxValue;
        _suspended = New();
        var resumed = _resumed;
        _resumed = New();
        if (_running is null)
            _running = run(this);
        else
            resumed.TrySetResult();
        return await Task.WhenAny(_running, _suspended.Task).ConfigureAwait(false) == _running ? await _running.ConfigureAwait(false) : null;
    }

    /// <summary>No more is wanted.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_running is { } running)
            await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
