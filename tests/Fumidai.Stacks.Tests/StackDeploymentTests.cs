using System.Net;
using Fumidai.Aws;
using Fumidai.Aws.Tests;
using Xunit;

namespace Fumidai.Stacks.Tests;

/// <summary>Change sets from proposal to the end, and from every state that a killed or failed run leaves.</summary>
public sealed class StackDeploymentTests : IAsyncDisposable
{
    private const string OwnerTag = StackPlan.OwnerTag;

    private readonly FakeCloudFormation _cloud = new();
    private readonly FakeAws _server;
    private readonly HastyTime _time = new();
    private readonly AwsAccess _access;
    private readonly StackDeployment _deployment;

    public StackDeploymentTests()
    {
        _server = new FakeAws(_cloud.Answer);
        _access = TestMachine.Open(_server.Url, _time);
        _deployment = new StackDeployment(_access, _time);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _access.Dispose();
        await _server.DisposeAsync();
    }

    private async Task<List<StackEvent>> DeployAsync(StackPlan plan)
    {
        var events = await ListAsync(_deployment.SettleAsync(plan.Name, Stop));
        var changes = await _deployment.ProposeAsync(plan, Stop);
        events.AddRange(await ListAsync(_deployment.ExecuteAsync(changes, Stop)));
        return events;
    }

    private static async Task<List<T>> ListAsync<T>(IAsyncEnumerable<T> all)
    {
        var list = new List<T>();
        await foreach (var one in all)
            list.Add(one);
        return list;
    }

    private async Task<StackFailure> FailureOf(StackPlan plan) => await Assert.ThrowsAsync<StackFailure>(() => DeployAsync(plan));

    [Fact]
    public async Task A_new_stack_is_proposed_executed_and_followed_to_its_outputs()
    {
        var plan = Sites.Plan(StackPattern.Both, o => o with { Tags = new Dictionary<string, string> { ["team"] = "data" } });
        var changes = await _deployment.ProposeAsync(plan, Stop);
        Assert.True(changes is { IsCreation: true, IsEmpty: false });
        Assert.Equal(plan.Creates.Select(c => c.LogicalId), changes.Changes.Select(c => c.LogicalId));
        Assert.All(changes.Changes, c => Assert.Equal("Add", c.Action));
        Assert.Empty(changes.LosesData);
        Assert.Equal("REVIEW_IN_PROGRESS", _cloud["fumidai"]!.Status);
        var events = await ListAsync(_deployment.ExecuteAsync(changes, Stop));
        Assert.Equal(["CREATE_IN_PROGRESS", .. plan.Creates.Select(_ => "CREATE_COMPLETE"), "CREATE_COMPLETE"], events.Select(e => e.Status));
        Assert.Equal(events.Count, events.Select(e => e.Id).Distinct().Count());
        Assert.True(events[0].IsStack && events[^1].IsStack && !events[1].IsStack);
        var status = await StackStatus.ReadAsync(_access, "fumidai", Stop);
        Assert.Equal((StackPhase.Settled, null), (status.Standing.Phase, status.Why));
        Assert.Equal("value-of-SecretArn", status.Stack.Outputs["SecretArn"]);
        Assert.Equal(("id-PrivateBastion", "id-PublicBastion", "203.0.113.7/32"), (status.PrivateBastionId, status.PublicBastionId, status.CallerCidr));
        Assert.Equal("data", status.Stack.Tags["team"]);
        Assert.Equal(_cloud.Image, status.Stack.Parameters["BastionImage"]);
        Assert.Equal(changes.StackId, Assert.Single(await StackStatus.ListAsync(_access, Stop)).Id);
    }

    [Fact]
    public async Task The_same_again_changes_nothing_and_leaves_no_change_set()
    {
        await DeployAsync(Sites.Plan());
        _cloud.IsUnchanged = true;
        var changes = await _deployment.ProposeAsync(Sites.Plan(), Stop);
        Assert.True(changes is { IsEmpty: true, IsCreation: false });
        Assert.Empty(await ListAsync(_deployment.ExecuteAsync(changes, Stop)));
        Assert.Empty(_cloud["fumidai"]!.ChangeSets);
        Assert.Equal("CREATE_COMPLETE", _cloud["fumidai"]!.Status);
    }

    [Fact]
    public async Task A_stack_that_still_rests_after_executing_is_not_taken_for_finished()
    {
        await DeployAsync(Sites.Plan());
        _cloud["fumidai"]!.IsSlowToBegin = true;
        var events = await DeployAsync(Sites.Plan(StackPattern.Both));
        Assert.Equal("UPDATE_COMPLETE", events[^1].Status);
        Assert.True(events[^1].IsStack);
    }

