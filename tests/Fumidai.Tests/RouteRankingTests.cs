using System.Net;
using Fumidai.Aws;
using Xunit;

namespace Fumidai.Tests;

/// <summary>What <c>--via auto</c> picks: all 64 topologies of six ingredients, against a written table.</summary>
public sealed class RouteRankingTests
{
    /// <summary>Ingredients, in the order of the bits.</summary>
    [Flags]
    private enum Has
    {
        Nothing = 0,
        /// <summary>The bastion's agent is online.</summary>
        Agent = 1,
        /// <summary>The bastion has a public address.</summary>
        Address = 2,
        /// <summary>The bastion admits us.</summary>
        Admitted = 4,
        /// <summary>The VPC has an EC2 Instance Connect Endpoint.</summary>
        Endpoint = 8,
        /// <summary>The bastion admits that endpoint.</summary>
        EndpointAdmitted = 16,
        /// <summary>The bastion runs.</summary>
        Running = 32,
    }

    // One row for each pair (endpoint and its rule), one column for each of agent, address and our rule: what is tried first; "-": nothing.
    // Columns:       none  A     P     AP    R     AR    PR    APR     (A agent, P public address, R rule that admits us)
    private static readonly string[][] s_running =
    [
        /* no endpoint          */ ["-",    "ssm",  "-",    "ssm",  "-",    "ssm",  "ssh",  "ssm"],
        /* endpoint, no rule    */ ["-",    "ssm",  "-",    "ssm",  "-",    "ssm",  "ssh",  "ssm"],
        /* rule, no endpoint    */ ["-",    "ssm",  "-",    "ssm",  "-",    "ssm",  "ssh",  "ssm"],
        /* endpoint and rule    */ ["eice", "eice", "eice", "eice", "eice", "eice", "eice", "eice"],
    ];

    private static BastionFacts Facts(Has has) => new(new BastionInstance
    {
        Id = "i-a",
        State = has.HasFlag(Has.Running) ? "running" : "stopped",
        VpcId = "vpc-1",
        PrivateAddress = IPAddress.Parse("10.0.0.5"),
        PublicAddress = has.HasFlag(Has.Address) ? IPAddress.Parse("203.0.113.9") : null,
        PingStatus = has.HasFlag(Has.Agent) ? "Online" : null,
    })
    {
        AdmitsUs = has.HasFlag(Has.Admitted),
        Endpoint = has.HasFlag(Has.Endpoint) ? new ConnectEndpoint { Id = "eice-1", State = "create-complete", DnsName = "x", VpcId = "vpc-1" } : null,
        AdmitsEndpoint = has.HasFlag(Has.EndpointAdmitted),
    };

    public static TheoryData<int> Topologies => [.. Enumerable.Range(0, 64)];

    [Theory]
    [MemberData(nameof(Topologies))]
    public void Auto_picks_what_the_table_says(int topology)
    {
        var has = (Has)topology;
        var row = (has.HasFlag(Has.Endpoint) ? 1 : 0) + (has.HasFlag(Has.EndpointAdmitted) ? 2 : 0);
        var column = (has.HasFlag(Has.Agent) ? 1 : 0) + (has.HasFlag(Has.Address) ? 2 : 0) + (has.HasFlag(Has.Admitted) ? 4 : 0);
        var expected = has.HasFlag(Has.Running) ? s_running[row][column] : "-";

        var ranking = new RouteRanking([Facts(has)], "auto", []);

        Assert.Equal(expected, ranking.Possible is [var best, ..] ? best.Name : "-");
        // Each route is either possible, with its merit, or rejected, with the reason.
        foreach (var name in (string[])["eice", "ssm", "ssh"])
        {
            var reasons = ranking.Possible.Where(r => r.Name == name).Select(r => r.Reason).Concat(ranking.Rejected.Where(r => r.Name == name).Select(r => r.Reason)).ToArray();
            Assert.NotEmpty(reasons);
            Assert.DoesNotContain("", reasons);
        }
    }

    [Fact]
    public void A_forbidden_route_is_never_possible()
    {
        const Has All = Has.Agent | Has.Address | Has.Admitted | Has.Endpoint | Has.EndpointAdmitted | Has.Running;
        var ranking = new RouteRanking([Facts(All)], "auto", ["eice", "ssm"]);
        Assert.All(ranking.Possible, r => Assert.Equal("ssh", r.Name));
        Assert.Equal(["eice", "ssm"], ranking.Rejected.Select(r => r.Name));
        Assert.Empty(new RouteRanking([Facts(All)], "ssm", ["ssm"]).Possible);
    }

    [Fact]
    public void A_bastion_whom_the_target_admits_comes_first()
    {
        var shut = Facts(Has.Agent | Has.Running) with { ReachesTarget = false };
        var open = Facts(Has.Agent | Has.Running) is var facts ? facts with { Bastion = facts.Bastion with { Id = "i-b" }, ReachesTarget = true } : null!;
        Assert.Equal(["i-b", "i-a"], new RouteRanking([shut, open], "ssm", []).Possible.Select(r => r.Bastion.Id));
    }

    [Fact]
    public void Ssh_without_a_way_to_its_port_goes_inside_a_session()
    {
        var route = Assert.Single(new RouteRanking([Facts(Has.Agent | Has.Running)], "ssh", []).Possible);
        Assert.Equal(RouteCarrier.SessionToSshd, route.Carrier);
        Assert.Equal(
            [RouteCarrier.Address, RouteCarrier.SessionToSshd],
            new RouteRanking([Facts(Has.Agent | Has.Address | Has.Admitted | Has.Running)], "ssh", []).Possible.Select(r => r.Carrier));
    }
}
