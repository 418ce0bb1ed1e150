namespace Fumidai.Cli;

/// <summary>Variables as lines for a POSIX shell.</summary>
internal static class Exports
{
    internal static string Line(string name, string value) => $"export {name}={Quoted(value)}";

    /// <summary>A word as it is typed in a shell.</summary>
    // Plain where a shell and a reader agree that it is plain; else single quotes, the only ones in which nothing has a meaning.
    internal static string Quoted(string value) =>
        value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || "_-./:,@%+=".Contains(c, StringComparison.Ordinal))
            ? value
            : $"'{value.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