    [Fact]
    public async Task A_newer_image_is_taken_only_when_asked_for()
    {
        await DeployAsync(Sites.Plan());
        var (first, newer) = (_cloud.Image, _cloud.Image = "ami-0bbbbbbbbbbbbbbb2");
        await DeployAsync(Sites.Plan(change: o => o with { MaxAcu = 4 }));
        Assert.Equal(first, _cloud["fumidai"]!.Parameters["BastionImage"]);
        await DeployAsync(Sites.Plan(change: o => o with { MaxAcu = 4, RenewImage = true }));
        Assert.Equal(newer, _cloud["fumidai"]!.Parameters["BastionImage"]);
    }

    [Fact]
    public async Task A_dry_run_leaves_nothing_behind_neither_for_a_new_stack_nor_for_one_that_exists()
    {
        var changes = await _deployment.ProposeAsync(Sites.Plan(), Stop);
        await _deployment.WithdrawAsync(changes, Stop);
        Assert.Null(_cloud["fumidai"]);
        await DeployAsync(Sites.Plan());
        await _deployment.WithdrawAsync(await _deployment.ProposeAsync(Sites.Plan(StackPattern.Both), Stop), Stop);
        Assert.Empty(_cloud["fumidai"]!.ChangeSets);
        Assert.Equal("CREATE_COMPLETE", _cloud["fumidai"]!.Status);
    }

    [Fact]
    public async Task A_run_killed_before_executing_is_taken_up_with_a_fresh_change_set()
    {
        var left = await _deployment.ProposeAsync(Sites.Plan(), Stop);
        var events = await DeployAsync(Sites.Plan());
        Assert.Equal("CREATE_COMPLETE", events[^1].Status);
        Assert.Equal(left.StackId, _cloud["fumidai"]!.Id);
    }

    [Fact]
    public async Task A_run_killed_while_building_is_followed_to_its_end_by_the_next()
    {
        var changes = await _deployment.ProposeAsync(Sites.Plan(), Stop);
        await foreach (var _ in _deployment.ExecuteAsync(changes, Stop))
            break;
        Assert.Equal("CREATE_IN_PROGRESS", _cloud["fumidai"]!.Status);
        var followed = await ListAsync(_deployment.SettleAsync("fumidai", Stop));
        Assert.Equal("CREATE_COMPLETE", followed[^1].Status);
        _cloud.IsUnchanged = true;
        Assert.True((await _deployment.ProposeAsync(Sites.Plan(), Stop)).IsEmpty);
    }

    [Fact]
    public async Task To_propose_while_CloudFormation_is_at_work_says_so()
    {
        _cloud.Add("fumidai", "UPDATE_IN_PROGRESS", (OwnerTag, "fumidai"));
        var failure = await Assert.ThrowsAsync<StackFailure>(() => _deployment.ProposeAsync(Sites.Plan(), Stop));
        Assert.Equal(("stack fumidai is UPDATE_IN_PROGRESS: CloudFormation is at work on it", "fumidai up --name fumidai follows it"), (failure.What, failure.Next));
    }

    [Fact]
    public async Task A_creation_that_fails_is_told_by_the_first_resource_s_own_reason()
    {
        _cloud.Fails["Writer"] = "Resource handler returned message: \"The requested DB instance class db.serverless isn't available in zone c. (Service: Rds, Status Code: 400, Request ID: 1-2-3)\" (RequestToken: 0a-1b, HandlerErrorCode: InvalidRequest)";
        var failure = await FailureOf(Sites.Plan());
        Assert.Equal(StackFailureReason.Failed, failure.Reason);
        Assert.Equal("stack fumidai was not built: Writer (AWS::RDS::DBInstance): The requested DB instance class db.serverless isn't available in zone c", failure.What);
        Assert.Contains("fumidai down --name fumidai", failure.Next, StringComparison.Ordinal);
        var status = await StackStatus.ReadAsync(_access, "fumidai", Stop);
        Assert.Equal((StackPhase.Leftover, "Writer (AWS::RDS::DBInstance): The requested DB instance class db.serverless isn't available in zone c"), (status.Standing.Phase, status.Why));
    }

