using System.Globalization;
using System.Text.RegularExpressions;

namespace Fumidai.Aws;

/// <summary>What kind of end a call of the Data API came to.</summary>
public enum DataApiFailureKind
{
    /// <summary>The database refused the statement: <see cref="DataApiFailure.SqlState"/> says why.</summary>
    Sql,
    /// <summary>The cluster wakes from 0 ACU, or its writer is not there yet: nothing ran.</summary>
    Resuming,
    /// <summary>Too many calls: nothing ran.</summary>
    Throttled,
    /// <summary>The result is above the API's limits (1 MiB, 64 KB a row): the statement ran; a transaction is lost.</summary>
    TooLarge,
    /// <summary>A type that the API does not give away: the statement ran.</summary>
    UnsupportedResult,
    /// <summary>The transaction is over.</summary>
    TransactionLost,
    /// <summary>Cut after 45 seconds.</summary>
    TimedOut,
    /// <summary>No answer, or one that says nothing: the statement may have run.</summary>
    Unknown,
    /// <summary>Nothing ran, and repeating would not help: not allowed, not enabled, not found, a request above the limits.</summary>
    Refused,
}

/// <summary>A call of the Data API that failed.</summary>
public sealed partial class DataApiFailure : Exception
{
    private DataApiFailure(DataApiFailureKind kind, AwsFailure failure, string message) : base(message, failure) => (Kind, Code) = (kind, failure.Code);

    /// <summary>What kind of end.</summary>
    public DataApiFailureKind Kind { get; }

    /// <summary>AWS's error code; null: no answer.</summary>
    public string? Code { get; }

    /// <summary>SQLSTATE; null: the API did not let it through.</summary>
    public string? SqlState { get; private init; }

    /// <summary>ERROR or FATAL.</summary>
    public string Severity { get; private init; } = "ERROR";

    /// <summary>The server's detail; null: none.</summary>
    public string? Detail { get; private init; }

    /// <summary>The server's hint; null: none.</summary>
    public string? Hint { get; private init; }

    /// <summary>Character position in the statement, from 1; null: none.</summary>
    public int? Position { get; private init; }

    internal static DataApiFailure Of(AwsFailure failure)
    {
        var said = (failure.InnerException as Amazon.Runtime.AmazonServiceException)?.Message ?? failure.Message;
        var kind = failure.Code switch
        {
            "DatabaseErrorException" => DataApiFailureKind.Sql,
            "DatabaseResumingException" or "DatabaseUnavailableException" => DataApiFailureKind.Resuming,
            "TransactionNotFoundException" => DataApiFailureKind.TransactionLost,
            "StatementTimeoutException" => DataApiFailureKind.TimedOut,
            "UnsupportedResultException" => DataApiFailureKind.UnsupportedResult,
            // Version 1 told errors of the database so; version 2 still tells limits so.
            "BadRequestException" when said.Contains("allowed response size", StringComparison.OrdinalIgnoreCase) || said.Contains("64 KB", StringComparison.OrdinalIgnoreCase) => DataApiFailureKind.TooLarge,
            "BadRequestException" when said.StartsWith("ERROR:", StringComparison.Ordinal) || said.StartsWith("FATAL:", StringComparison.Ordinal) => DataApiFailureKind.Sql,
            "BadRequestException" when said.Contains("Transaction", StringComparison.Ordinal) && said.Contains("not found", StringComparison.OrdinalIgnoreCase) => DataApiFailureKind.TransactionLost,
            null => DataApiFailureKind.Unknown,
            "InternalServerErrorException" or "InternalServerError" or "ServiceUnavailableError" or "InternalFailure" => DataApiFailureKind.Unknown,
            _ when failure.Kind == AwsFailureKind.Throttled => DataApiFailureKind.Throttled,
            _ => DataApiFailureKind.Refused,
        };
        // No name, no connection, no TLS: it cannot have arrived.
        if (kind == DataApiFailureKind.Unknown && failure.Kind is AwsFailureKind.Credentials or AwsFailureKind.Configuration or AwsFailureKind.Permission)
            kind = DataApiFailureKind.Refused;
        if (kind != DataApiFailureKind.Sql)
            return new(kind, failure, failure.Message);
        return Sql(failure, said);
    }

    /// <summary><c>ERROR: message\n  Detail: …\n  Hint: …; Position: 8; SQLState: 42703</c>; each part but the message may be missing.</summary>
    private static DataApiFailure Sql(AwsFailure failure, string said)
    {
        var state = State().Match(said);
        if (state.Success)
            said = said[..state.Index];
        var position = PositionPart().Match(said);
        if (position.Success)
            said = said[..position.Index];
        string? hint = null, detail = null;
        if (said.LastIndexOf("\n  Hint: ", StringComparison.Ordinal) is > 0 and var h)
            (hint, said) = (said[(h + 9)..], said[..h]);
        if (said.LastIndexOf("\n  Detail: ", StringComparison.Ordinal) is > 0 and var d)
            (detail, said) = (said[(d + 11)..], said[..d]);
        var severity = "ERROR";
        foreach (var known in (string[])["ERROR", "FATAL", "PANIC"])
        {
            if (said.StartsWith(known + ": ", StringComparison.Ordinal))
                (severity, said) = (known, said[(known.Length + 2)..]);
        }
        return new(DataApiFailureKind.Sql, failure, said)
        {
            SqlState = state.Success ? state.Groups[1].Value : said.Contains("still running a query", StringComparison.Ordinal) ? "55006" : null,
            Severity = severity,
            Detail = detail,
            Hint = hint,
            Position = position.Success && int.TryParse(position.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var at) ? at : null,
        };
    }

    [GeneratedRegex(@"; SQLState: ([0-9A-Z]{5})\s*$", RegexOptions.CultureInvariant)]
    private static partial Regex State();

    [GeneratedRegex(@"(?:; |\n  )Position: ([0-9]+)\s*$", RegexOptions.CultureInvariant)]
    private static partial Regex PositionPart();
}
