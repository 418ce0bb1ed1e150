using System.Net;
using Xunit;

namespace Fumidai.Aws.Tests;

public sealed class FindBastionsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private const string Details = """
        <privateIpAddress>10.0.1.10</privateIpAddress><ipAddress>203.0.113.5</ipAddress><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><placement><availabilityZone>ap-northeast-1a</availabilityZone></placement>
        <groupSet><item><groupId>sg-a</groupId></item></groupSet><networkInterfaceSet><item><groupSet><item><groupId>sg-a</groupId></item><item><groupId>sg-b</groupId></item></groupSet></item></networkInterfaceSet>
        <tagSet><item><key>Name</key><value>bastion</value></item><item><key>fumidai:ssh-user</key><value>ec2-user</value></item></tagSet>
        """;

    private static FakeAnswer Aws(FakeRequest request) => (request.Operation.Split('.')[^1], request.Form.GetValueOrDefault("NextToken")) switch
    {
        ("DescribeInstances", null) => Golden.Instances(Golden.Instance("i-1", "running", Details), "n2"),
        ("DescribeInstances", "n2") => Golden.Instances(Golden.Instance("i-2", "stopped") + Golden.Instance("i-3", "running")),
        ("DescribeInstanceInformation", _) => request.Json.TryGetProperty("NextToken", out _) ? Golden.Nodes(null, ("i-3", "ConnectionLost")) : Golden.Nodes("more", ("i-1", "Online")),
        _ => FakeAnswer.Ec2Error(400, "Unexpected", request.Operation),
    };

    [Fact]
    public async Task Instances_of_the_VPC_are_listed_with_what_Session_Manager_says_of_them_all_pages_of_both()
    {
        await using var aws = new FakeAws(Aws);
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var found = await FindBastions.ListAsync(access, "vpc-1", Stop);
        Assert.Equal(["i-1", "i-2", "i-3"], found.Select(b => b.Id));
        Assert.Equal(["Online", null, "ConnectionLost"], found.Select(b => b.PingStatus));
        Assert.Equal([true, false, false], found.Select(b => b.IsOnline));
        var one = found[0];
        Assert.Equal(("bastion", "running", "vpc-1", "subnet-1", "ap-northeast-1a", "3.3.987.0"), (one.Name, one.State, one.VpcId, one.SubnetId, one.AvailabilityZone, one.AgentVersion));
        Assert.Equal((IPAddress.Parse("10.0.1.10"), IPAddress.Parse("203.0.113.5")), (one.PrivateAddress, one.PublicAddress));
        Assert.Equal(["sg-a", "sg-b"], one.SecurityGroupIds);
        Assert.Equal("ec2-user", one.Tags["fumidai:ssh-user"]);
        var asked = aws.Of("DescribeInstances").First().Form;
        Assert.Equal(("vpc-id", "vpc-1"), (asked["Filter.2.Name"], asked["Filter.2.Value.1"]));
        Assert.DoesNotContain("terminated", asked.Values);
    }

    [Fact]
    public async Task By_tag_the_service_filters()
    {
        await using var aws = new FakeAws(Aws);
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        await FindBastions.ByTagAsync(access, "role", "bastion", Stop);
        var asked = aws.Of("DescribeInstances").First().Form;
        Assert.Equal(("tag:role", "bastion"), (asked["Filter.2.Name"], asked["Filter.2.Value.1"]));
    }

    [Theory]
    [InlineData(400, "AccessDeniedException")]
    [InlineData(500, null)]
    public async Task Without_Session_Manager_s_word_the_instances_are_listed_all_the_same(int status, string? code)
    {
        await using var aws = new FakeAws(r => r.Operation != "AmazonSSM.DescribeInstanceInformation" ? Aws(r)
            : code is not null ? FakeAnswer.JsonError(status, code, "no") : new FakeAnswer(status, "<!doctype html><title>500 Internal Server Error</title>", "text/html"));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        Assert.All(await FindBastions.ListAsync(access, null, Stop), b => Assert.Null(b.PingStatus));
    }

    [Fact]
    public async Task A_broken_answer_of_Session_Manager_is_not_taken_for_no_agent()
    {
        await using var aws = new FakeAws(r => r.Operation == "AmazonSSM.DescribeInstanceInformation" ? FakeAnswer.JsonError(500, "InternalServerError", "sorry") : Aws(r));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        Assert.Equal("InternalServerError", (await Assert.ThrowsAsync<AwsFailure>(() => FindBastions.ListAsync(access, null, Stop))).Code);
    }

    [Theory]
    [InlineData("terminated", "instance i-1 is terminated")]
    [InlineData(null, "there is no instance i-1 in ap-northeast-1")]
    public async Task An_instance_that_is_gone_is_not_found(string? state, string text)
    {
        await using var aws = new FakeAws(r => r.Operation == "DescribeInstances" ? Golden.Instances(state is null ? "" : Golden.Instance("i-1", state)) : Aws(r));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => FindBastions.GetAsync(access, "i-1", Stop));
        Assert.Equal((AwsFailureKind.NotFound, text), (failure.Kind, failure.Message));
    }

    private sealed class Told : IProgress<string>
    {
        public List<string> States { get; } = [];

        public void Report(string value) => States.Add(value);
    }

    /// <summary>An instance that goes through these states, one at each look; each with the agent's status after a slash.</summary>
    private static FakeAws Going(params string[] states)
    {
        var look = -1;
        return new FakeAws(r => r.Operation.Split('.')[^1] switch
        {
            "DescribeInstances" => Golden.Instances(Golden.Instance("i-1", states[Math.Min(++look, states.Length - 1)].Split('/')[0])),
            "DescribeInstanceInformation" => states[Math.Min(look, states.Length - 1)].Split('/') is [_, var ping] ? Golden.Nodes(null, ("i-1", ping)) : Golden.Nodes(null),
            "StartInstances" => FakeAnswer.Xml("<StartInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><instancesSet/></StartInstancesResponse>"),
            _ => FakeAnswer.Ec2Error(400, "Unexpected", r.Operation),
        });
    }

    [Fact]
    public async Task A_stopping_instance_is_waited_for_started_once_and_watched_until_its_agent_is_online()
    {
        var (time, told) = (new ImpatientTime(), new Told());
        await using var aws = Going("stopping", "stopped", "stopped", "pending", "running", "running/ConnectionLost", "running/Online");
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open(time: time);
        Assert.True((await FindBastions.StartAsync(access, "i-1", true, told, Stop)).IsOnline);
        Assert.Single(aws.Of("StartInstances"));
        Assert.Equal(["stopping", "stopped", "pending", "running, agent not registered yet", "running, agent ConnectionLost", "Online"], told.States);
        Assert.Equal(6 * FindBastions.PollPeriod, time.Waited);
    }

    [Fact]
    public async Task Running_is_enough_when_no_agent_is_needed_and_a_running_one_is_not_started()
    {
        await using var aws = Going("running");
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open(time: new ImpatientTime());
        Assert.Equal("running", (await FindBastions.StartAsync(access, "i-1", false, new Told(), Stop)).State);
        Assert.Empty(aws.Of("StartInstances"));
    }

    [Fact]
    public async Task An_instance_that_stops_again_or_never_comes_is_given_up()
    {
        await using (var aws = Going("stopped", "pending", "stopping"))
        {
            using var laptop = Laptop.Facing(aws);
            using var access = laptop.Open(time: new ImpatientTime());
            Assert.Contains("started and is stopping again", (await Assert.ThrowsAsync<AwsFailure>(() => FindBastions.StartAsync(access, "i-1", false, new Told(), Stop))).Message, StringComparison.Ordinal);
        }
        await using var never = Going("stopped", "pending", "running");
        using var machine = Laptop.Facing(never);
        using var patient = machine.Open(time: new ImpatientTime());
        Assert.Contains("running, agent not registered yet after 10 minutes", (await Assert.ThrowsAsync<AwsFailure>(() => FindBastions.StartAsync(patient, "i-1", true, new Told(), Stop))).Message, StringComparison.Ordinal);
    }
}