    [Fact]
    public async Task After_a_failed_creation_the_next_run_clears_the_leftover_and_builds()
    {
        _cloud.Fails["Cluster"] = "no quota";
        await FailureOf(Sites.Plan());
        Assert.Equal("ROLLBACK_COMPLETE", _cloud["fumidai"]!.Status);
        var old = _cloud["fumidai"]!.Id;
        _cloud.Fails.Clear();
        var events = await DeployAsync(Sites.Plan());
        Assert.Contains(events, e => e.IsStack && e.Status == "DELETE_COMPLETE");
        Assert.Equal("CREATE_COMPLETE", _cloud["fumidai"]!.Status);
        Assert.NotEqual(old, _cloud["fumidai"]!.Id);
    }

    [Fact]
    public async Task An_update_that_fails_says_why_and_that_all_is_as_before()
    {
        await DeployAsync(Sites.Plan());
        _cloud.Fails["PublicBastion"] = "You have requested more vCPU capacity than your current vCPU limit of 0 allows.";
        var failure = await FailureOf(Sites.Plan(StackPattern.Both));
        Assert.Equal("stack fumidai was not changed: PublicBastion (AWS::EC2::Instance): You have requested more vCPU capacity than your current vCPU limit of 0 allows", failure.What);
        Assert.Equal(StackPhase.Settled, StackStanding.Of((await ReadStack.FindAsync(_access, "fumidai", Stop))!).Phase);
    }

    [Fact]
    public async Task A_stuck_rollback_is_taken_up_again_before_anything_is_changed()
    {
        await DeployAsync(Sites.Plan());
        _cloud["fumidai"]!.TellStack("UPDATE_ROLLBACK_FAILED", null);
        var events = await ListAsync(_deployment.SettleAsync("fumidai", Stop));
        Assert.Equal(["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"], events.Select(e => e.Status));
    }

