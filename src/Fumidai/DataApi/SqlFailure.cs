using System.Globalization;

namespace Fumidai;

/// <summary>A statement that failed, in PostgreSQL's terms.</summary>
/// <param name="code">SQLSTATE.</param>
/// <param name="message">The sentence.</param>
/// <param name="inner">What it came of.</param>
public sealed class SqlFailure(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>SQLSTATE.</summary>
    public string Code { get; } = code;

    /// <summary>ERROR or FATAL.</summary>
    public string Severity { get; init; } = "ERROR";

    /// <summary>More about it; null: nothing.</summary>
    public string? Detail { get; init; }

    /// <summary>What may help; null: nothing.</summary>
    public string? Hint { get; init; }

    /// <summary>Character position in the statement, from 1; null: none.</summary>
    public int? Position { get; init; }

    /// <summary>One line: <c>ERROR 42P01: relation "x" does not exist (at character 15). …</c></summary>
    public override string ToString()
    {
        var position = Position is { } at ? string.Create(CultureInfo.InvariantCulture, $" (at character {at})") : "";
        return $"{Severity} {Code}: {Message}{position}{(Detail is null ? "" : $". {Detail}")}{(Hint is null ? "" : $". Hint: {Hint}")}";
    }

    /// <summary>The same with the position seen from a text that begins this many characters later; none where it lies outside.</summary>
    internal SqlFailure Moved(int offset, int length) => Position is null || offset == 0 ? this
        : new SqlFailure(Code, Message, InnerException) { Severity = Severity, Detail = Detail, Hint = Hint, Position = Position - offset is > 0 and var at && at <= length + 1 ? at : null };

    internal static SqlFailure Refused(string what) => new("0A000", $"{what} is not possible over the Data API");
}
