using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Fumidai.Tests;

/// <summary>What the documents promise and what the code does are the same.</summary>
public sealed partial class DocumentsTests
{
    private static readonly string Root = Find();

    private static string Document(string name) => File.ReadAllText(Path.Combine(Root, "docs", name));

    private static IEnumerable<string> Properties(JsonElement schema) => schema.GetProperty("properties").EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal);

    [Fact]
    public void The_schema_knows_the_keys_that_the_file_may_have()
    {
        using var schema = JsonDocument.Parse(Document("fumidai.schema.json"));
        var definitions = schema.RootElement.GetProperty("$defs");
        Assert.Equal(SettingsFile.TopKeys, Properties(schema.RootElement));
        Assert.Equal(SettingsFile.TargetKeys, Properties(definitions.GetProperty("target")));
        Assert.Equal(SettingsFile.BastionKeys, Properties(definitions.GetProperty("bastion").GetProperty("oneOf")[1]));
    }

    [Fact]
    public void Every_key_and_every_variable_is_explained()
    {
        var text = Document("configuration.md");
        Assert.All(SettingsFile.TopKeys.Concat(SettingsFile.TargetKeys).Where(k => k != "targets"), key => Assert.Contains($"| `{key}` |", text, StringComparison.Ordinal));
        Assert.All(SettingsLoading.Variables, variable => Assert.Contains($"`{variable}`", text, StringComparison.Ordinal));
        Assert.Equal(SettingsLoading.Variables, Variable().Matches(text).Select(m => m.Value).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_example_of_the_document_is_a_file_that_loads()
    {
        using var folder = new Requests.Folder();
        var example = Document("configuration.md").Split("```yaml\n")[1].Split("```")[0];
        folder.Write("fumidai.yaml", example);
        var settings = Settings.Load(new(), folder.Path, _ => null);
        Assert.Equal(["app", "reports", "cache"], settings.Targets.Keys);
    }

    [Fact]
    public void Every_event_of_a_tunnel_is_documented_and_no_other()
    {
        var told = Directory.GetFiles(Path.Combine(Root, "src", "Fumidai"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(f => Told().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).Distinct().Order(StringComparer.Ordinal).ToArray();
        Assert.Contains("ready", told);
        var section = Document("events.md").Split("## Of a tunnel")[1].Split("\n## ")[0];
        Assert.Equal(told, Row().Matches(section).Select(m => m.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Fumidai.slnx")))
                return folder.FullName;
        }
        throw new InvalidOperationException("no checkout above the tests");
    }

    [GeneratedRegex(@"Tell\(\s*""(\w+)""")]
    private static partial Regex Told();

    [GeneratedRegex(@"^\| `(\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"FUMIDAI_[A-Z_]+")]
    private static partial Regex Variable();
}
