using Xunit;

namespace Fumidai.Tests;

public sealed class SqlStatementTests
{
    [Theory]
    [InlineData("select 1", "Query")]
    [InlineData("(select 1) union select 2", "Query")]
    [InlineData("with a as (select 1) select * from a", "Query")]
    [InlineData("with a as (delete from t returning *) select * from a", "ChangeWithRows")]
    [InlineData("with a as (select 1) insert into t select * from a", "Change")]
    [InlineData("insert into t values (1) returning id", "ChangeWithRows")]
    [InlineData("insert into t select 'returning'", "Change")]
    [InlineData("select 1 into x", "Utility")]
    [InlineData("begin isolation level serializable", "Begin")]
    [InlineData("rollback to a", "RollbackTo")]
    [InlineData("listen x", "Refused")]
    [InlineData("select pg_advisory_lock(1)", "Refused")]
    [InlineData("select pg_advisory_xact_lock(1)", "Query")]
    [InlineData("prepare transaction 'x'", "Refused")]
    [InlineData("declare c cursor with hold for select 1", "Refused")]
    [InlineData("set transaction read only", "Utility")]
    [InlineData("set search_path to a, b", "Set")]
    [InlineData("vacuum t", "Utility")]
    public void A_statement_is_known_by_its_words(string sql, string verb) => Assert.Equal(verb, SqlStatement.Parse(sql).Verb.ToString());

    [Theory]
    [InlineData("create temp table t(a int)", "CREATE TABLE")]
    [InlineData("create or replace function f() returns int as '' language sql", "CREATE FUNCTION")]
    [InlineData("create unique index concurrently i on t(a)", "CREATE INDEX")]
    [InlineData("create materialized view v as select 1", "CREATE TABLE AS")]
    [InlineData("create table t as select 1", "CREATE TABLE AS")]
    [InlineData("alter default privileges grant select on tables to x", "ALTER DEFAULT PRIVILEGES")]
    [InlineData("create user x", "CREATE ROLE")]
    [InlineData("drop foreign data wrapper f", "DROP FOREIGN DATA WRAPPER")]
    [InlineData("truncate t", "TRUNCATE TABLE")]
    [InlineData("grant select on t to x", "GRANT")]
    public void Tags_are_PostgreSQLs(string sql, string tag) => Assert.Equal(tag, CommandTag.OfUtility(SqlStatement.Parse(sql)));

    [Fact]
    public void A_lone_colon_before_a_name_is_kept_from_the_Data_API_which_would_take_it_for_a_parameter() =>
        Assert.Equal("select a[1: n], b::int, ':x', \":y\" from t", RowQuery.Guarded(SqlStatement.Parse("select a[1:n], b::int, ':x', \":y\" from t")));

    [Theory]
    [InlineData("insert into s.t as x (a, b) values (1, 2) returning x.a, b", "SELECT  x.a, b\nFROM")]
    [InlineData("delete from only t where a = 1 returning *", "SELECT  *\nFROM")]
    public void What_RETURNING_returns_is_asked_of_the_table(string sql, string begins) => Assert.StartsWith(begins, RowQuery.Of(SqlStatement.Parse(sql)).Zero!.Sql);

    [Fact]
    public void Values_take_the_place_of_names_as_literals()
    {
        var values = new Dictionary<string, (string, string?)> { ["a"] = ("it's \\", null), ["b"] = ("7", "int") };
        Assert.Equal("select E'it''s \\\\', CAST('7' AS int), ':a', x::a, :c", NamedValues.Put("select :a, :b, ':a', x::a, :c", values));
        Assert.Throws<FumidaiException>(() => NamedValues.Put("select :a", new Dictionary<string, (string, string?)> { ["a"] = ("1", "int); drop table t --") }));
    }
}
