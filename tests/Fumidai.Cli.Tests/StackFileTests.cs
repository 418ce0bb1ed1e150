using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class StackFileTests
{
    [Fact]
    public void A_file_says_what_options_say()
    {
        var choices = StackFile.Parse("f.yaml", """
            # reviewed
            name: reports
            pattern: both
            endpoints: [ssm, ssmmessages, s3]
            min_acu: 0.5
            max_acu: 4
            idle_stop: 2h
            tags:
              team: data
              "cost center": "42"
            """);

        var options = choices.Over((Stacks.StackOptions?)null);
        Assert.Equal(("reports", Stacks.StackPattern.Both, "ssm,ssmmessages,s3", 0.5m, 4m, TimeSpan.FromHours(2)), (options.Name, options.Pattern, options.Endpoints!.ToString(), options.MinAcu, options.MaxAcu, options.IdleStop));
        Assert.Equal(["42", "data"], options.Tags.Values.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_command_line_wins_over_the_file() =>
        Assert.Equal("typed", new StackChoices(new Dictionary<StackWord, string> { [StackWord.Name] = "typed" }).Over(StackFile.Parse("f", "name: filed\npattern: public\n")).Name);

    [Theory]
    [InlineData("nmae: x", "f.yaml:1: unknown key “nmae”; did you mean name?")]
    [InlineData("name: x\nmin-acu: 1", "f.yaml:2: unknown key “min-acu”; did you mean min_acu?")]
    [InlineData("pattern: all", "f.yaml:1: pattern must be private, public, both or eice, not “all”")]
    [InlineData("\n\nmax_acu: big", "f.yaml:3: max_acu must be a capacity")]
    [InlineData("name: [a, b]", "f.yaml:1: name is one value")]
    [InlineData("tags: x", "f.yaml:1: tags are keys with values")]
    [InlineData("tags: {a: [1]}", "f.yaml:1: tags are keys with values")]
    [InlineData("subnets: [{a: b}]", "f.yaml:1: subnets is a list of words")]
    [InlineData("- name", "f.yaml:1: keys with values are expected here")]
    [InlineData("name: a\nname: b", "f.yaml:2: name is set twice")]
    [InlineData("name: \"a", "f.yaml:1: this is not YAML")]
    [InlineData("name: a\n---\nname: b", "f.yaml:2: a file of options is one document")]
    public void What_is_wrong_with_a_file_is_told_with_its_line(string text, string line)
    {
        var failure = Assert.Throws<FumidaiException>(() => StackFile.Parse("f.yaml", text));

        Assert.Equal(Reason.Configuration, failure.Reason);
        Assert.StartsWith(line, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    public void An_empty_file_says_nothing(string text) => Assert.Empty(StackFile.Parse("f", text).Said);
}
