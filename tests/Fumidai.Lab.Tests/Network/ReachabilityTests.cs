using System.Net;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>The seed's network with one thing broken at a time (aws-facts §8.1, §8.2, §2.1).</summary>
public sealed class ReachabilityTests : IDisposable
{
    private static readonly IPAddress s_home = IPAddress.Loopback;
    private readonly AddressPlan _plan = AddressPlan.Claim();
    private readonly LabModel _m = new();
    private readonly Instance _open;
    private readonly Instance _closed;
    private readonly DbCluster _cluster;
    private readonly Vpc _vpc;

    public ReachabilityTests()
    {
        var seed = new Seed(_m, _plan, DateTimeOffset.UnixEpoch);
        seed.Identities();
        seed.SecondRegion();
        _cluster = seed.Architecture().Cluster;
        _open = _m.Instances.Values.Single(i => i.PublicAddress is not null);
        _closed = _m.Instances.Values.Single(i => i.PublicAddress is null);
        _vpc = _m.Vpcs[_closed.VpcId];
    }

    public void Dispose() => _plan.Dispose();

    [Fact]
    public void As_seeded_everything_of_the_mission_is_open()
    {
        Assert.Equal(Verdict.Open, ToCluster().Verdict);
        Assert.Equal(Verdict.Open, Reachability.FromInstance(_m, _open.Id, _cluster.Address, 5432).Verdict);
        Assert.Equal(Verdict.Open, FromHome().Verdict);
        Assert.Equal(Verdict.Open, Agent().Verdict);
    }

    [Fact]
    public void The_public_bastion_has_no_role_and_its_agent_is_not_online() =>
        Assert.Contains("no instance profile", Reachability.AgentOnline(_m, _open.Id).Why, StringComparison.Ordinal);

    public static TheoryData<string, string, string> BrokenWaysToTheCluster => new()
    {
        { "the cluster's group loses its rule", nameof(Verdict.Dropped), "lets i-" },
        { "the rule names another port", nameof(Verdict.Dropped), "on port 5432" },
        { "the rule names another group", nameof(Verdict.Dropped), "on port 5432" },
        { "the bastion's group loses its way out", nameof(Verdict.Dropped), "out to app" },
        { "the bastion is stopped", nameof(Verdict.Dropped), "is stopped" },
        { "the cluster is stopped", nameof(Verdict.Refused), "app is stopped" },
        { "the cluster has no instance", nameof(Verdict.Refused), "app" },
        { "the bastion stands in another network", nameof(Verdict.Dropped), "no route" },
    };

