using CsCheck;
using Xunit;

namespace Fumidai.Postgres.Tests;

public sealed class SqlLexerTests
{
    private static string[] Split(string sql, bool standardStrings = true) => [.. SqlLexer.Split(sql, standardStrings).Select(s => s.Sql)];

    [Theory]
    [InlineData("select 1; select 2", "select 1|select 2")]
    [InlineData("select ';'; select 2", "select ';'|select 2")]
    [InlineData("select 'it''s;'; x", "select 'it''s;'|x")]
    [InlineData("select E'\\';'; x", "select E'\\';'|x")]
    [InlineData("select \"a;\"\"b\"; x", "select \"a;\"\"b\"|x")]
    [InlineData("select $$;$$; x", "select $$;$$|x")]
    [InlineData("select $a$ $$;$b$ $a$; x", "select $a$ $$;$b$ $a$|x")]
    [InlineData("select a$b$c; x$$;y", "select a$b$c|x$$|y")]
    [InlineData("/* ; /* ; */ ; */ x; y -- ;\n; z", "x|y|z")]
    [InlineData("select U&'d\\0061;'; x", "select U&'d\\0061;'|x")]
    [InlineData("create rule r as on insert to t do (select 1; select 2); x", "create rule r as on insert to t do (select 1; select 2)|x")]
    [InlineData("create function f() returns int language sql begin atomic select case when true then 1 end; select 2; end; x", "create function f() returns int language sql begin atomic select case when true then 1 end; select 2; end|x")]
    [InlineData("begin; update t set a = 1; end; x", "begin|update t set a = 1|end|x")]
    [InlineData(" ;; -- nothing\n /* at all */ ;", "")]
    [InlineData("select 'open; x", "select 'open; x")]
    public void Statements_end_at_semicolons_that_are_not_within_something(string sql, string expected) =>
        Assert.Equal(expected.Length == 0 ? [] : expected.Split('|'), Split(sql));

    [Fact]
    public void A_backslash_escapes_in_a_plain_string_only_without_standard_conforming_strings()
    {
        const string sql = @"select 'a\'; select 'b'";
        Assert.Equal([@"select 'a\'", "select 'b'"], Split(sql));
        Assert.Single(Split(sql, standardStrings: false));
    }

    [Fact]
    public void Pieces_follow_each_other_without_gaps_whatever_the_text() =>
        Gen.String[Gen.OneOf(Gen.Char["'\"$;/*-\\eEuU&xX:()[]., \n"], Gen.Char['0', '9'], Gen.Char['a', 'e'], Gen.Char['\u3040', '\u3050']), 0, 60].Sample(sql =>
        {
            foreach (var standard in (bool[])[true, false])
            {
                var at = 0;
                foreach (var token in SqlLexer.Read(sql, standard))
                {
                    Assert.Equal(at, token.Start);
                    Assert.True(token.End > token.Start);
                    at = token.End;
                }
                Assert.Equal(sql.Length, at);
            }
        });

    [Fact]
    public void Statements_that_were_joined_come_apart_again()
    {
        var text = Gen.String[Gen.Char["';\\\"$-/*ab\n"], 0, 12];
        var piece = Gen.OneOf(
            text.Select(t => $"'{t.Replace("'", "''", StringComparison.Ordinal)}'"),
            text.Select(t => $"E'{t.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'"),
            text.Select(t => $"\"x{t.Replace("\"", "\"\"", StringComparison.Ordinal)}\""),
            text.Where(t => !t.Contains('$', StringComparison.Ordinal)).Select(t => $"$q${t}$q$"),
            Gen.Int[0, 99].Select(n => n.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            Gen.Const("/* a ; /* b ; */ c */ name"),
            Gen.Const("-- ; '\n name"));
        var statement = piece.List[1, 5].Select(pieces => "select " + string.Join(" , ", pieces));
        statement.List[1, 5].Sample(statements => Assert.Equal(statements, Split(string.Join(";\n", statements))));
    }
}
