using CsCheck;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary>Editing somebody's fumidai.yaml: only the one entry changes, and taking it out gives the file back as it was.</summary>
public sealed class TargetsTextTests
{
    private static readonly string Mark = TargetsText.Mark("app", "ap-northeast-1");

    private static readonly string Entry = $"  app: {Mark}\n    target: cluster/app-x1\n";

    public static TheoryData<string, string> Added => new()
    {
        { "", "targets:\n" + Entry },
        { "# only a comment\n", "# only a comment\ntargets:\n" + Entry },
        { "region: eu-west-1 # here\n", "region: eu-west-1 # here\n\ntargets:\n" + Entry },
        { "region: eu-west-1", "region: eu-west-1\n\ntargets:\n" + Entry },
        { "targets:\n", "targets:\n" + Entry },
        { "targets: # mine\nregion: eu-west-1\n", "targets: # mine\n" + Entry + "region: eu-west-1\n" },
        { "targets:\n  # before\n  a: # one\n    target: cluster/a # end\n  # after\n\nregion: x-1\n", "targets:\n  # before\n  a: # one\n    target: cluster/a # end\n" + Entry + "  # after\n\nregion: x-1\n" },
        { "targets:\n    a:\n        target: cluster/a\n", $"targets:\n    a:\n        target: cluster/a\n    app: {Mark}\n      target: cluster/app-x1\n" },
        { "targets:\n  a: {target: cluster/a,\n    via: ssm}\nregion: x-1\n", "targets:\n  a: {target: cluster/a,\n    via: ssm}\n" + Entry + "region: x-1\n" },
        { "targets:\n  a:\n    target: cluster/a\n    bastion:\n      id: i-1\n      user: u", "targets:\n  a:\n    target: cluster/a\n    bastion:\n      id: i-1\n      user: u\n" + Entry },
    };

    [Theory]
    [MemberData(nameof(Added))]
    public void An_entry_goes_behind_the_others_and_leaves_every_line_as_it_was(string before, string after)
    {
        var (outcome, text) = TargetsText.Add(before, "app", "cluster/app-x1", null, Mark);

        Assert.Equal(EntryOutcome.Written, outcome);
        Assert.Equal(after, text);
        Assert.Equal((EntryOutcome.Present, text), TargetsText.Add(text, "app", "cluster/app-x1", null, Mark));
    }

    [Theory]
    [MemberData(nameof(Added))]
    public void Taking_it_out_gives_the_file_back(string before, string after)
    {
        var (removed, text) = TargetsText.Remove(after, Mark);

        Assert.Equal(["app"], removed);
        var hadTargets = before.Contains("targets:", StringComparison.Ordinal);
        // A “targets:” that would stay empty goes, unless somebody wrote something beside it; and a last line keeps the end it was given.
        Assert.Equal((hadTargets ? before.Replace("targets:\n", before.StartsWith("targets:\n  ", StringComparison.Ordinal) ? "targets:\n" : "", StringComparison.Ordinal) : before).TrimEnd('\n'), text.TrimEnd('\n'));
    }

    [Fact]
    public void Line_ends_of_Windows_stay()
    {
        var (_, text) = TargetsText.Add("targets:\r\n  a:\r\n    target: cluster/a\r\n", "app", "cluster/b", "s3cr", Mark);

        Assert.Equal($"targets:\r\n  a:\r\n    target: cluster/a\r\n  app: {Mark}\r\n    target: cluster/b\r\n    secret: s3cr\r\n", text);
    }

    [Theory]
    [InlineData("targets: {a: {target: cluster/a}}\n")]
    [InlineData("{targets: {}}\n")]
    [InlineData("targets: {}\n")]
    [InlineData("targets: ~\n")]
    [InlineData("region: x-1\n...\n")]
    public void What_is_written_in_another_way_is_left_alone(string text) =>
        Assert.Equal((EntryOutcome.Refused, text), TargetsText.Add(text, "app", "cluster/x", null, Mark));

    [Fact]
    public void A_name_of_the_user_s_own_is_not_taken_away()
    {
        const string Text = "targets:\n  app:\n    target: cluster/other\n";

        Assert.Equal((EntryOutcome.Taken, Text), TargetsText.Add(Text, "app", "cluster/x", null, Mark));
        Assert.Equal(([], Text), TargetsText.Remove(Text, Mark) is var (removed, text) ? (removed.ToArray(), text) : default);
    }

    [Fact]
    public void An_entry_of_ours_follows_a_cluster_that_was_replaced_and_keeps_what_was_added_to_it()
    {
        var before = $"targets:\n  app: {Mark}\n    target: cluster/old # the one\n    port: 15432\n";

        Assert.Equal((EntryOutcome.Written, before.Replace("old", "new", StringComparison.Ordinal)), TargetsText.Add(before, "app", "cluster/new", null, Mark));
    }

    [Fact]
    public void Entries_of_another_stack_or_region_stay()
    {
        var text = $"targets:\n  a: {TargetsText.Mark("app", "eu-west-1")}\n    target: cluster/a\n  b: {TargetsText.Mark("app2", "ap-northeast-1")}\n    target: cluster/b\n";

        Assert.Equal(text, TargetsText.Remove(text, Mark).Text);
    }

    [Fact]
    public void A_file_of_ours_alone_is_known()
    {
        var text = TargetsText.New([("region", "ap-northeast-1"), ("profile", "a: b")], "app", "cluster/x", null, Mark);

        Assert.Contains("profile: 'a: b'\n", text, StringComparison.Ordinal);
        Assert.True(TargetsText.IsAllOurs(TargetsText.Remove(text, Mark).Text));
        Assert.False(TargetsText.IsAllOurs(TargetsText.Remove(text + "my_ip_url: http://x/\n", Mark).Text));
        Assert.False(TargetsText.IsAllOurs(text));
        Assert.False(TargetsText.IsAllOurs("region: x-1\n"));
    }

    [Fact]
    public void Whatever_stands_in_the_file_adding_and_taking_out_gives_it_back() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[2, 4], Gen.Bool, Gen.Bool, Gen.OneOf(Gen.Const(""), Gen.Const("# c\n"), Gen.Const("region: x-1 # r\n"), Gen.Const("\n\n# c\n\n"))).Sample((entries, indent, comments, blank, tail) =>
        {
            var space = new string(' ', indent);
            var text = "# top\nvia: ssm\n" + (entries == 0 ? "" : "targets:\n") + string.Concat(Enumerable.Range(0, entries).Select(i =>
                $"{(comments ? $"{space}# {i}\n" : "")}{space}t{i}:{(comments ? " # x" : "")}\n{space}  target: cluster/c{i}\n{(i % 2 == 0 ? $"{space}  port: {i}\n" : "")}{(blank ? "\n" : "")}")) + tail;

            var (outcome, added) = TargetsText.Add(text, "app", "cluster/x", null, Mark);
            var (removed, back) = TargetsText.Remove(added, Mark);

            return outcome == EntryOutcome.Written && removed.Count == 1 && back.TrimEnd('\n') == text.TrimEnd('\n');
        });
}