    [Theory]
    [MemberData(nameof(BrokenWaysToTheCluster))]
    public void A_broken_way_to_the_cluster_is_closed_and_says_why(string breakage, string verdict, string why)
    {
        var from = _closed.Id;
        switch (breakage)
        {
            case "the cluster's group loses its rule":
                Ingress("aurora").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress);
                break;
            case "the rule names another port":
                Replace("aurora", r => r with { FromPort = 5433, ToPort = 5433 });
                break;
            case "the rule names another group":
                Replace("aurora", r => r with { GroupId = Ingress("endpoints").Id });
                break;
            case "the bastion's group loses its way out":
                Ingress("ec2").Rules.RemoveAll(r => r.Direction == RuleDirection.Egress);
                break;
            case "the bastion is stopped":
                _closed.State = "stopped";
                break;
            case "the cluster is stopped":
                _cluster.Status = "stopped";
                break;
            case "the cluster has no instance":
                _m.DbInstances.Clear();
                break;
            case "the bastion stands in another network":
                from = Elsewhere().Id;
                break;
            default:
                Assert.Fail(breakage);
                break;
        }
        var reach = Reachability.FromInstance(_m, from, _cluster.Address, 5432);
        Assert.Equal(verdict, reach.Verdict.ToString());
        Assert.Contains(why, reach.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_range_admits_like_a_group_does()
    {
        Replace("aurora", r => r with { GroupId = null, Cidr = _m.Subnets[_closed.SubnetId].Cidr.ToString() });
        Assert.Equal(Verdict.Open, ToCluster().Verdict);
        Assert.Equal(Verdict.Dropped, Reachability.FromInstance(_m, _open.Id, _cluster.Address, 5432).Verdict);
    }

    [Fact]
    public void A_rule_for_every_protocol_admits_every_port()
    {
        Replace("aurora", r => r with { Protocol = "-1", FromPort = -1, ToPort = -1 });
        Assert.Equal(Verdict.Open, Reachability.FromInstance(_m, _closed.Id, _cluster.Address, 1).Verdict);
    }

    [Fact]
    public void An_address_that_nobody_has_is_silent() =>
        Assert.Equal(Verdict.Dropped, Reachability.FromInstance(_m, _closed.Id, _plan.Address(10, 200), 5432).Verdict);

    public static TheoryData<string, string> BrokenWaysFromHome => new()
    {
        { "the group loses its rule", "lets 127.0.0.1 in" },
        { "home has moved", "lets 127.0.0.1 in" },
        { "the subnet loses its way to the internet", "no route to an internet gateway" },
        { "the gateway is detached", "not attached" },
        { "the address is gone", "no public address" },
        { "the bastion is stopped", "is stopped" },
    };

    [Theory]
    [MemberData(nameof(BrokenWaysFromHome))]
    public void A_broken_way_from_home_is_silent_and_says_why(string breakage, string why)
    {
        switch (breakage)
        {
            case "the group loses its rule":
                Ingress("ec2").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress);
                break;
            case "home has moved":
                Replace("ec2", r => r with { Cidr = "127.0.0.9/32" });
                break;
            case "the subnet loses its way to the internet":
                TableOf(_open).Routes.RemoveAll(r => r.Destination == "0.0.0.0/0");
                break;
            case "the gateway is detached":
                _m.InternetGateways.Values.Single().VpcId = null;
                break;
            case "the address is gone":
                _open.PublicAddress = null;
                break;
            case "the bastion is stopped":
                _open.State = "stopped";
                break;
            default:
                Assert.Fail(breakage);
                break;
        }
        var reach = FromHome();
        Assert.Equal(Verdict.Dropped, reach.Verdict);
        Assert.Contains(why, reach.Why, StringComparison.Ordinal);
    }

    public static TheoryData<string, bool, string> AgentCases => new()
    {
        { "no endpoint for ssm", false, "no endpoint for com.amazonaws.ap-northeast-1.ssm, and subnet-" },
        { "no endpoint for ssmmessages", false, "no endpoint for com.amazonaws.ap-northeast-1.ssmmessages" },
        { "no endpoint for ec2messages", true, "reaches ssm, ssmmessages" },
        { "no endpoint for ec2messages, and an old agent", false, "no endpoint for com.amazonaws.ap-northeast-1.ec2messages" },
        { "an endpoint is not available yet", false, "is pending" },
        { "an endpoint has private DNS off", false, "private DNS off" },
        { "the endpoints' group loses its rule", false, "on port 443" },
        { "the endpoints' group loses its rule, and there is a NAT", false, "on port 443" },
        { "the VPC has host names off", false, "DNS host names off" },
        { "the VPC has DNS off", false, "DNS support off" },
        { "the bastion's group loses its way out", false, "lets i-" },
        { "an endpoint's policy allows too little", false, "does not allow ssmmessages:" },
        { "no profile", false, "no instance profile" },
        { "no role in the profile", false, "holds no role" },
        { "the role loses its policy", false, "does not allow ssm:UpdateInstanceInformation" },
        { "the role is denied one action", false, "does not allow ssmmessages:OpenDataChannel" },
        { "the least inline policy", true, "reaches" },
        { "no endpoints, but a NAT", true, "reaches" },
        { "no endpoints, and a NAT without a gateway behind it", false, "no route to an internet gateway" },
        { "no endpoints, and a NAT that failed", false, "is failed" },
        { "no endpoints, but a public address and a gateway", true, "reaches" },
        { "no endpoints, and a gateway without a public address", false, "no public address" },
        { "stopped", false, "is stopped" },
    };

