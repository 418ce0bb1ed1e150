using System.Globalization;

namespace Fumidai;

/// <summary>Command tags, which the Data API does not tell.</summary>
internal static class CommandTag
{
    private static readonly HashSet<string> s_attributes = new(StringComparer.Ordinal)
    {
        "OR", "REPLACE", "TEMP", "TEMPORARY", "UNLOGGED", "GLOBAL", "LOCAL", "UNIQUE", "TRUSTED", "PROCEDURAL", "CONSTRAINT", "RECURSIVE", "DEFAULT",
    };

    private static readonly string[] s_longObjects =
    [
        "MATERIALIZED VIEW", "FOREIGN TABLE", "FOREIGN DATA WRAPPER", "EVENT TRIGGER", "TEXT SEARCH CONFIGURATION", "TEXT SEARCH DICTIONARY", "TEXT SEARCH PARSER",
        "TEXT SEARCH TEMPLATE", "ACCESS METHOD", "OPERATOR CLASS", "OPERATOR FAMILY", "USER MAPPING", "DEFAULT PRIVILEGES", "LARGE OBJECT",
    ];

    /// <summary>With a number of rows.</summary>
    public static string Of(SqlStatement statement, long rows) => statement.Word(statement.Main) switch
    {
        "INSERT" => string.Create(CultureInfo.InvariantCulture, $"INSERT 0 {rows}"),
        "UPDATE" or "DELETE" or "MERGE" or "FETCH" or "MOVE" or "COPY" => string.Create(CultureInfo.InvariantCulture, $"{statement.Word(statement.Main)} {rows}"),
        "EXPLAIN" or "SHOW" or "CALL" => statement.Word(0),
        _ => string.Create(CultureInfo.InvariantCulture, $"SELECT {rows}"),
    };

    /// <summary>Of a statement that is neither query nor change.</summary>
    public static string OfUtility(SqlStatement statement)
    {
        var verb = statement.Word(0);
        switch (verb)
        {
            case "CREATE" or "ALTER" or "DROP":
                var words = statement.Words.Skip(1).Take(9).SkipWhile(w => s_attributes.Contains(w) && !(w == "DEFAULT" && statement.Words.Contains("PRIVILEGES"))).ToList();
                var text = string.Join(' ', words);
                if (verb == "DROP" && text.StartsWith("OWNED", StringComparison.Ordinal))
                    return "DROP OWNED";
                var name = s_longObjects.FirstOrDefault(o => text.StartsWith(o, StringComparison.Ordinal)) ?? words.FirstOrDefault() ?? "";
                name = name is "USER" or "GROUP" ? "ROLE" : name;
                return verb == "CREATE" && name is "TABLE" or "MATERIALIZED VIEW" && IsAs(statement) ? "CREATE TABLE AS" : $"{verb} {name}".TrimEnd();
            case "SELECT":
                return "SELECT INTO";
            case "TRUNCATE":
                return "TRUNCATE TABLE";
            case "LOCK":
                return "LOCK TABLE";
            case "REFRESH":
                return "REFRESH MATERIALIZED VIEW";
            case "SECURITY":
                return "SECURITY LABEL";
            case "IMPORT":
                return "IMPORT FOREIGN SCHEMA";
            case "REASSIGN":
                return "REASSIGN OWNED";
            case "CLOSE":
                return "CLOSE CURSOR";
            case "SET" when statement.Word(1) == "CONSTRAINTS":
                return "SET CONSTRAINTS";
            default:
                return verb;
        }
    }

    private static bool IsAs(SqlStatement statement) => statement.Find("AS") is > 0 and var at && (statement.Word(at + 1) is "SELECT" or "WITH" or "VALUES" or "TABLE" or "EXECUTE" || statement.Text(at + 1) == "(");
}
