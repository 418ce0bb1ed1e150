using System.Xml.Linq;
using Xunit;

namespace Fumidai.Architecture.Tests;

/// <summary>The arrows of ARCHITECTURE.md, read from the project files.</summary>
public sealed class DependencyArrowsTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Fumidai.SessionManager"] = [],
        ["Fumidai.Postgres"] = [],
        ["Fumidai.Aws"] = ["Fumidai.SessionManager"],
        ["Fumidai"] = ["Fumidai.Aws", "Fumidai.SessionManager", "Fumidai.Postgres"],
        ["Fumidai.Npgsql"] = ["Fumidai"],
        ["Fumidai.Hosting"] = ["Fumidai", "Fumidai.Npgsql"],
        ["Fumidai.Lab"] = ["Fumidai.SessionManager", "Fumidai.Postgres"],
        ["Fumidai.Stacks"] = ["Fumidai.Aws"],
        ["Fumidai.Cli"] = ["Fumidai", "Fumidai.Lab", "Fumidai.Stacks"],
    };

    [Fact]
    public void Every_project_under_src_points_only_where_the_architecture_allows()
    {
        var projects = Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories);
        Assert.NotEmpty(projects);
        foreach (var path in projects)
        {
            var name = Path.GetFileNameWithoutExtension(path);
            Assert.True(Allowed.TryGetValue(name, out var allowed), $"{name} is not in ARCHITECTURE.md's arrows");
            var references = XDocument.Load(path).Descendants("ProjectReference")
                .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
            Assert.All(references, r => Assert.Contains(r, allowed!));
        }
    }

    [Fact]
    public void Session_manager_knows_no_AWS_SDK_and_Postgres_knows_nothing()
    {
        foreach (var name in new[] { "Fumidai.SessionManager", "Fumidai.Postgres" })
        {
            var project = XDocument.Load(Path.Combine(Repository.Root, "src", name, name + ".csproj"));
            Assert.DoesNotContain(project.Descendants("PackageReference"), p => p.Attribute("Include")!.Value.StartsWith("AWSSDK", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Internals_are_visible_only_to_a_project_s_own_tests_and_the_bench()
    {
        foreach (var path in Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            var friends = XDocument.Load(path).Descendants("InternalsVisibleTo").Select(i => i.Attribute("Include")!.Value);
            // The verbs about stacks are tested against the lab in the same process, whose account is looked into.
            var own = name == "Fumidai.Lab" ? new[] { "Fumidai.Lab.Tests", "Fumidai.Cli.Tests", "Fumidai.Bench" } : [name + ".Tests", "Fumidai.Bench"];
            Assert.All(friends, f => Assert.Contains(f, own));
        }
    }
}