    [Theory]
    [MemberData(nameof(AgentCases))]
    public void The_agent_is_online_only_when_role_and_network_let_it(string circumstance, bool isOnline, string why)
    {
        Arrange(circumstance);
        var reach = Agent();
        Assert.True(isOnline == (reach.Verdict == Verdict.Open), reach.Why);
        Assert.Contains(why, reach.Why, StringComparison.Ordinal);
    }

    private void Arrange(string circumstance)
    {
        switch (circumstance)
        {
            case "no endpoint for ssm":
                Remove("ssm");
                break;
            case "no endpoint for ssmmessages":
                Remove("ssmmessages");
                break;
            case "no endpoint for ec2messages":
                Remove("ec2messages");
                break;
            case "no endpoint for ec2messages, and an old agent":
                Remove("ec2messages");
                _closed.AgentVersion = "3.3.30.0";
                break;
            case "an endpoint is not available yet":
                Endpoint("ssm").State = "pending";
                break;
            case "an endpoint has private DNS off":
                Endpoint("ssm").PrivateDnsEnabled = false;
                break;
            case "the endpoints' group loses its rule":
                Ingress("endpoints").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress);
                break;
            case "the endpoints' group loses its rule, and there is a NAT":
                AddNat();
                Ingress("endpoints").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress);
                break;
            case "the VPC has host names off":
                _vpc.EnableDnsHostnames = false;
                break;
            case "the VPC has DNS off":
                _vpc.EnableDnsSupport = false;
                break;
            case "the bastion's group loses its way out":
                Ingress("ec2").Rules.RemoveAll(r => r.Direction == RuleDirection.Egress);
                break;
            case "an endpoint's policy allows too little":
                Endpoint("ssmmessages").PolicyDocument = """{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssmmessages:Open*","Resource":"*"}]}""";
                break;
            case "no profile":
                _closed.InstanceProfileArn = null;
                break;
            case "no role in the profile":
                _m.InstanceProfiles.Values.Single().RoleName = null;
                break;
            case "the role loses its policy":
                BastionRole().AttachedPolicyArns.Clear();
                break;
            case "the role is denied one action":
                BastionRole().InlinePolicies["deny"] = """{"Statement":[{"Effect":"Deny","Action":"ssmmessages:OpenDataChannel","Resource":"*"}]}""";
                break;
            case "the least inline policy":
                BastionRole().AttachedPolicyArns.Clear();
                BastionRole().InlinePolicies["least"] = """{"Statement":[{"Effect":"Allow","Action":["ssm:UpdateInstanceInformation","ssmmessages:*"],"Resource":"*"}]}""";
                break;
            case "no endpoints, but a NAT":
                _m.Endpoints.Clear();
                AddNat();
                break;
            case "no endpoints, and a NAT without a gateway behind it":
                _m.Endpoints.Clear();
                AddNat();
                TableOf(_open).Routes.RemoveAll(r => r.Destination == "0.0.0.0/0");
                break;
            case "no endpoints, and a NAT that failed":
                _m.Endpoints.Clear();
                AddNat().State = "failed";
                break;
            case "no endpoints, but a public address and a gateway":
                _m.Endpoints.Clear();
                TableOf(_closed).Routes.Add(new Route("0.0.0.0/0", _m.InternetGateways.Keys.Single()));
                _closed.PublicAddress = _plan.Address(254, 11);
                break;
            case "no endpoints, and a gateway without a public address":
                _m.Endpoints.Clear();
                TableOf(_closed).Routes.Add(new Route("0.0.0.0/0", _m.InternetGateways.Keys.Single()));
                break;
            case "stopped":
                _closed.State = "stopped";
                break;
            default:
                Assert.Fail(circumstance);
                break;
        }
    }

    [Fact]
    public void Names_resolve_inside_their_network_only()
    {
        Assert.Equal(_cluster.Address, Reachability.Resolve(_m, _closed.Id, _cluster.Endpoint));
        Assert.Equal(_cluster.Address, Reachability.Resolve(_m, _closed.Id, _cluster.ReaderEndpoint.ToUpperInvariant()));
        Assert.Equal(_cluster.Address, Reachability.Resolve(_m, _closed.Id, _m.DbInstances.Values.Single().Endpoint + "."));
        Assert.Equal(_open.PrivateAddress, Reachability.Resolve(_m, _closed.Id, VpcResolver.PrivateNameOf(_open)));
        Assert.Contains(Reachability.Resolve(_m, _closed.Id, "ssm.ap-northeast-1.amazonaws.com"), Endpoint("ssm").Interfaces.Values);
        Assert.Null(Reachability.Resolve(_m, Elsewhere().Id, _cluster.Endpoint));
        Assert.Null(Reachability.Resolve(_m, _closed.Id, "no.such.name"));
    }

    [Fact]
    public void Security_groups_do_not_filter_names()
    {
        foreach (var group in _m.SecurityGroups.Values)
            group.Rules.Clear();
        Assert.Equal(_cluster.Address, Reachability.Resolve(_m, _closed.Id, _cluster.Endpoint));
    }

    [Fact]
    public void Without_dns_support_only_addresses_are_left()
    {
        _vpc.EnableDnsSupport = false;
        Assert.Null(Reachability.Resolve(_m, _closed.Id, _cluster.Endpoint));
        Assert.Equal(_cluster.Address, Reachability.Resolve(_m, _closed.Id, _cluster.Address.ToString()));
        Assert.Equal(Verdict.Open, ToCluster().Verdict);
    }

    [Fact]
    public void Two_labs_on_one_machine_have_addresses_of_their_own()
    {
        using var second = AddressPlan.Claim();
        Assert.NotEqual(_plan.Main, second.Main);
        Assert.NotEqual(_plan.Other, second.Main);
    }

    private Reach ToCluster() => Reachability.FromInstance(_m, _closed.Id, _cluster.Address, 5432);

    private Reach FromHome() => Reachability.FromInternet(_m, s_home, _open.Id, 22);

    private Reach Agent() => Reachability.AgentOnline(_m, _closed.Id);

    private SecurityGroup Ingress(string name) => _m.SecurityGroups.Values.Single(g => g.Name == name);

    private void Replace(string group, Func<SecurityGroupRule, SecurityGroupRule> change)
    {
        var rules = Ingress(group).Rules;
        var index = rules.FindIndex(r => r.Direction == RuleDirection.Ingress);
        rules[index] = change(rules[index]);
    }

    private VpcEndpoint Endpoint(string service) => _m.Endpoints.Values.Single(e => e.ServiceName.EndsWith("." + service, StringComparison.Ordinal));

    private void Remove(string service) => _m.Endpoints.Remove(Endpoint(service).Id);

    private RouteTable TableOf(Instance instance) => Routing.TableOf(_m, _m.Subnets[instance.SubnetId])!;

    private Role BastionRole() => _m.FindRole(_closed.Account, _m.InstanceProfiles.Values.Single().RoleName!)!;

    private NatGateway AddNat()
    {
        var nat = new NatGateway { Id = Ids.Ec2("nat"), Account = _vpc.Account, Region = _vpc.Region, VpcId = _vpc.Id, SubnetId = _open.SubnetId };
        _m.NatGateways[nat.Id] = nat;
        TableOf(_closed).Routes.Add(new Route("0.0.0.0/0", nat.Id));
        return nat;
    }

    private Instance Elsewhere()
    {
        var subnet = _m.Subnets.Values.Single(s => s.Region == LabRegions.Second);
        var instance = new Instance
        {
            Id = Ids.Ec2("i"),
            Account = subnet.Account,
            Region = subnet.Region,
            VpcId = subnet.VpcId,
            SubnetId = subnet.Id,
            AvailabilityZone = subnet.AvailabilityZone,
            PrivateAddress = AddressPlan.Next(_m, subnet),
        };
        instance.SecurityGroupIds.AddRange(_m.SecurityGroups.Values.Where(g => g.VpcId == subnet.VpcId).Select(g => g.Id));
        _m.Instances[instance.Id] = instance;
        return instance;
    }
}
