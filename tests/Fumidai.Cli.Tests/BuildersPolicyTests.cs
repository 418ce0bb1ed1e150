using System.Text.Json.Nodes;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary>
/// What <c>fumidai policy --for up</c> prints, attached to somebody who may do nothing else: the whole job works with it, and does not with any of its
/// statements left out.
/// </summary>
public sealed class BuildersPolicyTests
{
    [Theory]
    [InlineData("--pattern", "private")]
    [InlineData("--pattern", "public")]
    [InlineData("--pattern", "both")]
    [InlineData("--pattern", "both", "--endpoints", "nat", "--final-snapshot", "off")]
    [InlineData("--endpoints", "none", "--deletion-protection", "off")]
    [InlineData("--endpoints", "ssm,ssmmessages,ec2messages,s3")]
    public async Task It_is_enough_to_build_change_look_and_take_down(params string[] options)
    {
        await using var lab = await StackLab.StartAsync();
        lab.Allow(await PolicyAsync(lab, options));
        string[][] job =
        [
            ["up", .. options, "--dry-run"],
            ["up", .. options, "--yes"],
            ["up", .. options, "--yes"],
            ["up", "--max-acu", "4", "--yes"],
            ["status"],
            ["down", "--yes"],
            ["down", "--yes"],
        ];
        var before = lab.Inventory();
        foreach (var step in job)
        {
            var ran = await lab.HereAsync(step);
            Assert.True(ran.ExitCode == 0, $"{string.Join(' ', step)}: {ran}");
            Assert.DoesNotContain("not authorized", ran.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("not known:", ran.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("is connected is not known", ran.ToString(), StringComparison.Ordinal);
        }
        Assert.Equal(before, lab.Inventory());
    }

    [Fact]
    public async Task It_is_enough_to_lead_to_a_cluster_that_is_there_already()
    {
        await using var lab = await StackLab.StartAsync(isEmpty: false);
        string[] options = ["--cluster", "app", "--pattern", "both", "--endpoints", "none"];
        lab.Allow(await PolicyAsync(lab, options));
        var before = lab.Inventory();
        foreach (var step in new string[][] { ["up", .. options, "--yes"], ["status"], ["down", "--yes"] })
        {
            var ran = await lab.HereAsync(step);
            Assert.True(ran.ExitCode == 0, $"{string.Join(' ', step)}: {ran}");
        }
        Assert.Equal(before, lab.Inventory());
    }

    [Theory]
    [InlineData("Stack", "Look", "Image", "Network", "Nat", "Groups", "Bastions", "Tags", "Role", "RolePolicy", "Profile", "GiveRole", "Database", "Snapshot", "MasterSecret", "Key", "ServiceRole")]
    [InlineData("Endpoints", "PrivateNames")]
    public async Task Without_any_one_statement_the_job_ends_with_4_and_names_what_was_refused(params string[] statements)
    {
        await using var lab = await StackLab.StartAsync();
        string[] options = statements.Contains("Nat") ? ["--pattern", "both", "--endpoints", "nat"] : ["--pattern", "private"];
        var policy = await PolicyAsync(lab, options);
        var all = Sids(policy);
        Assert.Subset(all.ToHashSet(StringComparer.Ordinal), statements.ToHashSet(StringComparer.Ordinal));
        if (statements.Contains("Nat"))
            Assert.Equal(all.Order(StringComparer.Ordinal), statements.Order(StringComparer.Ordinal));
        foreach (var sid in statements)
        {
            // AWS keeps this role after an account's first cluster; the one of the test before must not help this one.
            lab.Change(m => m.Roles.Remove("111122223333/AWSServiceRoleForRDS"));
            var (without, actions) = Without(policy, sid);
            lab.Allow(without);
            var ran = await JobAsync(lab, options);
            Assert.True(ran.ExitCode == 4, $"without {sid}: {ran}");
            Assert.True(actions.Any(a => ran.ErrorLines[^1].Contains(a, StringComparison.Ordinal)), $"without {sid}, none of {string.Join(", ", actions)} is named: {ran}");

            // With all of it, what was left half-way can be taken down.
            lab.Allow(policy);
            var down = await lab.HereAsync("down", "--yes");
            Assert.True(down.ExitCode == 0, $"after {sid}: {down}");
            lab.Allow(null);
        }
        Assert.DoesNotContain("fumidai", lab.Inventory(), StringComparison.Ordinal);
    }

    /// <summary>Up, then down; the first that fails.</summary>
    private static async Task<InProcess> JobAsync(StackLab lab, string[] options)
    {
        var up = await lab.HereAsync(["up", .. options, "--yes"]);
        return up.ExitCode != 0 ? up : await lab.HereAsync("down", "--yes");
    }

    private static async Task<string> PolicyAsync(StackLab lab, string[] options)
    {
        var printed = await lab.HereAsync(["policy", "--for", "up", .. options]);
        Assert.True(printed.ExitCode == 0, printed.ToString());
        return printed.Output;
    }

    private static string[] Sids(string policy) => [.. JsonNode.Parse(policy)!["Statement"]!.AsArray().Select(s => (string)s!["Sid"]!)];

    private static (string Policy, string[] Actions) Without(string policy, string sid)
    {
        var document = JsonNode.Parse(policy)!;
        var statements = document["Statement"]!.AsArray();
        var gone = statements.Single(s => (string?)s!["Sid"] == sid)!;
        statements.Remove(gone);
        return (document.ToJsonString(), gone["Action"] is JsonArray many ? [.. many.Select(a => (string)a!)] : [(string)gone["Action"]!]);
    }
}
