using System.Net;
using Fumidai.Aws;
using Xunit;

namespace Fumidai.Tests;

public sealed class BastionTests
{
    private static BastionInstance Instance(string id, string state = "running", string? ping = "Online", string? address = null, params (string Key, string Value)[] tags) => new()
    {
        Id = id,
        State = state,
        VpcId = "vpc-1",
        PrivateAddress = IPAddress.Parse("10.0.0.5"),
        PublicAddress = address is null ? null : IPAddress.Parse(address),
        PingStatus = ping,
        SecurityGroupIds = [$"sg-{id}"],
        Tags = tags.ToDictionary(t => t.Key, t => t.Value),
    };

    [Fact]
    public void The_ssm_bastion_is_an_online_one_ours_first_then_by_id()
    {
        Assert.Equal("i-a", BastionChoice.ForSsm([Instance("i-b"), Instance("i-a")], "vpc-1", onlyOne: false).Id);
        Assert.Equal("i-b", BastionChoice.ForSsm([Instance("i-a"), Instance("i-b", tags: ("fumidai:stack", "x"))], "vpc-1", onlyOne: false).Id);
        Assert.Equal("i-b", BastionChoice.ForSsm([Instance("i-a", ping: "ConnectionLost"), Instance("i-b")], "vpc-1", onlyOne: false).Id);
    }

    [Fact]
    public void Only_a_stopped_instance_that_is_ours_is_started()
    {
        Assert.Equal("i-a", BastionChoice.ForSsm([Instance("i-a", "stopped", null, null, ("fumidai:start", "auto"))], "vpc-1", onlyOne: false).Id);
        var e = Assert.Throws<FumidaiException>(() => BastionChoice.ForSsm([Instance("i-a", "stopped", null)], "vpc-1", onlyOne: false));
        Assert.Equal(Reason.NoRoute, e.Reason);
        Assert.Contains("aws ec2 start-instances --instance-ids i-a", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("running", null, "never registered")]
    [InlineData("running", "ConnectionLost", "ConnectionLost")]
    [InlineData("terminated", null, "terminated")]
    public void An_instance_that_does_not_do_says_why(string state, string? ping, string words) =>
        Assert.Contains(words, Assert.Throws<FumidaiException>(() => BastionChoice.ForSsm([Instance("i-a", state, ping)], "vpc-1", onlyOne: false)).Message, StringComparison.Ordinal);

    [Fact]
    public void Where_nothing_says_which_several_online_ones_are_listed()
    {
        var e = Assert.Throws<FumidaiException>(() => BastionChoice.ForSsm([Instance("i-a"), Instance("i-b")], "eu-west-1", onlyOne: true));
        Assert.Equal(Reason.Usage, e.Reason);
        Assert.Contains("i-a, i-b", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_ssh_bastion_runs_and_has_a_public_address()
    {
        Assert.Equal(["i-b"], BastionChoice.ForSsh([Instance("i-a"), Instance("i-b", ping: null, address: "203.0.113.9")], "vpc-1").Select(b => b.Id));
        Assert.Throws<FumidaiException>(() => BastionChoice.ForSsh([Instance("i-a"), Instance("i-b", "stopped", null, "203.0.113.9")], "vpc-1"));
    }

    [Fact]
    public void Port_and_login_of_sshd_come_from_the_settings_then_the_tags_then_the_custom()
    {
        var tagged = Instance("i-a", tags: [("fumidai:ssh-port", "2222"), ("fumidai:ssh-user", "ubuntu")]);
        Assert.Equal((2200, "me"), (BastionChoice.SshPort(tagged, 2200), BastionChoice.SshUser(tagged, "me")));
        Assert.Equal((2222, "ubuntu"), (BastionChoice.SshPort(tagged, null), BastionChoice.SshUser(tagged, null)));
        Assert.Equal((22, "ec2-user"), (BastionChoice.SshPort(Instance("i-a"), null), BastionChoice.SshUser(Instance("i-a"), null)));
        Assert.Equal(22, BastionChoice.SshPort(Instance("i-a", tags: ("fumidai:ssh-port", "99999")), null));
    }

    private static ReachableRoutes Routes(IReadOnlyList<BastionInstance> instances, Func<string, bool> admits, List<string>? asked = null) => new(
        instances, IPAddress.Parse("198.51.100.7"), null,
        (groups, port, source, sourceGroups, _) =>
        {
            var question = $"{string.Join(',', groups)}:{port}<{source}{string.Concat(sourceGroups)}";
            asked?.Add(question);
            return Task.FromResult(admits(question));
        });

    private static Task<(IReadOnlyList<string> Open, string? Note)> To(ReachableRoutes routes, Database database) =>
        routes.ToAsync(database, TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_listing_shows_both_routes_where_both_stand_open()
    {
        var (open, note) = await To(Routes([Instance("i-a"), Instance("i-b", ping: null, address: "203.0.113.9")], _ => true), Requests.Cluster());
        Assert.Equal(["ssm i-a", "ssh i-b"], open);
        Assert.Null(note);
    }

    [Theory]
    [InlineData("sg-i-b:22", "do not admit 198.51.100.7 to port 22")]
    [InlineData("sg-db:5432", "do not admit i-b to port 5432")]
    public async Task A_missing_rule_is_named(string shut, string words)
    {
        var routes = Routes([Instance("i-b", ping: null, address: "203.0.113.9")], q => !q.StartsWith(shut, StringComparison.Ordinal));
        var (open, note) = await To(routes, Requests.Cluster());
        Assert.Empty(open);
        Assert.Contains(words, note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_groups_are_asked_about_once_and_never_beyond_the_bound()
    {
        var asked = new List<string>();
        var routes = Routes([.. Enumerable.Range(0, 200).Select(i => Instance($"i-{i}"))], _ => true, asked);
        for (var i = 0; i < 5; i++)
            await To(routes, Requests.Cluster($"c{i}"));
        Assert.Equal(asked.Count, asked.Distinct().Count());
        Assert.True(asked.Count <= ReachableRoutes.MaxGroupCalls, $"{asked.Count} calls");
    }

    [Fact]
    public async Task A_database_without_a_bastion_says_so()
    {
        Assert.Contains("no instance in vpc-1", (await To(Routes([], _ => true), Requests.Cluster())).Note, StringComparison.Ordinal);
        Assert.Contains("VPC is unknown", (await To(Routes([], _ => true), Requests.Cluster(vpc: null))).Note, StringComparison.Ordinal);
    }

    [Fact]
    public void The_bastion_itself_as_destination_takes_the_plain_document()
    {
        var bastion = Instance("i-a");
        foreach (var host in new[] { "localhost", "127.0.0.1", "10.0.0.5" })
        {
            var (document, parameters) = StartPortSession.Ask(new HostPort(host, 5432), bastion);
            Assert.Equal("AWS-StartPortForwardingSession", document);
            Assert.Equal(["portNumber"], parameters.Keys);
        }
        var (remote, asked) = StartPortSession.Ask(new HostPort("db.internal", 5432), bastion);
        Assert.Equal(("AWS-StartPortForwardingSessionToRemoteHost", "db.internal", "5432"), (remote, asked["host"], asked["portNumber"]));
    }
}
