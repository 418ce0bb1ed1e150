using System.Text.Json;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary>up, status and down against an account in memory.</summary>
public sealed class StackVerbsTests : IAsyncDisposable
{
    private readonly FakeStacks _aws = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("fumidai-up-").FullName;

    private string Yaml => Path.Combine(_folder, "fumidai.yaml");

    public async ValueTask DisposeAsync()
    {
        await _aws.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Up_builds_says_the_price_first_names_the_target_and_prints_how_to_connect()
    {
        var ran = await _aws.RunAsync(_folder, "up", "--pattern", "both", "--yes");

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Equal($"fumidai connect fumidai --endpoint-url {_aws.Url}\n", ran.Output);
        Assert.Equal("CREATE_COMPLETE", _aws.Status);
        Assert.Equal("203.0.113.7/32", _aws.Parameters["CallerCidr"]);
        Assert.Contains("SSH from 203.0.113.7/32 only", ran.Error, StringComparison.Ordinal);
        Assert.Matches(@"a month idle, nobody connects: \d+\.\d\d USD \(ap-northeast-1, prices of 2026", ran.Error);
        Assert.True(ran.Error.IndexOf("a month in use", StringComparison.Ordinal) < ran.Error.IndexOf("created  Vpc", StringComparison.Ordinal), ran.Error);
        Assert.Contains("Cannot be undone", ran.Error, StringComparison.Ordinal);
        var settings = Settings.Load(new CommandLineSettings(), _folder, _ => null);
        Assert.Equal("cluster/fumidai-cluster-x1", settings.Targets["fumidai"].Target);
        Assert.Equal("ap-northeast-1", settings.Aws.Region);
    }

    [Fact]
    public async Task Up_twice_changes_nothing()
    {
        await _aws.RunAsync(_folder, "up", "--yes");
        var yaml = File.ReadAllText(Yaml);

        var again = await _aws.RunAsync(_folder, "up", "--yes");

        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Contains("nothing to change", again.Error, StringComparison.Ordinal);
        Assert.Single(_aws.Of("ExecuteChangeSet"));
        Assert.Equal(yaml, File.ReadAllText(Yaml));
    }

    [Fact]
    public async Task The_file_that_config_names_is_made_by_up_and_removed_by_down_which_can_be_said_twice()
    {
        var named = Path.Combine(_folder, "team", "stacks.yaml");

        var up = await _aws.RunAsync(_folder, "up", "--yes", "--config", named);
        Assert.True(up.ExitCode == 0, up.ToString());
        Assert.Equal($"fumidai connect fumidai --endpoint-url {_aws.Url} --config {named}\n", up.Output);
        Assert.Equal("cluster/fumidai-cluster-x1", Settings.Load(new CommandLineSettings { Config = named }, _folder, _ => null).Targets["fumidai"].Target);

        for (var i = 0; i < 2; i++)
        {
            var down = await _aws.RunAsync(_folder, "down", "--yes", "--config", named);
            Assert.True(down.ExitCode == 0, down.ToString());
            Assert.False(File.Exists(named));
        }
    }

    [Theory]
    [InlineData("up")]
    [InlineData("down")]
    public async Task What_a_killed_run_left_beside_the_file_is_swept_away_by_the_next_and_nothing_else_is(string verb)
    {
        await _aws.RunAsync(_folder, "up", "--yes");
        // Above every pid there can be.
        var left = Yaml + ".2000000000.tmp";
        string[] others = [Yaml + ".bak.tmp", Yaml + ".tmp", Yaml + "." + Environment.ProcessId + ".tmpx"];
        foreach (var path in others.Prepend(left))
            await File.WriteAllTextAsync(path, "half", TestContext.Current.CancellationToken);

        var next = await _aws.RunAsync(_folder, verb, "--yes");

        Assert.True(next.ExitCode == 0, next.ToString());
        Assert.False(File.Exists(left));
        Assert.All(others, path => Assert.True(File.Exists(path), path));
    }

    [Fact]
    public async Task A_second_up_changes_what_it_says_and_keeps_the_rest()
    {
        await _aws.RunAsync(_folder, "up", "--pattern", "both", "--endpoints", "none", "--tag", "team=data", "--min-acu", "0.5", "--yes");

        var again = await _aws.RunAsync(_folder, "up", "--max-acu", "8", "--yes");

        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Equal(("0.5", "8"), (_aws.Parameters["MinAcu"], _aws.Parameters["MaxAcu"]));
        Assert.Contains("PublicBastion", _aws.Resources);
        Assert.DoesNotContain("SsmEndpoint", _aws.Resources);
        var form = _aws.Of("CreateChangeSet").Last().Form;
        Assert.Contains("team", form.Where(f => f.Key.StartsWith("Tags.", StringComparison.Ordinal)).Select(f => f.Value));
    }

    [Fact]
    public async Task Without_a_terminal_and_without_yes_the_summary_is_shown_and_nothing_built()
    {
        var ran = await _aws.RunAsync(_folder, "up");

        Assert.Equal(2, ran.ExitCode);
        Assert.Contains("Creates", ran.Error, StringComparison.Ordinal);
        Assert.Contains("Add --yes", ran.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Empty(_aws.Of("CreateChangeSet"));
        Assert.False(File.Exists(Yaml));
    }

    [Fact]
    public async Task A_dry_run_prints_change_set_and_price_and_leaves_nothing()
    {
        var ran = await _aws.RunAsync(_folder, "up", "--dry-run");

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Contains("+ Cluster  AWS::RDS::DBCluster", ran.Output, StringComparison.Ordinal);
        Assert.Contains("Interface endpoints: 1460 × 0.014", ran.Output, StringComparison.Ordinal);
        Assert.Equal("DELETE_COMPLETE", _aws.Status);
        Assert.Single(_aws.Of("DeleteChangeSet"));
        Assert.Empty(_aws.Of("ExecuteChangeSet"));
        Assert.False(File.Exists(Yaml));
    }

    [Fact]
    public async Task On_a_terminal_it_asks_what_was_not_said_and_the_summary_comes_last()
    {
        var somebody = new ScriptedAnswers("private", "a public subnet", "keep 0.5", "y");

        var ran = await _aws.RunAsync(_folder, somebody, "up");

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Equal(["Which bastion?", "How does the private bastion reach Session Manager?", "When nobody uses the database?", "Build it? [y/N]"], somebody.Asked);
        Assert.Equal("0.5", _aws.Parameters["MinAcu"]);
        Assert.DoesNotContain("SsmEndpoint", _aws.Resources);
    }

    [Fact]
    public async Task Whoever_says_no_gets_nothing_built()
    {
        var ran = await _aws.RunAsync(_folder, new ScriptedAnswers("n"), "up", "--pattern", "private", "--endpoints", "nat", "--min-acu", "0");

        Assert.Equal(1, ran.ExitCode);
        Assert.Null(_aws.Status);
    }

    [Fact]
    public async Task A_creation_that_fails_is_told_with_the_resource_s_own_reason_and_the_next_up_begins_anew()
    {
        _aws.Fails = ("Writer", "Resource handler returned message: \"You have reached your quota (Service: Rds, Status Code: 400)\" (RequestToken: x, HandlerErrorCode: y)");
        var failed = await _aws.RunAsync(_folder, "up", "--yes");
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("Writer (AWS::RDS::DBInstance): You have reached your quota", failed.ErrorLines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(Yaml));

        _aws.Fails = null;
        var again = await _aws.RunAsync(_folder, "up", "--yes");

        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Equal("CREATE_COMPLETE", _aws.Status);
    }

    [Fact]
    public async Task An_up_that_was_interrupted_is_followed_and_finished_by_the_next()
    {
        (_aws.Steps, _aws.StopsWhileBusy) = (3, true);
        var first = await _aws.RunAsync(_folder, "up", "--yes");
        Assert.Equal(130, first.ExitCode);
        Assert.Contains("CloudFormation goes on with fumidai", first.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Equal("CREATE_IN_PROGRESS", _aws.Status);
        Assert.False(File.Exists(Yaml));

        _aws.StopsWhileBusy = false;
        var next = await _aws.RunAsync(_folder, "up", "--yes");

        Assert.True(next.ExitCode == 0, next.ToString());
        Assert.Contains("following that first", next.Error, StringComparison.Ordinal);
        Assert.Contains("nothing to change", next.Error, StringComparison.Ordinal);
        Assert.Single(_aws.Of("ExecuteChangeSet"));
        Assert.True(File.Exists(Yaml));
    }

    [Fact]
    public async Task An_up_that_was_interrupted_can_be_taken_down()
    {
        (_aws.Steps, _aws.StopsWhileBusy) = (3, true);
        await _aws.RunAsync(_folder, "up", "--yes");
        _aws.StopsWhileBusy = false;

        var ran = await _aws.RunAsync(_folder, "down", "--yes");

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Equal("DELETE_COMPLETE", _aws.Status);
    }

    [Fact]
    public async Task A_stack_of_somebody_else_is_left_alone()
    {
        await _aws.RunAsync(_folder, "up", "--yes");
        _aws.Instead = request => request.Operation == "DescribeStacks"
            ? Aws.Tests.FakeAnswer.Xml("<r><DescribeStacksResult><Stacks><member><StackId>arn:x</StackId><StackName>fumidai</StackName><StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks></DescribeStacksResult></r>") : null;

        foreach (var verb in (string[])["up", "down"])
        {
            var ran = await _aws.RunAsync(_folder, verb, "--yes");
            Assert.Equal(2, ran.ExitCode);
            Assert.Contains("fumidai did not make it", Assert.Single(ran.ErrorLines), StringComparison.Ordinal);
        }
        Assert.Empty(_aws.Of("DeleteStack"));
    }

    [Fact]
    public async Task A_change_that_loses_data_needs_more_than_a_yes()
    {
        await _aws.RunAsync(_folder, "up", "--yes");
        _aws.Instead = request => request.Operation == "DescribeChangeSet"
            ? Aws.Tests.FakeAnswer.Xml("<r><DescribeChangeSetResult><Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus><Changes><member><ResourceChange><Action>Modify</Action><LogicalResourceId>Cluster</LogicalResourceId><ResourceType>AWS::RDS::DBCluster</ResourceType><Replacement>True</Replacement></ResourceChange></member></Changes></DescribeChangeSetResult></r>") : null;

        var ran = await _aws.RunAsync(_folder, "up", "--database", "other", "--yes");
        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("the data with it", ran.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Single(_aws.Of("ExecuteChangeSet"));

        await _aws.RunAsync(_folder, new ScriptedAnswers("yes"), "up", "--database", "other");
        Assert.Single(_aws.Of("ExecuteChangeSet"));
        await _aws.RunAsync(_folder, new ScriptedAnswers("fumidai"), "up", "--database", "other");
        Assert.Equal(2, _aws.Of("ExecuteChangeSet").Count());
    }

    [Fact]
    public async Task My_ip_changes_the_one_rule_and_a_second_time_nothing()
    {
        await _aws.RunAsync(_folder, "up", "--pattern", "public", "--yes");
        _aws.MyIp = "198.51.100.9";

        var ran = await _aws.RunAsync(_folder, "up", "--my-ip");
        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Equal("198.51.100.9/32", _aws.Parameters["CallerCidr"]);
        var again = await _aws.RunAsync(_folder, "up", "--my-ip");
        Assert.Contains("already", again.Error, StringComparison.Ordinal);
        Assert.Equal(2, _aws.Of("ExecuteChangeSet").Count());
    }

    [Theory]
    [InlineData("private", 2)]
    [InlineData(null, 5)]
    public async Task My_ip_needs_a_public_bastion(string? pattern, int code)
    {
        if (pattern is not null)
            await _aws.RunAsync(_folder, "up", "--pattern", pattern, "--yes");

        Assert.Equal(code, (await _aws.RunAsync(_folder, "up", "--my-ip")).ExitCode);
    }

    [Fact]
    public async Task Down_says_what_goes_and_stays_deletes_and_takes_its_entry_and_its_file_away()
    {
        await _aws.RunAsync(_folder, "up", "--yes");

        var asked = await _aws.RunAsync(_folder, "down");
        Assert.Equal(2, asked.ExitCode);
        Assert.Contains("Cluster  AWS::RDS::DBCluster", asked.Error, StringComparison.Ordinal);
        Assert.Contains("One final snapshot", asked.Error, StringComparison.Ordinal);
        Assert.Equal("CREATE_COMPLETE", _aws.Status);
        Assert.Equal(1, (await _aws.RunAsync(_folder, new ScriptedAnswers("yes"), "down")).ExitCode);
        Assert.Equal("CREATE_COMPLETE", _aws.Status);

        var ran = await _aws.RunAsync(_folder, new ScriptedAnswers("fumidai"), "down");

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Equal("DELETE_COMPLETE", _aws.Status);
        Assert.Contains("Nothing is left that carries its tag", ran.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Yaml));
        var again = await _aws.RunAsync(_folder, "down", "--yes");
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Contains("There is no stack fumidai", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_down_killed_at_its_end_is_finished_by_the_next()
    {
        await File.WriteAllTextAsync(Yaml, "# mine\ntargets:\n  own: # keep\n    target: cluster/own\n", TestContext.Current.CancellationToken);
        await _aws.RunAsync(_folder, "up", "--yes");
        var with = await File.ReadAllTextAsync(Yaml, TestContext.Current.CancellationToken);
        await _aws.RunAsync(_folder, "down", "--yes");
        // The stack is gone, the entry was not reached.
        await File.WriteAllTextAsync(Yaml, with, TestContext.Current.CancellationToken);

        var next = await _aws.RunAsync(_folder, "down", "--yes");

        Assert.True(next.ExitCode == 0, next.ToString());
        Assert.Equal("# mine\ntargets:\n  own: # keep\n    target: cluster/own\n", await File.ReadAllTextAsync(Yaml, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_deletion_under_way_is_followed()
    {
        await _aws.RunAsync(_folder, "up", "--yes");
        (_aws.Steps, _aws.StopsWhileBusy) = (3, true);
        Assert.Equal(130, (await _aws.RunAsync(_folder, "down", "--yes")).ExitCode);
        Assert.Equal("DELETE_IN_PROGRESS", _aws.Status);
        _aws.StopsWhileBusy = false;

        var next = await _aws.RunAsync(_folder, "down", "--yes");

        Assert.True(next.ExitCode == 0, next.ToString());
        Assert.Single(_aws.Of("DeleteStack"));
        Assert.False(File.Exists(Yaml));
    }

    [Fact]
    public async Task Down_names_what_still_carries_the_tag()
    {
        await _aws.RunAsync(_folder, "up", "--yes");
        _aws.Tagged.Add("arn:aws:rds:ap-northeast-1:111122223333:cluster-snapshot:final");

        var ran = await _aws.RunAsync(_folder, "down", "--yes");

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Contains("Stays: arn:aws:rds:ap-northeast-1:111122223333:cluster-snapshot:final", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_shows_resources_drift_bastion_sessions_and_cost()
    {
        await _aws.RunAsync(_folder, "up", "--yes");

        var ran = await _aws.RunAsync(_folder, "status");

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Contains("fumidai: CREATE_COMPLETE, complete (ap-northeast-1)", ran.Output, StringComparison.Ordinal);
        Assert.Matches(@"Cluster +RDS::DBCluster +CREATE_COMPLETE +cluster-x1", ran.Output);
        Assert.Contains("BastionGroup (sg-1) /GroupDescription: a in the template, b in fact", ran.Output, StringComparison.Ordinal);
        Assert.Contains("i-1 running, agent not registered, 1 connected", ran.Output, StringComparison.Ordinal);
        Assert.Contains("alice since 2026-11-24", ran.Output, StringComparison.Ordinal);
        Assert.Matches(@"cost +0\.03\d\d USD an hour as it runs now, \d+\.\d\d USD today at that rate \(ap-northeast-1, prices of 2026", ran.Output);
        Assert.Empty(ran.Error);
    }

    [Fact]
    public async Task Status_for_programs_is_one_array()
    {
        Assert.Equal("[]\n", (await _aws.RunAsync(_folder, "status", "--json")).Output);
        await _aws.RunAsync(_folder, "up", "--yes");

        using var json = JsonDocument.Parse((await _aws.RunAsync(_folder, "status", "--json", "--no-drift")).Output);

        var stack = json.RootElement[0];
        Assert.Equal("cluster/fumidai-cluster-x1", stack.GetProperty("target").GetString());
        Assert.Equal(JsonValueKind.Null, stack.GetProperty("drift").ValueKind);
        Assert.Equal("running", stack.GetProperty("bastions")[0].GetProperty("state").GetString());
        Assert.True(stack.GetProperty("cost").GetProperty("usd_hour").GetDecimal() > 0.02m);
    }

    [Fact]
    public async Task Status_of_a_stack_that_is_not_there_is_not_found() =>
        Assert.Equal(5, (await _aws.RunAsync(_folder, "status", "--name", "nope")).ExitCode);

    [Fact]
    public async Task Events_for_programs_are_one_object_a_line()
    {
        var ran = await _aws.RunAsync(_folder, "up", "--yes", "--json");

        var kinds = ran.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("event").GetString()).ToArray();
        Assert.Equal(["plan", "resource", "stack_ready", "target"], kinds.Distinct());
        Assert.Empty(ran.Error);
    }

    [Theory]
    [InlineData("cloudformation", "fumidai.template.yaml", "AWSTemplateFormatVersion")]
    [InlineData("terraform", "fumidai.tf", "resource \"aws_rds_cluster\"")]
    public async Task An_export_writes_files_and_asks_AWS_nothing(string format, string file, string text)
    {
        var ran = await InProcess.RunAsync(["up", "--export", format, "--dir", "out"], folder: _folder);

        Assert.True(ran.ExitCode == 0, ran.ToString());
        var path = Path.Combine(_folder, "out", file);
        Assert.Equal(path + "\n", ran.Output);
        Assert.Contains(text, await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(0, (await InProcess.RunAsync(["up", "--export", format, "--dir", "out"], folder: _folder)).ExitCode);
        Assert.Equal(1, (await InProcess.RunAsync(["up", "--export", format, "--dir", "out", "--max-acu", "9"], folder: _folder)).ExitCode);
        Assert.Equal(0, (await InProcess.RunAsync(["up", "--export", format, "--dir", "out", "--max-acu", "9", "--force"], folder: _folder)).ExitCode);
    }

    [Fact]
    public async Task An_option_of_the_file_counts_and_a_wrong_one_is_told_with_its_line()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "stack.yaml"), "name: reports\nmax_acu: 16\n", TestContext.Current.CancellationToken);
        Assert.Equal(0, (await _aws.RunAsync(_folder, "up", "--from", "stack.yaml", "--yes")).ExitCode);
        Assert.Equal(("reports", "16"), (_aws.Name, _aws.Parameters["MaxAcu"]));

        await File.WriteAllTextAsync(Path.Combine(_folder, "stack.yaml"), "name: reports\nmax_acu: x\n", TestContext.Current.CancellationToken);
        var wrong = await _aws.RunAsync(_folder, "up", "--from", "stack.yaml", "--yes");
        Assert.Equal(3, wrong.ExitCode);
        Assert.Contains("stack.yaml:2: max_acu must be", wrong.Error, StringComparison.Ordinal);
        Assert.Equal(3, (await _aws.RunAsync(_folder, "up", "--from", "absent.yaml")).ExitCode);
    }
}
