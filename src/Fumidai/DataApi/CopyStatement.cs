namespace Fumidai;

/// <summary>What a COPY between server and client says. Source: PostgreSQL manual, COPY; the older forms of its options too.</summary>
internal sealed class CopyStatement
{
    private CopyStatement()
    {
    }

    /// <summary>The relation's name as written; null: a query.</summary>
    public string? Table { get; private init; }

    public string? Query { get; private init; }

    /// <summary>Names as written; null: all.</summary>
    public IReadOnlyList<string>? Columns { get; private init; }

    public bool IsFrom { get; private init; }

    public bool IsCsv { get; private set; }

    public char Delimiter { get; private set; }

    public string Null { get; private set; } = "";

    public bool HasHeader { get; private set; }

    public char Quote { get; private set; } = '"';

    public char Escape { get; private set; }

    /// <summary>Columns by name; "*": all.</summary>
    public HashSet<string> ForceQuote { get; } = new(StringComparer.Ordinal);

    public HashSet<string> ForceNotNull { get; } = new(StringComparer.Ordinal);

    public HashSet<string> ForceNull { get; } = new(StringComparer.Ordinal);

    /// <exception cref="SqlFailure">0A000: of another kind; 42601, 22023: none at all.</exception>
    public static CopyStatement Of(SqlStatement statement)
    {
        var at = 1;
        if (statement.Word(1) == "BINARY")
            throw SqlFailure.Refused("COPY BINARY");
        string? table = null, query = null;
        List<string>? columns = null;
        if (statement.Text(at) == "(")
        {
            var end = Closing(statement, at);
            query = statement.Sql[statement.Tokens[at].End..statement.Tokens[end].Start];
            at = end + 1;
        }
        else
        {
            var start = at++;
            while (statement.Text(at) == ".")
                at += 2;
            table = statement.Sql[statement.Tokens[start].Start..statement.Tokens[at - 1].End];
            if (statement.Text(at) == "(")
            {
                var end = Closing(statement, at);
                columns = [.. Enumerable.Range(at + 1, end - at - 1).Select(statement.Text).Where(t => t != ",")];
                at = end + 1;
            }
        }
        var isFrom = statement.Word(at) == "FROM";
        if ((!isFrom && statement.Word(at) != "TO") || (isFrom && query is not null))
            throw new SqlFailure("42601", $"syntax error at or near \"{statement.Text(at)}\"");
        if (statement.Word(at + 1) != (isFrom ? "STDIN" : "STDOUT") && statement.Word(at + 1) is not ("STDIN" or "STDOUT"))
            throw SqlFailure.Refused("COPY with a file or program of the server");
        var copy = new CopyStatement { Table = table, Query = query, Columns = columns, IsFrom = isFrom };
        copy.ReadOptions(statement, at + 2);
        return copy;
    }

    private void ReadOptions(SqlStatement statement, int at)
    {
        string? delimiter = null, nulls = null, quote = null, escape = null;
        if (statement.Word(at) == "WITH")
            at++;
        var isListed = statement.Text(at) == "(";
        at += isListed ? 1 : 0;
        while (at < statement.Tokens.Count && !(isListed && statement.Text(at) == ")"))
        {
            var option = statement.Word(at++);
            if (option == "FORCE")
                option = $"FORCE_{(statement.Word(at) == "NOT" ? "NOT_NULL" : statement.Word(at))}" + Skip(ref at, statement.Word(at) == "NOT" ? 2 : 1);
            switch (option)
            {
                case "FORMAT":
                    IsCsv = statement.Name(at).Trim('\'') switch { "csv" => true, "text" => false, _ => throw SqlFailure.Refused("COPY BINARY") };
                    at++;
                    break;
                case "CSV":
                    IsCsv = true;
                    break;
                case "BINARY":
                    throw SqlFailure.Refused("COPY BINARY");
                case "DELIMITER" or "DELIMITERS":
                    delimiter = Value(statement, ref at);
                    break;
                case "NULL":
                    nulls = Value(statement, ref at);
                    break;
                case "QUOTE":
                    quote = Value(statement, ref at);
                    break;
                case "ESCAPE":
                    escape = Value(statement, ref at);
                    break;
                case "ENCODING":
                    if (Value(statement, ref at).Replace("-", "", StringComparison.Ordinal).ToUpperInvariant() is not ("UTF8" or "UNICODE" or "SQL_ASCII"))
                        throw SqlFailure.Refused("COPY in another encoding than UTF8");
                    break;
                case "FREEZE":
                    at += statement.Word(at) is "TRUE" or "FALSE" or "ON" or "OFF" ? 1 : 0;
                    break;
                case "HEADER":
                    var said = statement.Name(at).Trim('\'');
                    HasHeader = said is not ("false" or "off" or "0");
                    at += said is "true" or "on" or "1" or "false" or "off" or "0" or "match" ? 1 : 0;
                    break;
                case "FORCE_QUOTE":
                    Names(statement, ref at, ForceQuote);
                    break;
                case "FORCE_NOT_NULL":
                    Names(statement, ref at, ForceNotNull);
                    break;
                case "FORCE_NULL":
                    Names(statement, ref at, ForceNull);
                    break;
                case "WHERE":
                    throw SqlFailure.Refused("COPY … WHERE");
                case "" when statement.Text(at - 1) == ",":
                    break;
                default:
                    throw new SqlFailure("42601", $"option \"{statement.Name(at - 1)}\" not recognized");
            }
        }
        Delimiter = One("delimiter", delimiter ?? (IsCsv ? "," : "\t"));
        Null = nulls ?? (IsCsv ? "" : "\\N");
        Quote = One("quote", quote ?? "\"");
        Escape = One("escape", escape ?? Quote.ToString());
    }

    private static string Skip(ref int at, int count)
    {
        at += count;
        return "";
    }

    private static string Value(SqlStatement statement, ref int at)
    {
        at += statement.Word(at) == "AS" ? 1 : 0;
        var text = statement.Text(at);
        if (statement.Literal(at) is { } plain)
        {
            at++;
            return plain;
        }
        if (text.Length < 3 || text[0] is not ('E' or 'e') || text[1] != '\'')
            throw new SqlFailure("42601", $"syntax error at or near \"{text}\"");
        at++;
        return text[2..^1].Replace("''", "'", StringComparison.Ordinal).Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal)
            .Replace("\\b", "\b", StringComparison.Ordinal).Replace("\\x01", "\x01", StringComparison.OrdinalIgnoreCase);
    }

    private static void Names(SqlStatement statement, ref int at, HashSet<string> names)
    {
        var isListed = statement.Text(at) == "(";
        at += isListed ? 1 : 0;
        do
        {
            names.Add(statement.Text(at) == "*" ? "*" : statement.Name(at));
            at++;
        }
        while (statement.Text(at) == "," && at++ > 0);
        at += isListed ? 1 : 0;
    }

    private static char One(string what, string text) => text.Length == 1 && text[0] < 0x80 ? text[0] : throw new SqlFailure("0A000", $"COPY {what} must be a single one-byte character");

    private static int Closing(SqlStatement statement, int at)
    {
        var depth = 0;
        for (; at < statement.Tokens.Count; at++)
        {
            depth += statement.Text(at) switch { "(" => 1, ")" => -1, _ => 0 };
            if (depth == 0)
                return at;
        }
        throw new SqlFailure("42601", "syntax error at end of input");
    }
}
