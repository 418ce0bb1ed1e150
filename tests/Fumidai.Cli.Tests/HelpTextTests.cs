using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class HelpTextTests
{
    public static TheoryData<string> Names => [.. Verbs.All.Select(v => v.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Help_of_a_verb_names_every_option_shows_examples_and_fits_a_terminal(string name)
    {
        var verb = Verbs.All.Single(v => v.Name == name);

        var text = Help([.. name.Split(' '), "--help"]);

        Assert.All(verb.Options, option => Assert.Contains($"\n  {option.Name}", text, StringComparison.Ordinal));
        Assert.All(verb.Examples, example => Assert.Contains(example.Line, text, StringComparison.Ordinal));
        Assert.Contains("Usage: fumidai " + name, text, StringComparison.Ordinal);
        Assert.All(text.Split('\n'), line => Assert.InRange(line.Length, 0, 100));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Examples_of_a_verb_can_be_typed(string name)
    {
        var verb = Verbs.All.Single(v => v.Name == name);

        foreach (var (line, _) in verb.Examples)
        {
            // What a shell would make of it, for the part that is ours.
            var ours = line.Split(" | ")[0].Split("; ")[^1];
            var words = ours.Replace("sudo ", "", StringComparison.Ordinal).Replace("'", "", StringComparison.Ordinal).Split(' ');
            Assert.Equal("fumidai", words[0]);
            Assert.IsType<Parsed.Command>(CommandLine.Parse(words[1..]));
        }
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("-?")]
    [InlineData("help")]
    public void Help_lists_every_verb(string word)
    {
        var text = Help([word]);

        // A verb stands two blanks in; what follows it at a fixed column goes on deeper.
        var listed = text[text.IndexOf("\nVerbs\n", StringComparison.Ordinal)..text.IndexOf("\n\nA TARGET", StringComparison.Ordinal)]
            .Split('\n').Where(l => l.StartsWith("  ", StringComparison.Ordinal) && l[2] != ' ').Select(l => l[2..].Split("  ")[0]);
        Assert.Equal(Verbs.All.Select(v => v.Name), listed);
    }

    [Theory]
    [InlineData("connect", "-h")]
    [InlineData("help", "connect")]
    [InlineData("connect", "a", "b", "c", "--help")]
    [InlineData("connect", "--help", "--", "x")]
    public void Help_may_be_asked_for_in_several_ways(params string[] words) =>
        Assert.StartsWith("fumidai connect: ", Help(words), StringComparison.Ordinal);

    [Fact]
    public void Help_after_two_dashes_is_the_client_s() =>
        Assert.IsType<Parsed.Command>(CommandLine.Parse(["connect", "--", "--help"]));

    private static string Help(string[] words) => Assert.IsType<Parsed.Text>(CommandLine.Parse(words)).Content;
}
