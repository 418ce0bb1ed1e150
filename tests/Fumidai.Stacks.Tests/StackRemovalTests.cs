using Fumidai.Aws;
using Fumidai.Aws.Tests;
using Xunit;

namespace Fumidai.Stacks.Tests;

/// <summary>Taking down: what goes, what stays, what is in the way, and whether anything was left.</summary>
public sealed class StackRemovalTests : IAsyncDisposable
{
    private readonly FakeCloudFormation _cloud = new();
    private readonly FakeAws _server;
    private readonly HastyTime _time = new();
    private readonly AwsAccess _access;
    private readonly StackRemoval _removal;

    public StackRemovalTests()
    {
        _server = new FakeAws(_cloud.Answer);
        _access = TestMachine.Open(_server.Url, _time);
        _removal = new StackRemoval(_access, _time);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _access.Dispose();
        await _server.DisposeAsync();
    }

    private async Task<FakeStack> BuiltAsync(StackPlan plan)
    {
        var deployment = new StackDeployment(_access, _time);
        await foreach (var _ in deployment.ExecuteAsync(await deployment.ProposeAsync(plan, Stop), Stop))
        {
        }
        return _cloud[plan.Name]!;
    }

    private async Task<List<StackEvent>> DeleteAsync(string id, params string[] retain)
    {
        var events = new List<StackEvent>();
        await foreach (var one in _removal.DeleteAsync(id, retain, Stop))
            events.Add(one);
        return events;
    }

    [Fact]
    public async Task It_lists_what_goes_and_that_a_snapshot_stays()
    {
        var plan = Sites.Plan(StackPattern.Both);
        await BuiltAsync(plan);
        var list = await _removal.ListAsync("fumidai", Stop);
        Assert.Equal(plan.Creates.Select(c => c.LogicalId), list.Goes.Select(g => g.LogicalId));
        Assert.Contains("snapshot", Assert.Single(list.Stays), StringComparison.Ordinal);
        Assert.Empty(list.Obstacles);
    }

    [Fact]
    public async Task Nothing_stays_when_no_snapshot_was_asked_for_or_there_is_no_cluster()
    {
        await BuiltAsync(Sites.Plan(change: o => o with { SnapshotOnDelete = false }));
        Assert.Empty((await _removal.ListAsync("fumidai", Stop)).Stays);
        var attached = Sites.All().First(s => s.Name == "Public-none-mixed-existing").Plan;
        await BuiltAsync(StackPlan.Compose(attached.Options with { Name = "attached" }, attached.Site));
        var list = await _removal.ListAsync("attached", Stop);
        Assert.Empty(list.Stays);
        Assert.Contains(list.Goes, g => g.Type == "AWS::EC2::SecurityGroupIngress");
    }

