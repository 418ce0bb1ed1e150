using CsCheck;
using Xunit;

namespace Fumidai.Tests;

public sealed class RowTextTests
{
    [Theory]
    [InlineData("(1,2)", 2, "1|2")]
    [InlineData("(,)", 2, "NULL|NULL")]
    [InlineData("()", 1, "NULL")]
    [InlineData("(\"\")", 1, "")]
    [InlineData("(\"a \"\"b\"\" \\\\ c\",\"x,y\")", 2, "a \"b\" \\ c|x,y")]
    [InlineData("(\"(1,2)\",\"{\"\"a\"\",NULL}\")", 2, "(1,2)|{\"a\",NULL}")]
    public void A_row_comes_apart_into_its_fields(string row, int count, string expected) =>
        Assert.Equal(expected.Split('|'), RowText.Split(row, count)!.Select(f => f ?? "NULL"));

    [Theory]
    [InlineData("(1,2)", 1)]
    [InlineData("(1)", 2)]
    [InlineData("()", 2)]
    [InlineData("text", 1)]
    public void A_row_of_another_number_of_fields_is_told(string row, int count) => Assert.Null(RowText.Split(row, count));

    [Fact]
    public void What_record_out_writes_is_read_back()
    {
        // As PostgreSQL writes it: quotes where a field is empty or holds a quote, a backslash, a bracket, a comma or space.
        static string Written(string? field) => field is null ? ""
            : field.Length == 0 || field.Any("\"\\(), \t\n".Contains) ? "\"" + field.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : field;
        Gen.OneOf(Gen.String[Gen.Char["\"\\(),ab \n{}\u00e9"], 0, 12], Gen.Const((string?)null)!).Array[1, 8]
            .Sample(fields => Assert.Equal(fields, RowText.Split("(" + string.Join(',', fields.Select(Written)) + ")", fields.Length)));
    }
}
