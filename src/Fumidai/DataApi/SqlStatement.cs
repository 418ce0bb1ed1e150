using Fumidai.Postgres;

namespace Fumidai;

/// <summary>What a statement is to the Data API.</summary>
internal enum SqlVerb
{
    /// <summary>A query that may stand in FROM.</summary>
    Query,
    /// <summary>Data is changed and rows come back (RETURNING, or a query over changes).</summary>
    ChangeWithRows,
    /// <summary>Data is changed.</summary>
    Change,
    /// <summary>Answers with text rows of its own (EXPLAIN, SHOW, CALL).</summary>
    Report,
    Begin,
    Commit,
    Rollback,
    Savepoint,
    RollbackTo,
    Set,
    Reset,
    Discard,
    Copy,
    Prepare,
    Execute,
    Deallocate,
    Declare,
    Fetch,
    Refused,
    /// <summary>Everything else.</summary>
    Utility,
}

/// <summary>One statement, looked at as far as the Data API makes it necessary.</summary>
internal sealed class SqlStatement
{
    private SqlStatement(string sql, IReadOnlyList<SqlToken> tokens)
    {
        Sql = sql;
        Tokens = tokens;
        Words = [.. tokens.Select(t => t.Kind == SqlTokenKind.Word ? sql[t.Start..t.End].ToUpperInvariant() : "")];
        (Verb, Main) = Classify();
    }

    /// <summary>The text, without a semicolon at its end.</summary>
    public string Sql { get; }

    /// <summary>Its pieces without space and comments.</summary>
    public IReadOnlyList<SqlToken> Tokens { get; }

    /// <summary>By token: the word in capitals; empty for what is none.</summary>
    public IReadOnlyList<string> Words { get; }

    public SqlVerb Verb { get; private init; }

    /// <summary>With a WITH in front: the token where the statement proper begins; else 0.</summary>
    public int Main { get; private init; }

    /// <summary>Values for <c>:name</c> in the text, where literals would be too long.</summary>
    public IReadOnlyList<Aws.DataApiParameter> Parameters { get; init; } = [];

    /// <summary>What it is known by where its shape is remembered: the text, or a prepared one of which it was made.</summary>
    public required string Key { get; init; }

    /// <summary>Why it is refused.</summary>
    public string? Why { get; private set; }

    public static SqlStatement Parse(string sql, bool standardStrings = true, string? key = null, IReadOnlyList<Aws.DataApiParameter>? parameters = null) =>
        new(sql, [.. SqlLexer.Read(sql, standardStrings).Where(t => t.Kind != SqlTokenKind.Space)]) { Key = key ?? sql, Parameters = parameters ?? [] };

    /// <summary>Whether PREPARE takes it.</summary>
    public bool IsPreparable => Verb is SqlVerb.Query or SqlVerb.Change or SqlVerb.ChangeWithRows;

    public string Word(int at) => at < Words.Count ? Words[at] : "";

    /// <summary>The text of a token.</summary>
    public string Text(int at) => at < Tokens.Count ? Sql[Tokens[at].Start..Tokens[at].End] : "";

    /// <summary>The text from a token on.</summary>
    public string From(int at) => at < Tokens.Count ? Sql[Tokens[at].Start..] : "";

    /// <summary>A name's value: folded to lower case unless quoted.</summary>
    public string Name(int at) => Tokens.Count <= at ? "" : Tokens[at].Kind == SqlTokenKind.QuotedName ? Text(at)[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal) : Text(at).ToLowerInvariant();

    /// <summary>A string literal's value, for the plain and the E form without escapes.</summary>
    public string? Literal(int at)
    {
        var text = Text(at);
        return text.Length >= 2 && text[0] == '\'' ? text[1..^1].Replace("''", "'", StringComparison.Ordinal) : null;
    }

    /// <summary>The first token of that word outside brackets from a place on; -1: none.</summary>
    public int Find(string word, int from = 0)
    {
        var depth = 0;
        for (var i = from; i < Tokens.Count; i++)
        {
            if (Tokens[i].Kind == SqlTokenKind.Sign)
                depth += Sql[Tokens[i].Start] switch { '(' or '[' => 1, ')' or ']' => -1, _ => 0 };
            else if (depth == 0 && Words[i] == word)
                return i;
        }
        return -1;
    }

    /// <summary>Names of functions that it calls: words before an opening bracket.</summary>
    public IEnumerable<string> Calls()
    {
        for (var i = 0; i + 1 < Tokens.Count; i++)
        {
            if (Tokens[i].Kind is SqlTokenKind.Word or SqlTokenKind.QuotedName && Sql[Tokens[i + 1].Start] == '(')
                yield return Name(i);
        }
    }