    [Fact]
    public async Task Protection_is_an_obstacle_told_before_anything_is_deleted()
    {
        var stack = await BuiltAsync(Sites.Plan(change: o => o with { DeletionProtection = true }));
        stack.IsProtected = true;
        var list = await _removal.ListAsync("fumidai", Stop);
        Assert.Equal(2, list.Obstacles.Count);
        Assert.Contains("update-termination-protection", list.Obstacles[0], StringComparison.Ordinal);
        Assert.Contains("protected against deletion", list.Obstacles[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_deleted_and_followed_and_a_second_time_there_is_nothing_to_do()
    {
        var stack = await BuiltAsync(Sites.Plan());
        var events = await DeleteAsync(stack.Id);
        Assert.Equal(("DELETE_IN_PROGRESS", "DELETE_COMPLETE"), (events[0].Status, events[^1].Status));
        Assert.Null(_cloud["fumidai"]);
        Assert.Empty(await DeleteAsync(stack.Id));
        Assert.Equal(StackFailureReason.NotFound, (await Assert.ThrowsAsync<StackFailure>(() => _removal.ListAsync("fumidai", Stop))).Reason);
    }

    [Fact]
    public async Task A_stack_that_still_rests_after_the_call_is_not_taken_for_one_that_cannot_be_deleted()
    {
        var stack = await BuiltAsync(Sites.Plan());
        stack.IsSlowToBegin = true;
        Assert.Equal("DELETE_COMPLETE", (await DeleteAsync(stack.Id))[^1].Status);
    }

    [Fact]
    public async Task A_deletion_under_way_is_followed_and_not_asked_for_again()
    {
        var stack = await BuiltAsync(Sites.Plan());
        await foreach (var _ in _removal.DeleteAsync(stack.Id, [], Stop))
            break;
        Assert.Equal("DELETE_IN_PROGRESS", stack.Status);
        Assert.Equal("DELETE_COMPLETE", (await DeleteAsync(stack.Id))[^1].Status);
        Assert.Single(_server.Of("DeleteStack"));
    }

    [Fact]
    public async Task A_creation_under_way_is_broken_off()
    {
        var deployment = new StackDeployment(_access, _time);
        await foreach (var _ in deployment.ExecuteAsync(await deployment.ProposeAsync(Sites.Plan(), Stop), Stop))
            break;
        Assert.Equal("DELETE_COMPLETE", (await DeleteAsync(_cloud["fumidai"]!.Id))[^1].Status);
    }

    [Fact]
    public async Task What_cannot_be_deleted_is_told_with_its_reason_and_can_be_left_in_place()
    {
        var stack = await BuiltAsync(Sites.Plan());
        _cloud.Fails["delete BastionGroup"] = "resource sg-1 has a dependent object (Service: Ec2, Status Code: 400)";
        var failure = await Assert.ThrowsAsync<StackFailure>(() => DeleteAsync(stack.Id));
        Assert.Equal("stack fumidai is DELETE_FAILED: BastionGroup (AWS::EC2::SecurityGroup): resource sg-1 has a dependent object (Service: Ec2, Status Code: 400)", failure.What);
        Assert.Equal("DELETE_COMPLETE", (await DeleteAsync(stack.Id, "BastionGroup"))[^1].Status);
    }

    [Fact]
    public async Task A_stack_that_was_only_planned_goes_too()
    {
        var changes = await new StackDeployment(_access, _time).ProposeAsync(Sites.Plan(), Stop);
        Assert.Empty((await _removal.ListAsync("fumidai", Stop)).Goes);
        await DeleteAsync(changes.StackId);
        Assert.Null(_cloud["fumidai"]);
    }

    [Fact]
    public async Task What_the_tags_still_name_is_asked_after_and_only_what_lives_is_told()
    {
        _cloud.Tagged.Enqueue(["arn:aws:ec2:ap-northeast-1:1:vpc/vpc-1", "arn:aws:ec2:ap-northeast-1:1:instance/i-1", "arn:aws:ec2:ap-northeast-1:1:natgateway/nat-1", "arn:aws:rds:ap-northeast-1:1:cluster:fumidai-cluster-1",
            "arn:aws:rds:ap-northeast-1:1:cluster-snapshot:fumidai-snapshot-cluster-1", "arn:aws:cloudformation:ap-northeast-1:1:stack/fumidai/1"]);
        _cloud.Living.Add("vpc-1");
        var check = await _removal.VerifyAsync("fumidai", Stop);
        Assert.Equal(["arn:aws:ec2:ap-northeast-1:1:vpc/vpc-1"], check.Remains);
        Assert.Equal(["arn:aws:rds:ap-northeast-1:1:cluster-snapshot:fumidai-snapshot-cluster-1"], check.Stays);
        Assert.InRange(_time.Waited, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(3));
    }

    [Fact]
    public async Task Tags_that_lag_are_given_time()
    {
        _cloud.Living.Add("vpc-1");
        _cloud.Tagged.Enqueue(["arn:aws:ec2:ap-northeast-1:1:vpc/vpc-1"]);
        _cloud.Tagged.Enqueue([]);
        var check = await _removal.VerifyAsync("fumidai", Stop);
        Assert.Empty(check.Remains);
        Assert.Null(check.Unchecked);
        Assert.Equal(2, _server.Of("GetResources").Count());
    }

    [Fact]
    public async Task Who_may_not_ask_for_tags_is_told_that_nothing_was_verified()
    {
        _cloud.Errors["GetResources"] = new([FakeAnswer.JsonError(400, "AccessDeniedException", "not authorized to perform: tag:GetResources")]);
        var check = await _removal.VerifyAsync("fumidai", Stop);
        Assert.Contains("tag:GetResources", check.Unchecked, StringComparison.Ordinal);
    }
}
