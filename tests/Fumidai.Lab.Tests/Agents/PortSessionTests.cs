using System.Net;
using System.Net.Sockets;
using Fumidai.SessionManager;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>The whole lab: the seed, its PostgreSQL and its private bastion's agent, met over real websockets.</summary>
public sealed class PortSessionTests
{
    [Fact]
    public async Task The_private_bastion_carries_a_connection_to_the_database_which_sees_the_bastion_as_its_peer()
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        var seed = SeedParts.Of(lab);
        await using var client = await SessionAsync(lab, seed);
        Assert.True(client.IsMultiplexed);
        Assert.Equal("3.3.1142.0", client.AgentVersion);
        await using var stream = await client.OpenStreamAsync(ServerFixture.Limit);
        await stream.Output.WriteAsync(SslRequest, ServerFixture.Limit);
        Assert.Equal((byte)'S', await ReadByteAsync(stream));

        using var far = new TcpListener(seed.Cluster.Address, 7777);
        far.Start();
        Allow(lab, seed, 7777);
        await using var direct = await SessionAsync(lab, seed, seed.Cluster.Address.ToString(), 7777);
        await using var second = await direct.OpenStreamAsync(ServerFixture.Limit);
        using var accepted = await far.AcceptSocketAsync(ServerFixture.Limit);
        Assert.Equal(seed.Bastion.PrivateAddress, ((IPEndPoint)accepted.RemoteEndPoint!).Address);
    }

    [Fact]
    public async Task A_removed_rule_makes_new_dials_hang_while_the_old_connection_lives_and_a_stopped_database_refuses()
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        var seed = SeedParts.Of(lab);
        await using var client = await SessionAsync(lab, seed);
        await using var old = await client.OpenStreamAsync(ServerFixture.Limit);
        await old.Output.WriteAsync(SslRequest, ServerFixture.Limit);
        Assert.Equal((byte)'S', await ReadByteAsync(old));

        var rules = lab.Context.Model.Change(m =>
        {
            var removed = new List<(SecurityGroup, SecurityGroupRule)>();
            foreach (var group in seed.Cluster.SecurityGroupIds.Select(id => m.SecurityGroups[id]))
            {
                removed.AddRange(group.Rules.Where(rule => rule.Direction == RuleDirection.Ingress).Select(rule => (group, rule)));
                group.Rules.RemoveAll(rule => rule.Direction == RuleDirection.Ingress);
            }
            return removed;
        });
        Assert.NotEmpty(rules);
        await using var late = await client.OpenStreamAsync(ServerFixture.Limit);
        await late.Output.WriteAsync(SslRequest, ServerFixture.Limit);
        // The old one answers (a TLS alert to a handshake message that does not exist) after the new one was asked: the agent had its turn.
        await old.Output.WriteAsync(new byte[] { 0x16, 3, 1, 0, 4, 99, 0, 0, 0 }, ServerFixture.Limit);
        Assert.Equal(0x15, await ReadByteAsync(old));
        Assert.False(late.Ended.IsCompleted);
        Assert.False(late.Input.TryRead(out _));

        lab.Context.Model.Change(m =>
        {
            foreach (var (group, rule) in rules)
                group.Rules.Add(rule);
            return 0;
        });
        Assert.Equal((byte)'S', await ReadByteAsync(late));

        // A session of its own: the refusal names no stream, and the ends of the others' connections would come at the same time.
        await client.DisposeAsync();
        await lab.Context.Machines.StopDatabaseAsync(seed.Cluster.Id, ServerFixture.Limit);
        await using var next = await SessionAsync(lab, seed);
        await using var refused = await next.OpenStreamAsync(ServerFixture.Limit);
        Assert.IsType<ConnectToPortException>(await refused.Ended.WaitAsync(ServerFixture.Limit));
        await lab.Context.Machines.StartDatabaseAsync(seed.Cluster.Id, ServerFixture.Limit);
        await using var again = await next.OpenStreamAsync(ServerFixture.Limit);
        await again.Output.WriteAsync(SslRequest, ServerFixture.Limit);
        Assert.Equal((byte)'S', await ReadByteAsync(again));
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_and_a_reserved_address_end_the_session_in_the_agents_words()
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        var seed = SeedParts.Of(lab);
        await using (var client = await SessionAsync(lab, seed, "no.such.host.internal"))
        {
            var end = await client.Ended.WaitAsync(ServerFixture.Limit);
            Assert.Equal(SessionEndKind.Closed, end.Kind);
            Assert.Contains("no such host", end.Output, StringComparison.Ordinal);
        }
        var resolver = lab.Context.Model.Read(m => m.Vpcs[seed.Bastion.VpcId].Cidr.BaseAddress.GetAddressBytes());
        resolver[3] = 2;
        await using var forbidden = await SessionAsync(lab, seed, new IPAddress(resolver).ToString());
        Assert.Contains("is forbidden", (await forbidden.Ended.WaitAsync(ServerFixture.Limit)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_that_loses_its_endpoint_is_gone_at_once_for_sessions_and_lost_after_its_heartbeat_and_comes_back()
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        var seed = SeedParts.Of(lab);
        var control = new SignedControl(lab);
        Assert.Equal("Online", await PingStatusAsync(control, seed));
        await using var client = await SessionAsync(lab, seed);

        var endpoint = lab.Context.Model.Change(m =>
        {
            var found = m.Endpoints.Values.First(e => e.VpcId == seed.Bastion.VpcId && e.ServiceName.EndsWith(".ssmmessages", StringComparison.Ordinal));
            m.Endpoints.Remove(found.Id);
            return found;
        });
        await StatusAsync(control, seed, "notconnected");
        var session = lab.Plane.Sessions.Find(client.SessionId)!;
        await RelayFixture.UntilAsync(() => !session.HasAgent);
        var (status, answer) = await control.CallAsync("StartSession", $"{{\"Target\":\"{seed.Bastion.Id}\"}}");
        Assert.Equal((400, "TargetNotConnected"), (status, answer.GetProperty("__type").GetString()));
        Assert.Equal("Online", await PingStatusAsync(control, seed));
        lab.Context.Time.Advance(InstanceInformation.Heartbeat);
        Assert.Equal("ConnectionLost", await PingStatusAsync(control, seed));

        lab.Context.Model.Change(m => m.Endpoints[endpoint.Id] = endpoint);
        lab.Context.Time.Advance(TimeSpan.FromMinutes(40));
        await StatusAsync(control, seed, "connected");
        Assert.Equal("Online", await PingStatusAsync(control, seed));
    }

    [Fact]
    public async Task An_agent_that_boots_before_its_role_works_sleeps_and_is_cured_by_a_reboot()
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        var seed = SeedParts.Of(lab);
        var control = new SignedControl(lab);
        var arn = lab.Context.Model.Change(m =>
        {
            var had = m.Instances[seed.Bastion.Id].InstanceProfileArn;
            m.Instances[seed.Bastion.Id].InstanceProfileArn = null;
            return had;
        });
        await lab.Context.Machines.HaltInstanceAsync(seed.Bastion.Id, ServerFixture.Limit);
        await lab.Context.Machines.BootInstanceAsync(seed.Bastion.Id, ServerFixture.Limit);
        lab.Context.Model.Change(m => m.Instances[seed.Bastion.Id].InstanceProfileArn = arn);
        lab.Context.Time.Advance(TimeSpan.FromMinutes(4));
        await StatusAsync(control, seed, "notconnected");
        await lab.Context.Machines.HaltInstanceAsync(seed.Bastion.Id, ServerFixture.Limit);
        await lab.Context.Machines.BootInstanceAsync(seed.Bastion.Id, ServerFixture.Limit);
        await StatusAsync(control, seed, "connected");
    }

    [Fact]
    public async Task A_session_to_the_bastion_itself_meets_its_sshd_on_22_and_nothing_elsewhere()
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        Assert.SkipWhen((await SshdRoom.FindAsync(ServerFixture.Limit)) is SshdRoom.None, "no sshd");
        var seed = SeedParts.Of(lab);
        var control = new SignedControl(lab);
        var ticket = await control.StartAsync(seed.Bastion.Id, "AWS-StartPortForwardingSession", """{"portNumber":["22"]}""");
        await using (var client = await StartAsync(lab, ticket))
        await using (var stream = await client.OpenStreamAsync(ServerFixture.Limit))
            Assert.Equal((byte)'S', await ReadByteAsync(stream));
        ticket = await control.StartAsync(seed.Bastion.Id, "AWS-StartPortForwardingSession", """{"portNumber":["8080"]}""");
        await using var other = await StartAsync(lab, ticket);
        await using var refused = await other.OpenStreamAsync(ServerFixture.Limit);
        Assert.IsType<ConnectToPortException>(await refused.Ended.WaitAsync(ServerFixture.Limit));
    }

    internal static readonly byte[] SslRequest = [0, 0, 0, 8, 4, 210, 22, 47];

    internal static async Task<byte> ReadByteAsync(PortStream stream)
    {
        var read = await stream.Input.ReadAsync(ServerFixture.Limit);
        Assert.False(read.Buffer.IsEmpty);
        var first = read.Buffer.FirstSpan[0];
        stream.Input.AdvanceTo(read.Buffer.End);
        return first;
    }

    internal static Task<PortClient> StartAsync(RelayFixture lab, StreamTicket ticket) =>
        PortClient.StartAsync(ticket, new SignedControl(lab), new PortClientOptions { Socket = new SocketSettings { Roots = [lab.Context.Authority.Certificate] } }, ServerFixture.Limit);

    private static async Task<PortClient> SessionAsync(RelayFixture lab, SeedParts seed, string? host = null, int port = 5432)
    {
        var ticket = await new SignedControl(lab).StartAsync(seed.Bastion.Id, "AWS-StartPortForwardingSessionToRemoteHost", $$"""{"host":["{{host ?? seed.Cluster.Endpoint}}"],"portNumber":["{{port}}"]}""");
        return await StartAsync(lab, ticket);
    }

    private static void Allow(RelayFixture lab, SeedParts seed, int port) => lab.Context.Model.Change(m =>
    {
        foreach (var id in seed.Cluster.SecurityGroupIds)
            m.SecurityGroups[id].Rules.Add(new("sgr-0test", RuleDirection.Ingress, "tcp", port, port, null, seed.Bastion.SecurityGroupIds[0], null));
        foreach (var id in seed.Bastion.SecurityGroupIds)
            m.SecurityGroups[id].Rules.Add(new("sgr-1test", RuleDirection.Egress, "tcp", port, port, "0.0.0.0/0", null, null));
        return 0;
    });

    private static async Task<string?> PingStatusAsync(SignedControl control, SeedParts seed)
    {
        var (_, answer) = await control.CallAsync("DescribeInstanceInformation", $$"""{"Filters":[{"Key":"InstanceIds","Values":["{{seed.Bastion.Id}}"]}]}""");
        return answer.GetProperty("InstanceInformationList").EnumerateArray().Select(one => one.GetProperty("PingStatus").GetString()).SingleOrDefault();
    }

    private static async Task StatusAsync(SignedControl control, SeedParts seed, string wanted)
    {
        while (true)
        {
            var (_, answer) = await control.CallAsync("GetConnectionStatus", $"{{\"Target\":\"{seed.Bastion.Id}\"}}");
            if (answer.GetProperty("Status").GetString() == wanted)
                return;
            ServerFixture.Limit.ThrowIfCancellationRequested();
        }
    }
}

/// <summary>What the seed built, looked up as anybody would: by what it is, not by its name.</summary>
internal sealed record SeedParts(Instance Bastion, Instance PublicBastion, DbCluster Cluster)
{
    public static SeedParts Of(RelayFixture lab) => lab.Context.Model.Read(m =>
    {
        var cluster = m.DbClusters.Values.First(c => c.Region == LabRegions.Main);
        var vpc = m.DbSubnetGroups[cluster.SubnetGroup].VpcId;
        return new SeedParts(m.Instances.Values.First(i => i.VpcId == vpc && i.PublicAddress is null), m.Instances.Values.First(i => i.VpcId == vpc && i.PublicAddress is not null), cluster);
    });
}
