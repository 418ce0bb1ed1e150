using System.Buffers;
using Fumidai.Postgres;

namespace Fumidai.Lab;

/// <summary>What the server says, in the words in which the Data API passes it on: the message, then <c>; Position: N</c> where there is one, then <c>; SQLState: …</c>.</summary>
internal static class DataApiFailures
{
    public static AwsError Of(SqlErrorException error) => error.Code switch
    {
        "42601" when error.Message.Contains("cannot insert multiple commands into a prepared statement", StringComparison.Ordinal) => new("ValidationException", "Multistatements aren't supported"),
        _ => new("DatabaseErrorException", $"{error.Severity}: {error.Message}{Part("\n  Detail: ", error['D'])}{Part("\n  Hint: ", error['H'])}{Part("; Position: ", error['P'])}; SQLState: {error.Code}"),
    };

    public static AwsError Refused(ReadOnlySpan<byte> message)
    {
        var input = new ReadOnlySequence<byte>(message.ToArray());
        return ErrorResponse.TryRead(ref input, out var error) && error is not null
            ? new AwsError("DatabaseErrorException", $"{error.Severity}: {error.Message}; SQLState: {error.Code}")
            : new AwsError("DatabaseUnavailableException", "The writer instance in the DB cluster isn't available.", 504);
    }

    private static string Part(string name, string? text) => text is null ? "" : name + text;
}
