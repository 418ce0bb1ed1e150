using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class NamedParametersTests
{
    [Theory]
    [InlineData("select :a, :b, :a", "select $1, $2, $1")]
    [InlineData("select a::int, ':x', \":y\", $$:z$$, E'\\':w'", "select a::int, ':x', \":y\", $$:z$$, E'\\':w'")]
    [InlineData("select /* :a /* :b */ */ 1 -- :c\n + :d", "select /* :a /* :b */ */ 1 -- :c\n + $1")]
    [InlineData("select a[1: n] from t where x := :y", "select a[1: n] from t where x := $1")]
    public void Names_become_numbers_outside_of_strings_and_comments(string sql, string expected) => Assert.Equal(expected, NamedParameters.Rewrite(sql).Sql);

    [Theory]
    [InlineData("{}", 0)]
    [InlineData("{1,NULL,\"NULL\",\"a,\\\"b\\\\\"}", 4)]
    [InlineData("{{1},{2}}", -1)]
    [InlineData("[2:3]={1,2}", -1)]
    public void Arrays_of_one_dimension_come_apart(string text, int count) => Assert.Equal(count, ArrayText.Split(text)?.Count ?? -1);
}