    private (SqlVerb, int) Classify()
    {
        if (Calls().FirstOrDefault(IsSessionLock) is { } locks)
            return Refuse($"{locks}, a lock that stays with its connection,");
        switch (Word(0))
        {
            case "SELECT" or "VALUES" or "TABLE":
                return (Find("INTO") > 0 && Word(0) == "SELECT" ? SqlVerb.Utility : SqlVerb.Query, 0);
            case "" when Text(0) == "(":
                return (SqlVerb.Query, 0);
            case "WITH":
                return With();
            case "INSERT" or "UPDATE" or "DELETE" or "MERGE":
                return (Find("RETURNING") > 0 ? SqlVerb.ChangeWithRows : SqlVerb.Change, 0);
            case "EXPLAIN" or "SHOW" or "CALL":
                return (SqlVerb.Report, 0);
            case "BEGIN":
            case "START" when Word(1) == "TRANSACTION":
                return (SqlVerb.Begin, 0);
            case "COMMIT" when Word(1) == "PREPARED":
            case "ROLLBACK" when Word(1) == "PREPARED":
            case "PREPARE" when Word(1) == "TRANSACTION":
                return Refuse("two-phase commit");
            case "COMMIT" or "END":
                return (SqlVerb.Commit, 0);
            case "ROLLBACK" when Find("TO") > 0:
                return (SqlVerb.RollbackTo, 0);
            case "ROLLBACK" or "ABORT":
                return (SqlVerb.Rollback, 0);
            case "SAVEPOINT" or "RELEASE":
                return (SqlVerb.Savepoint, 0);
            case "SET" when Word(1) is not ("CONSTRAINTS" or "TRANSACTION"):
                return Word(1) is "SESSION" && Word(2) == "AUTHORIZATION" ? Refuse("SET SESSION AUTHORIZATION") : (SqlVerb.Set, 0);
            case "RESET":
                return (SqlVerb.Reset, 0);
            case "DISCARD":
                return (SqlVerb.Discard, 0);
            case "COPY":
                return (SqlVerb.Copy, 0);
            case "PREPARE":
                return (SqlVerb.Prepare, 0);
            case "EXECUTE":
                return (SqlVerb.Execute, 0);
            case "DEALLOCATE":
                return (SqlVerb.Deallocate, 0);
            case "DECLARE":
                return Find("HOLD") is > 0 and var hold && Word(hold - 1) == "WITH" ? Refuse("a cursor WITH HOLD") : (SqlVerb.Declare, 0);
            case "FETCH" or "MOVE":
                return (SqlVerb.Fetch, 0);
            case "LISTEN" or "UNLISTEN":
                return Refuse(Word(0));
            case "CREATE" when Word(1) is "TEMP" or "TEMPORARY" || (Word(1) is "GLOBAL" or "LOCAL" && Word(2) is "TEMP" or "TEMPORARY"):
                return (SqlVerb.Utility, 0);
            default:
                return (SqlVerb.Utility, 0);
        }
    }

    /// <summary>Whether it makes something temporary that the next transaction would look for in vain.</summary>
    public bool IsTemporary => Word(0) == "CREATE" && Words.Take(5).Any(w => w is "TEMP" or "TEMPORARY");

    /// <summary>Whether PostgreSQL refuses it within a transaction.</summary>
    public bool IsAlone => Word(0) switch
    {
        "VACUUM" => true,
        "CREATE" or "DROP" when Word(1) is "DATABASE" or "TABLESPACE" => true,
        "ALTER" when Word(1) == "SYSTEM" => true,
        "CREATE" or "DROP" or "REINDEX" => Words.Take(6).Contains("CONCURRENTLY"),
        _ => false,
    };

    /// <summary>Whether it may alter what tables and types look like.</summary>
    public bool IsDefinition => Verb == SqlVerb.Utility && Word(0) is "CREATE" or "ALTER" or "DROP" or "SELECT" or "DO" or "IMPORT";

    private static bool IsSessionLock(string function) => function.StartsWith("pg_", StringComparison.Ordinal) && function.Contains("advisory", StringComparison.Ordinal) && !function.Contains("xact", StringComparison.Ordinal);

    private (SqlVerb, int) With()
    {
        var main = Tokens.Count;
        var changes = Words.Any(w => w is "INSERT" or "DELETE" or "MERGE") || Words.Contains("UPDATE");
        foreach (var word in (string[])["SELECT", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"])
        {
            if (Find(word, 1) is > 0 and var at && at < main)
                main = at;
        }
        if (Word(main) is "INSERT" or "UPDATE" or "DELETE" or "MERGE")
            return (Find("RETURNING", main) > 0 ? SqlVerb.ChangeWithRows : SqlVerb.Change, main);
        // FOR UPDATE has the word too; taking it for a change costs nothing but another form of the query.
        return (changes ? SqlVerb.ChangeWithRows : SqlVerb.Query, main < Tokens.Count ? main : 0);
    }

    private (SqlVerb, int) Refuse(string what)
    {
        Why = what;
        return (SqlVerb.Refused, 0);
    }
}