    [Theory]
    [InlineData("CREATE_FAILED")]
    [InlineData("ROLLBACK_FAILED")]
    [InlineData("DELETE_FAILED")]
    public async Task What_only_deletion_helps_is_explained_with_the_resource_that_blocks_and_the_command(string status)
    {
        var stack = _cloud.Add("fumidai", "CREATE_COMPLETE", (OwnerTag, "fumidai"));
        stack.TellStack(status == "CREATE_FAILED" ? "CREATE_IN_PROGRESS" : status == "ROLLBACK_FAILED" ? "ROLLBACK_IN_PROGRESS" : "DELETE_IN_PROGRESS", null);
        stack.Set("BastionGroup", "AWS::EC2::SecurityGroup", "DELETE_FAILED", "resource sg-1 has a dependent object");
        stack.TellStack(status, null);
        var failure = await FailureOf(Sites.Plan());
        Assert.StartsWith($"stack fumidai is {status}: ", failure.What, StringComparison.Ordinal);
        Assert.EndsWith("BastionGroup (AWS::EC2::SecurityGroup): resource sg-1 has a dependent object", failure.What, StringComparison.Ordinal);
        Assert.Contains("fumidai down --name fumidai", failure.Next, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stack_of_somebody_else_is_neither_changed_nor_listed_nor_taken_down()
    {
        _cloud.Add("fumidai", "CREATE_COMPLETE", ("owner", "sales"));
        var failure = await FailureOf(Sites.Plan());
        Assert.Equal(StackFailureReason.Usage, failure.Reason);
        Assert.Contains("fumidai did not make it", failure.Message, StringComparison.Ordinal);
        Assert.Empty(await StackStatus.ListAsync(_access, Stop));
        var removal = new StackRemoval(_access, _time);
        await Assert.ThrowsAsync<StackFailure>(() => removal.ListAsync("fumidai", Stop));
        await Assert.ThrowsAsync<StackFailure>(() => ListAsync(removal.DeleteAsync(_cloud["fumidai"]!.Id, [], Stop)));
        Assert.DoesNotContain(_server.Requests, r => r.Operation is "DeleteStack" or "CreateChangeSet" or "DeleteChangeSet");
    }

    [Fact]
    public async Task A_template_that_CloudFormation_refuses_leaves_neither_change_set_nor_stack()
    {
        _cloud.ChangeSetFailure = "Template error: something is wrong.";
        var failure = await FailureOf(Sites.Plan());
        Assert.Equal("CloudFormation refuses the change of stack fumidai: Template error: something is wrong", failure.Message);
        Assert.Null(_cloud["fumidai"]);
    }

    [Fact]
    public async Task Another_address_changes_one_parameter_and_keeps_template_image_and_all_else()
    {
        await DeployAsync(Sites.Plan(StackPattern.Public));
        _cloud.Image = "ami-0ccccccccccccccc3";
        var before = _cloud["fumidai"]!.Parameters.ToDictionary();
        var changes = await _deployment.ProposeAddressAsync("fumidai", IPAddress.Parse("198.51.100.9"), Stop);
        await ListAsync(_deployment.ExecuteAsync(changes, Stop));
        var request = _server.Of("CreateChangeSet").Last().Form;
        Assert.Equal(("true", false), (request["UsePreviousTemplate"], request.ContainsKey("TemplateBody")));
        before["CallerCidr"] = "198.51.100.9/32";
        Assert.Equal(before, _cloud["fumidai"]!.Parameters);
        Assert.Equal(before.Count - 1, request.Count(p => p.Key.EndsWith("UsePreviousValue", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_address_needs_a_stack_with_a_public_bastion()
    {
        Assert.Equal(StackFailureReason.NotFound, (await Assert.ThrowsAsync<StackFailure>(() => _deployment.ProposeAddressAsync("fumidai", Sites.Home, Stop))).Reason);
        await DeployAsync(Sites.Plan());
        Assert.Equal("stack fumidai has no public bastion, and so no address to change", (await Assert.ThrowsAsync<StackFailure>(() => _deployment.ProposeAddressAsync("fumidai", Sites.Home, Stop))).Message);
    }

    [Fact]
    public async Task Changes_that_lose_the_database_are_told_apart()
    {
        await DeployAsync(Sites.Plan());
        var plan = Sites.All().First(s => s.Name == "Private-none-inside-existing").Plan;
        var changes = await _deployment.ProposeAsync(plan, Stop);
        Assert.Equal(["Cluster", "Writer"], changes.LosesData.Select(c => c.LogicalId).Order());
    }

    [Fact]
    public async Task A_throttled_or_unreachable_CloudFormation_is_waited_for_while_following()
    {
        var changes = await _deployment.ProposeAsync(Sites.Plan(), Stop);
        // Each is tried three times by the SDK before it counts once here.
        _cloud.Errors["DescribeStackEvents"] = new();
        var looks = 0;
        await foreach (var one in _deployment.ExecuteAsync(changes, Stop))
        {
            if (looks++ == 0)
            {
                for (var i = 0; i < 3; i++)
                    _cloud.Errors["DescribeStackEvents"].Enqueue(FakeAnswer.QueryError(400, "Throttling", "Rate exceeded"));
            }
        }
        Assert.Equal("CREATE_COMPLETE", _cloud["fumidai"]!.Status);
        Assert.Empty(_cloud.Errors["DescribeStackEvents"]);
    }

    [Fact]
    public async Task Credentials_that_expire_while_following_are_told_and_the_next_run_takes_it_up()
    {
        var changes = await _deployment.ProposeAsync(Sites.Plan(), Stop);
        var failure = await Assert.ThrowsAsync<AwsFailure>(async () =>
        {
            await foreach (var _ in _deployment.ExecuteAsync(changes, Stop))
                _cloud.Errors["DescribeStacks"] = new([FakeAnswer.QueryError(403, "ExpiredToken", "The security token included in the request is expired")]);
        });
        Assert.Equal(AwsFailureKind.Credentials, failure.Kind);
        Assert.Equal("CREATE_COMPLETE", (await ListAsync(_deployment.SettleAsync("fumidai", Stop)))[^1].Status);
    }

    [Fact]
    public async Task A_call_that_is_not_allowed_passes_as_AWS_said_it()
    {
        _cloud.Errors["CreateChangeSet"] = new([FakeAnswer.QueryError(403, "AccessDenied", "User: arn:aws:iam::111122223333:user/a is not authorized to perform: cloudformation:CreateChangeSet")]);
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => DeployAsync(Sites.Plan()));
        Assert.Equal((AwsFailureKind.Permission, "cloudformation:CreateChangeSet"), (failure.Kind, failure.Operation));
        Assert.Null(_cloud["fumidai"]);
    }

    [Fact]
    public async Task Drift_is_told_property_by_property()
    {
        await DeployAsync(Sites.Plan(StackPattern.Both));
        var drifted = Assert.Single(await (await StackStatus.ReadAsync(_access, "fumidai", Stop)).DriftAsync(_access, Stop));
        Assert.Equal(("SshGroup", "MODIFIED"), (drifted.LogicalId, drifted.Status));
        Assert.Equal(new PropertyDifference("/SecurityGroupIngress/0/CidrIp", "203.0.113.7/32", "0.0.0.0/0"), Assert.Single(drifted.Differences));
    }

    [Fact]
    public async Task A_status_of_nothing_is_not_found() =>
        Assert.Equal(StackFailureReason.NotFound, (await Assert.ThrowsAsync<StackFailure>(() => StackStatus.ReadAsync(_access, "fumidai", Stop))).Reason);
}
