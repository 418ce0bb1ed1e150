namespace Fumidai.Postgres;

/// <summary>What kind of piece of SQL.</summary>
public enum SqlTokenKind
{
    /// <summary>White space, or a comment.</summary>
    Space,
    /// <summary>An unquoted name or keyword.</summary>
    Word,
    /// <summary>A name in double quotes, <c>U&amp;</c> included.</summary>
    QuotedName,
    /// <summary>A string in any of its forms: quotes, <c>E</c>, <c>B</c>, <c>X</c>, <c>N</c>, <c>U&amp;</c>, dollars.</summary>
    String,
    /// <summary>A number.</summary>
    Number,
    /// <summary><c>$1</c>.</summary>
    Parameter,
    /// <summary>One character of anything else: operators, brackets, commas.</summary>
    Sign,
    /// <summary>A semicolon.</summary>
    Semicolon,
    /// <summary>A string, quoted name or comment without an end: to the end of the text.</summary>
    Unfinished,
}

/// <summary>One piece of SQL.</summary>
/// <param name="Kind">Of what kind.</param>
/// <param name="Start">Index of its first character.</param>
/// <param name="End">Index behind its last.</param>
public readonly record struct SqlToken(SqlTokenKind Kind, int Start, int End);
