using System.Text.RegularExpressions;
using Xunit;

namespace Fumidai.Architecture.Tests;

/// <summary>The two READMEs say the same, and what they point to exists.</summary>
public sealed partial class PapersTests
{
    [Fact]
    public void Both_READMEs_have_the_same_headings_code_and_links()
    {
        var english = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var japanese = File.ReadAllText(Path.Combine(Repository.Root, "README.ja.md"));

        Assert.Equal(Heading().Count(english), Heading().Count(japanese));
        Assert.Equal(Fence().Matches(english).Select(m => m.Value), Fence().Matches(japanese).Select(m => m.Value));
        Assert.Equal(Link().Matches(english).Select(m => m.Groups[1].Value), Link().Matches(japanese).Select(m => m.Groups[1].Value));
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("README.ja.md")]
    [InlineData("ARCHITECTURE.md")]
    [InlineData("CONTRIBUTING.md")]
    public void Every_local_link_leads_to_a_file(string paper)
    {
        var links = Link().Matches(File.ReadAllText(Path.Combine(Repository.Root, paper))).Select(m => m.Groups[1].Value).Where(l => !l.Contains("://", StringComparison.Ordinal));

        Assert.All(links, l => Assert.True(File.Exists(Path.Combine(Repository.Root, l)), $"{paper} points to {l}"));
    }

    [Fact]
    public void Every_file_the_architecture_names_exists()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "ARCHITECTURE.md"));
        var table = text[text.IndexOf("## Where is", StringComparison.Ordinal)..text.IndexOf("## The lab", StringComparison.Ordinal)];
        string? folder = null;
        var named = 0;
        foreach (Match match in Code().Matches(table))
        {
            var name = match.Groups[1].Value;
            if (name.Contains('/', StringComparison.Ordinal))
            {
                var project = name[..name.IndexOf('/', StringComparison.Ordinal)];
                var path = Path.Combine(Repository.Root, "src", project == "Fumidai" ? "Fumidai" : "Fumidai." + project, name[(project.Length + 1)..]);
                folder = Path.GetDirectoryName(path);
                Assert.True(File.Exists(path) || Directory.Exists(path), $"ARCHITECTURE.md names {name}");
                named++;
            }
            else if (name.EndsWith(".cs", StringComparison.Ordinal))
            {
                Assert.True(File.Exists(Path.Combine(folder!, name)), $"ARCHITECTURE.md names {name}");
                named++;
            }
        }
        Assert.True(named > 10, "the table was not read");
    }

    [GeneratedRegex("^#+ ", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\(([^)#]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
