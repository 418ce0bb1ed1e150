using Fumidai.Aws;

namespace Fumidai;

/// <summary>The Data API of one cluster as a place to run statements: waits for a cluster that wakes, repeats what cannot have run, and tells the truth about the rest.</summary>
internal sealed class DataApiClient(AwsAccess access, DataApiAddress address, TimeProvider time, Action<string?> waiting)
{
    /// <summary>How long a resuming cluster is waited for: 15 s is usual, 30 s and more after a day (aws-facts §4.2).</summary>
    public static readonly TimeSpan ResumeLimit = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(5);

    private int _calls;

    /// <summary>Calls sent so far.</summary>
    public int Calls => _calls;

    public Task<DataApiResult> ExecuteAsync(string sql, IReadOnlyList<DataApiParameter> parameters, ExecuteOptions options, CancellationToken cancellationToken) =>
        CallAsync(options.TransactionId, stop => ExecuteStatement.RunAsync(access, address, sql, parameters, options, stop), cancellationToken);

    public Task BatchAsync(string sql, IReadOnlyList<IReadOnlyList<DataApiParameter>> sets, string transactionId, CancellationToken cancellationToken) =>
        CallAsync(transactionId, async stop =>
        {
            await BatchExecuteStatement.RunAsync(access, address, sql, sets, transactionId, stop).ConfigureAwait(false);
            return 0;
        }, cancellationToken);

    public Task<string> BeginAsync(CancellationToken cancellationToken) => CallAsync(null, stop => DataApiTransactions.BeginAsync(access, address, stop), cancellationToken);

    public Task CommitAsync(string id, CancellationToken cancellationToken) => CallAsync(id, async stop =>
    {
        await DataApiTransactions.CommitAsync(access, address, id, stop).ConfigureAwait(false);
        return 0;
    }, cancellationToken);

    public Task RollbackAsync(string id, CancellationToken cancellationToken) => CallAsync(id, async stop =>
    {
        await DataApiTransactions.RollbackAsync(access, address, id, stop).ConfigureAwait(false);
        return 0;
    }, cancellationToken);

    /// <exception cref="SqlFailure">In PostgreSQL's terms.</exception>
    /// <exception cref="DataApiFailure">TooLarge and UnsupportedResult, which the caller may know a way around.</exception>
    private async Task<T> CallAsync<T>(string? transactionId, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var isWaiting = false;
        for (var attempt = 0; ; attempt++)
        {
            Interlocked.Increment(ref _calls);
            try
            {
                var result = await call(cancellationToken).ConfigureAwait(false);
                if (isWaiting)
                    waiting(null);
                return result;
            }
            catch (DataApiFailure failure) when (failure.Kind is DataApiFailureKind.Resuming or DataApiFailureKind.Throttled && time.GetElapsedTime(began) < ResumeLimit && attempt < 60)
            {
                // Neither has run anything, so both may be sent again, within a transaction too.
                isWaiting = true;
                waiting(failure.Kind == DataApiFailureKind.Resuming ? "Waiting for the cluster to resume from 0 ACU" : "Waiting: the Data API takes no more calls now");
            }
            catch (DataApiFailure failure) when (failure.Kind is not (DataApiFailureKind.TooLarge or DataApiFailureKind.UnsupportedResult))
            {
                throw Told(failure, transactionId is not null);
            }
            var pause = TimeSpan.FromMilliseconds(Math.Min(s_longestPause.TotalMilliseconds, 500 * Math.Pow(2, Math.Min(attempt, 8))));
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    public static SqlFailure Told(DataApiFailure failure, bool inTransaction) => failure.Kind switch
    {
        DataApiFailureKind.Sql => new(failure.SqlState ?? "XX000", failure.Message, failure) { Severity = failure.Severity == "FATAL" ? "ERROR" : failure.Severity, Detail = failure.Detail, Hint = failure.Hint, Position = failure.Position },
        DataApiFailureKind.Resuming => new("57P03", "the cluster did not resume in time", failure),
        DataApiFailureKind.Throttled => new("53300", "the Data API takes no more calls now", failure),
        DataApiFailureKind.TransactionLost => new("25P03", "the transaction is over: the Data API ends one that is idle for three minutes, or 24 hours old", failure),
        DataApiFailureKind.TimedOut => new("57014", "the statement was cut off: a call of the Data API lasts 45 seconds at most", failure),
        DataApiFailureKind.TooLarge => new("54000", $"the result is above the limits of the Data API (64 KB a row, 1 MiB an answer){(inTransaction ? "; the transaction is lost" : "")}", failure),
        DataApiFailureKind.UnsupportedResult => new("0A000", failure.Message, failure),
        DataApiFailureKind.Unknown when failure.InnerException is AwsFailure { Kind: AwsFailureKind.Network } network && NeverArrived(network) => new("08001", network.Message, failure),
        DataApiFailureKind.Unknown => new("08007", $"no answer came, so it is not known whether the statement was carried out: {failure.Message}", failure),
        _ => new(failure.Code is "AccessDeniedException" or "ForbiddenException" ? "28000" : "08004", failure.Message, failure),
    };

    /// <summary>No name or no connection: nothing was sent.</summary>
    private static bool NeverArrived(AwsFailure failure)
    {
        for (Exception? e = failure; e is not null; e = e.InnerException)
        {
            if (e is HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError })
                return true;
        }
        return false;
    }
}
