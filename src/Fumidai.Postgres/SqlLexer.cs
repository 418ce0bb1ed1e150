namespace Fumidai.Postgres;

/// <summary>
/// Cuts SQL into pieces as PostgreSQL's scanner does, as far as strings, names, comments and statements' ends need it. Pieces follow each other
/// without gaps. Source: PostgreSQL manual, 4.1 Lexical Structure.
/// </summary>
public static class SqlLexer
{
    /// <summary>The piece that begins at <paramref name="at"/>.</summary>
    /// <param name="sql">The text.</param>
    /// <param name="at">Where a piece begins.</param>
    /// <param name="standardStrings">standard_conforming_strings: whether a backslash in a plain string is nothing special.</param>
    public static SqlToken Next(string sql, int at, bool standardStrings = true)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var c = sql[at];
        if (IsSpace(c))
            return new(SqlTokenKind.Space, at, Skip(sql, at, IsSpace));
        if (c == '-' && At(sql, at + 1) == '-')
            return new(SqlTokenKind.Space, at, Skip(sql, at, static c => c is not ('\n' or '\r')));
        if (c == '/' && At(sql, at + 1) == '*')
            return Comment(sql, at);
        if (c == '\'')
            return Quoted(sql, at, at, SqlTokenKind.String, !standardStrings);
        if (c == '"')
            return Quoted(sql, at, at, SqlTokenKind.QuotedName, false);
        if (c == ';')
            return new(SqlTokenKind.Semicolon, at, at + 1);
        if (At(sql, at + 1) == '\'' && c is ('e' or 'E' or 'b' or 'B' or 'x' or 'X' or 'n' or 'N'))
            return Quoted(sql, at, at + 1, SqlTokenKind.String, c is 'e' or 'E' || (c is 'n' or 'N' && !standardStrings));
        if (c is 'u' or 'U' && At(sql, at + 1) == '&' && At(sql, at + 2) is ('\'' or '"'))
            return Quoted(sql, at, at + 2, sql[at + 2] == '"' ? SqlTokenKind.QuotedName : SqlTokenKind.String, false);
        if (IsNameStart(c))
            return new(SqlTokenKind.Word, at, Skip(sql, at, IsName));
        if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(At(sql, at + 1))))
            return new(SqlTokenKind.Number, at, NumberEnd(sql, at));
        return c == '$' ? Dollar(sql, at) : new(SqlTokenKind.Sign, at, at + 1);
    }

    /// <summary>All pieces.</summary>
    public static IReadOnlyList<SqlToken> Read(string sql, bool standardStrings = true)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var tokens = new List<SqlToken>();
        for (var at = 0; at < sql.Length; at = tokens[^1].End)
            tokens.Add(Next(sql, at, standardStrings));
        return tokens;
    }

    /// <summary>
    /// The statements of a text without their semicolons, with the index where each begins; those that are nothing but space and comments are left out.
    /// A function's body between BEGIN ATOMIC and END holds semicolons that end nothing.
    /// </summary>
    public static IReadOnlyList<(int Start, string Sql)> Split(string sql, bool standardStrings = true)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var statements = new List<(int, string)>();
        int first = -1, last = 0, bodies = 0, depth = 0;
        var isCreate = false;
        var before = "";
        foreach (var token in Read(sql, standardStrings))
        {
            if (token.Kind == SqlTokenKind.Space)
                continue;
            if (token.Kind == SqlTokenKind.Semicolon && bodies == 0 && depth <= 0)
            {
                Close();
                continue;
            }
            if (token.Kind == SqlTokenKind.Sign)
                depth += sql[token.Start] switch { '(' => 1, ')' => -1, _ => 0 };
            if (token.Kind == SqlTokenKind.Word)
            {
                var word = sql[token.Start..token.End].ToUpperInvariant();
                if (first < 0)
                    isCreate = word == "CREATE";
                // As psql does it: only a CREATE can hold a body, and within one CASE has an END of its own.
                if (isCreate && ((word == "ATOMIC" && before == "BEGIN") || (bodies > 0 && word == "CASE")))
                    bodies++;
                else if (bodies > 0 && word == "END")
                    bodies--;
                before = word;
            }
            else
            {
                before = "";
            }
            if (first < 0)
                first = token.Start;
            last = token.End;
        }
        Close();
        return statements;

        void Close()
        {
            if (first >= 0)
                statements.Add((first, sql[first..last]));
            (first, bodies, depth, before) = (-1, 0, 0, "");
        }
    }

    private static SqlToken Comment(string sql, int at)
    {
        var depth = 0;
        for (var i = at; i + 1 < sql.Length; i++)
        {
            if (sql[i] == '/' && sql[i + 1] == '*')
            {
                depth++;
                i++;
            }
            else if (sql[i] == '*' && sql[i + 1] == '/')
            {
                i++;
                if (--depth == 0)
                    return new(SqlTokenKind.Space, at, i + 1);
            }
        }
        return new(SqlTokenKind.Unfinished, at, sql.Length);
    }

    private static SqlToken Quoted(string sql, int start, int quote, SqlTokenKind kind, bool hasEscapes)
    {
        for (var i = quote + 1; i < sql.Length; i++)
        {
            if (hasEscapes && sql[i] == '\\')
                i++;
            else if (sql[i] == sql[quote] && At(sql, i + 1) == sql[quote])
                i++;
            else if (sql[i] == sql[quote])
                return new(kind, start, i + 1);
        }
        return new(SqlTokenKind.Unfinished, start, sql.Length);
    }

    private static SqlToken Dollar(string sql, int at)
    {
        if (char.IsAsciiDigit(At(sql, at + 1)))
            return new(SqlTokenKind.Parameter, at, Skip(sql, at + 1, char.IsAsciiDigit));
        var close = at + 1;
        if (IsNameStart(At(sql, close)))
            close = Skip(sql, close, static c => IsName(c) && c != '$');
        if (At(sql, close) != '$')
            return new(SqlTokenKind.Sign, at, at + 1);
        var tag = sql[at..(close + 1)];
        var end = sql.IndexOf(tag, close + 1, StringComparison.Ordinal);
        return end < 0 ? new(SqlTokenKind.Unfinished, at, sql.Length) : new(SqlTokenKind.String, at, end + tag.Length);
    }

    private static int NumberEnd(string sql, int at)
    {
        var end = Skip(sql, at, static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_');
        // 1e-5; the sign belongs to the number where the exponent does.
        return sql[end - 1] is 'e' or 'E' && At(sql, end) is '+' or '-' && char.IsAsciiDigit(At(sql, end + 1)) && At(sql, at + 1) is not ('x' or 'X')
            ? Skip(sql, end + 1, char.IsAsciiDigit)
            : end;
    }

    private static int Skip(string sql, int at, Func<char, bool> isIn)
    {
        while (at < sql.Length && isIn(sql[at]))
            at++;
        return at;
    }

    private static char At(string sql, int at) => at < sql.Length ? sql[at] : '\0';

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\n' or '\r' or '\f' or '\v';

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_' || c >= 0x80;

    private static bool IsName(char c) => IsNameStart(c) || char.IsAsciiDigit(c) || c == '$';
}
