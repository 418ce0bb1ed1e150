using System.Net;
using Fumidai.Aws;
using Xunit;

namespace Fumidai.Tests;

/// <summary>A working architecture, broken in one way at a time: doctor names exactly that, and names nothing on a healthy path.</summary>
public sealed class DoctorTests
{
    private const string Actions = "ssm:UpdateInstanceInformation ssmmessages:CreateControlChannel ssmmessages:CreateDataChannel ssmmessages:OpenControlChannel ssmmessages:OpenDataChannel";

    private static readonly Settings s_auto = new() { CommandLine = new(), Aws = new AwsSettings() };
    private static readonly LocalFacts s_local = new(0, null, "/usr/bin/psql", "15.18", null);

    [Fact]
    public void A_healthy_path_has_no_finding_and_no_note_on_either_route()
    {
        var routes = Diagnosis.Of(Healthy(), s_auto, s_local);
        Assert.Equal(["ssm", "ssh"], routes.Select(r => r.Route));
        Assert.All(routes, r => Assert.Empty(r.Findings));
        Assert.All(routes, r => Assert.Empty(r.Notes));
        Assert.All(routes.SelectMany(r => r.Hops), h => Assert.Equal(HopState.Good, h.State));
    }

    [Fact]
    public void A_healthy_nat_design_and_a_healthy_public_address_without_inbound_rule_have_no_finding() =>
        Assert.All((Topology[])[Nat(), Open()], t => Assert.Empty(Diagnosis.Of(t, Via("ssm"), s_local).Single().Findings));

    [Fact]
    public void A_healthy_instance_connect_endpoint_has_no_finding() => Assert.Empty(Diagnosis.Of(Eice(), Via("eice"), s_local).Single().Findings);

    public static TheoryData<string, string> Breaks() => [.. s_breaks.Select(b => (b.Key.Split(' ')[0], b.Key))];

    [Theory]
    [MemberData(nameof(Breaks))]
    public void Each_single_break_is_named_exactly_with_evidence_and_a_fix(string rule, string name)
    {
        var (route, topology, local) = s_breaks[name];
        var diagnosis = Diagnosis.Of(topology(), Via(route), local ?? s_local).Single();
        var finding = Assert.Single(diagnosis.Findings);
        Assert.Equal(rule, finding.Rule);
        Assert.NotEmpty(finding.Evidence);
        Assert.NotEmpty(finding.Fix.Command);
        Assert.Equal(HopState.Broken, diagnosis.Hops.Single(h => h.State == HopState.Broken).State);
        Assert.All(diagnosis.Hops.Where(h => h.Hop < finding.Hop), h => Assert.Equal(HopState.Good, h.State));
    }

    [Fact]
    public void Forty_breaks_and_more_are_tried_and_every_rule_that_fails_a_path_at_least_once()
    {
        Assert.True(s_breaks.Count >= 40, $"{s_breaks.Count}");
        var tried = s_breaks.Keys.Select(k => k.Split(' ')[0]).ToHashSet(StringComparer.Ordinal);
        string[] notes = ["client-missing", "client-too-old", "database-busy", "database-may-be-paused", "secret-impaired", "secret-rotating", "logs-unreachable", "sessions-end-early"];
        // The rule of designs without endpoints speaks by the problem's own name.
        Assert.Empty(Rule.All.Select(r => r.Name).Except([.. tried, .. notes, "way-out-missing"], StringComparer.Ordinal));
    }

    [Fact]
    public void Of_two_breaks_both_are_named_and_the_line_is_green_up_to_the_first()
    {
        var both = Group(Endpoints(Healthy(), e => e.Service == "ssm" ? e with { HasPrivateDns = false } : e), "sg-db", g => g with { Rules = [.. g.Rules.Where(r => r.IsEgress)] });
        var diagnosis = Diagnosis.Of(both, Via("ssm"), s_local).Single();
        Assert.Equal(["private-dns-off", "database-shut"], diagnosis.Findings.Select(f => f.Rule));
        Assert.Equal(Hop.Way, diagnosis.Hops.First(h => h.State != HopState.Good).Hop);
    }

    [Fact]
    public void An_agent_that_is_offline_because_of_its_endpoint_is_not_named_beside_the_endpoint()
    {
        var broken = Private(Endpoints(Healthy(), e => e.Service == "ssmmessages" ? null : e), i => i with { PingStatus = "ConnectionLost" });
        Assert.Equal(["endpoint-missing"], Diagnosis.Of(broken, Via("ssm"), s_local).Single().Findings.Select(f => f.Rule));
    }

    [Fact]
    public void What_reading_cannot_know_for_certain_is_tried_and_nothing_else()
    {
        var shared = Endpoints(Healthy(), e => e.Service == "ssm" ? null : e);
        bool IsTried(Topology t, string route = "ssm") => Diagnosis.Of(t, Via(route), s_local).Single().IsToBeTried;
        Assert.True(IsTried(Healthy()));
        Assert.True(IsTried(shared with { Connections = new Dictionary<string, bool> { ["i-private"] = true } }));
        Assert.True(IsTried(May("secretsmanager:GetSecretValue")));
        Assert.False(IsTried(shared));
        Assert.False(IsTried(Group(Healthy(), "sg-db", g => g with { Rules = [] }) with { Connections = new Dictionary<string, bool> { ["i-private"] = true } }));
    }

    [Fact]
    public void A_command_that_mends_the_way_wakes_the_agent_that_has_lost_it()
    {
        var shut = Group(Healthy(), "sg-endpoints", g => g with { Rules = [] });
        Assert.DoesNotContain("reboot", Diagnosis.Of(shut, Via("ssm"), s_local).Single().Findings.Single().Fix.Command, StringComparison.Ordinal);
        var cut = shut with { Connections = new Dictionary<string, bool> { ["i-private"] = false } };
        Assert.EndsWith(" && aws ec2 reboot-instances --instance-ids i-private", Diagnosis.Of(cut, Via("ssm"), s_local).Single().Findings.Single().Fix.Command, StringComparison.Ordinal);
    }

    [Fact]
    public void Ssh_to_a_bastion_without_a_public_address_is_walked_inside_a_session()
    {
        var alone = Healthy() with { Instances = [Healthy().Instances[0]] };
        var route = Diagnosis.Of(alone, Via("ssh"), s_local).Single();
        Assert.Empty(route.Findings);
        Assert.Contains(route.Hops, h => h.Hop == Hop.Agent);
    }

    [Fact]
    public void A_forbidden_route_is_not_walked() =>
        Assert.Equal(["ssh"], Diagnosis.Of(Healthy(), s_auto with { ForbiddenRoutes = ["ssm"] }, s_local).Select(r => r.Route));

    [Fact]
    public void What_could_not_be_read_is_no_fault()
    {
        var blind = Healthy() with
        {
            Groups = [],
            Endpoints = [],
            RouteTables = [],
            NetworkAcls = [],
            Unread = new Dictionary<string, string> { [TopologyQuestions.Groups] = "no", [TopologyQuestions.Endpoints] = "no", [TopologyQuestions.RouteTables] = "no", [TopologyQuestions.NetworkAcls] = "no" },
        };
        Assert.All(Diagnosis.Of(blind, s_auto, s_local), r => Assert.Empty(r.Findings));
    }

    [Fact]
    public void A_fix_of_a_group_of_ours_is_a_call_and_names_the_stack()
    {
        var broken = Group(Healthy(), "sg-db", g => g with { Rules = [], Tags = new Dictionary<string, string> { ["fumidai:stack"] = "fumidai" } });
        var fix = Diagnosis.Of(broken, Via("ssm"), s_local).Single().Findings.Single().Fix;
        Assert.Equal("fumidai", fix.Stack);
        Assert.Equal("AuthorizeSecurityGroupIngress", fix.Change!.Operation);
        Assert.Equal("aws ec2 authorize-security-group-ingress --group-id sg-db --protocol tcp --port 5432 --source-group sg-bastion", fix.Command);
    }

    private static readonly Dictionary<string, (string Route, Func<Topology> Make, LocalFacts? Local)> s_breaks = new(StringComparer.Ordinal)
    {
        ["clock-skew behind"] = ("ssm", () => Healthy() with { ClockOffset = TimeSpan.FromMinutes(11) }, null),
        ["clock-skew ahead"] = ("ssh", () => Healthy() with { ClockOffset = TimeSpan.FromMinutes(-6) }, null),
        ["port-busy"] = ("ssm", Healthy, s_local with { Port = 5432, PortHolder = "postgres (pid 812)" }),
        ["may-not-start-session"] = ("ssm", () => May("ssm:StartSession"), null),
        ["may-not-open-channel"] = ("ssm", () => May("ssmmessages:OpenDataChannel"), null),
        ["may-not-push-key"] = ("ssh", () => May("ec2-instance-connect:SendSSHPublicKey"), null),
        ["may-not-read-secret"] = ("ssm", () => May("secretsmanager:GetSecretValue"), null),
        ["bastion-missing"] = ("ssm", () => Healthy() with { Instances = [] }, null),
        ["bastion-stopped"] = ("ssm", () => Private(Healthy(), i => i with { State = "stopped", PingStatus = "ConnectionLost" }), null),
        ["bastion-stopped public"] = ("ssh", () => Public(Healthy(), i => i with { State = "stopped" }), null),
        ["bastion-starting"] = ("ssm", () => Private(Healthy(), i => i with { State = "pending", PingStatus = null }), null),
        ["metadata-off"] = ("ssm", () => Private(Healthy(), i => i with { HasMetadata = false, PingStatus = "ConnectionLost" }), null),
        ["profile-missing"] = ("ssm", () => Private(Healthy(), i => i with { ProfileArn = null, PingStatus = null }), null),
        ["profile-gone"] = ("ssm", () => Healthy() with { Roles = new Dictionary<string, InstanceRole?> { ["arn:aws:iam::1:instance-profile/b"] = null } }, null),
        ["role-missing"] = ("ssm", () => Healthy() with { Roles = new Dictionary<string, InstanceRole?> { ["arn:aws:iam::1:instance-profile/b"] = new("b", null, null) } }, null),
        ["role-too-narrow"] = ("ssm", () => Healthy() with { RoleActions = new Dictionary<string, IReadOnlyDictionary<string, bool>> { ["arn:aws:iam::1:role/b"] = Actions.Split(' ').ToDictionary(a => a, a => a != "ssmmessages:OpenControlChannel") } }, null),
        ["dns-support-off"] = ("ssm", () => Healthy() with { Vpc = Healthy().Vpc! with { HasDnsSupport = false } }, null),
        ["dns-hostnames-off"] = ("ssm", () => Healthy() with { Vpc = Healthy().Vpc! with { HasDnsHostnames = false } }, null),
        ["endpoint-missing ssm"] = ("ssm", () => Endpoints(Healthy(), e => e.Service == "ssm" ? null : e), null),
        ["endpoint-missing ssmmessages"] = ("ssm", () => Endpoints(Healthy(), e => e.Service == "ssmmessages" ? null : e), null),
        ["endpoint-missing ec2messages"] = ("ssm", () => Private(Endpoints(Healthy(), e => e.Service == "ec2messages" ? null : e), i => i with { AgentVersion = "3.2.2000.0" }), null),
        ["endpoint-not-available"] = ("ssm", () => Endpoints(Healthy(), e => e.Service == "ssm" ? e with { State = "failed" } : e), null),
        ["private-dns-off"] = ("ssm", () => Endpoints(Healthy(), e => e.Service == "ssmmessages" ? e with { HasPrivateDns = false } : e), null),
        ["endpoint-without-subnet"] = ("ssm", () => Endpoints(Healthy(), e => e.Service == "ssm" ? e with { SubnetIds = [] } : e), null),
        ["endpoint-shut"] = ("ssm", () => Group(Healthy(), "sg-endpoints", g => g with { Rules = [] }), null),
        ["endpoint-acl"] = ("ssm", () => Acl(Endpoints(Healthy(), e => e with { SubnetIds = ["subnet-c"] }), "subnet-a", true, 443), null),
        ["endpoint-policy"] = ("ssm", () => Endpoints(Healthy(), e => e.Service == "ssmmessages" ? e with { Policy = """{"Statement":{"Effect":"Allow","Principal":"*","Action":"ssmmessages:Create*","Resource":"*"}}""" } : e), null),
        ["bastion-shut-443"] = ("ssm", () => Group(Healthy(), "sg-bastion", g => g with { Rules = [.. g.Rules.Where(r => !r.IsEgress), Out("tcp", 5432)] }), null),
        ["bastion-shut-database"] = ("ssm", () => Group(Healthy(), "sg-bastion", g => g with { Rules = [.. g.Rules.Where(r => !r.IsEgress), Out("tcp", 443)] }), null),
        ["bastion-shut-internet"] = ("ssm", () => Group(Nat(), "sg-bastion", g => g with { Rules = [.. g.Rules.Where(r => !r.IsEgress), Out("tcp", 5432)] }), null),
        ["internet-acl"] = ("ssm", () => Acl(Nat(), "subnet-a", true, 443), null),
        ["no-route-out"] = ("ssm", () => Table(Nat(), "rtb-private", t => t with { Routes = [Local] }), null),
        ["route-blackhole"] = ("ssm", () => Nat() with { Nats = [] }, null),
        ["nat-not-available"] = ("ssm", () => Nat() with { Nats = [new("nat-1", "subnet-p", "failed", "Elastic IP gone", true)] }, null),
        ["nat-in-private-subnet"] = ("ssm", () => Nat() with { Nats = [new("nat-1", "subnet-c", "available", null, true)] }, null),
        ["internet-gateway-detached"] = ("ssm", () => Open() with { InternetGateways = [] }, null),
        ["no-public-address"] = ("ssm", () => Private(Open(), i => i with { PublicAddress = null }), null),
        ["agent-too-old"] = ("ssm", () => Private(Healthy(), i => i with { AgentVersion = "3.1.1000.0" }), null),
        ["agent-asleep"] = ("ssm", () => Private(Endpoints(Healthy(), e => e with { Created = DateTimeOffset.UnixEpoch.AddHours(9) }), i => i with { PingStatus = null }), null),
        ["agent-unregistered"] = ("ssm", () => Private(Healthy(), i => i with { PingStatus = null }), null),
        ["agent-not-connected"] = ("ssm", () => Healthy() with { Connections = new Dictionary<string, bool> { ["i-private"] = false } }, null),
        ["dns-of-its-own"] = ("ssm", () => Healthy() with { Vpc = Healthy().Vpc! with { OwnNameServers = ["10.0.0.53"] }, Connections = new Dictionary<string, bool> { ["i-private"] = false } }, null),
        ["iam-auth-off"] = ("ssm iam", Healthy, null),
        ["may-not-sign-in-with-iam"] = ("ssm iam", () => Healthy() with { State = Healthy().State! with { HasIamAuthentication = true }, CallerActions = new Dictionary<string, bool> { ["rds-db:connect"] = false } }, null),
        ["agent-offline"] = ("ssm", () => Private(Healthy(), i => i with { PingStatus = "ConnectionLost" }), null),
        ["public-address-missing"] = ("ssh", () => Public(Healthy(), i => i with { PublicAddress = null }) is var t ? t with { Instances = [t.Instances[1]] } : t, null),
        ["bastion-subnet-private"] = ("ssh", () => Table(Healthy(), "rtb-public", t => t with { Routes = [Local] }), null),
        ["door-shut"] = ("ssh", () => Healthy() with { OwnAddress = IPAddress.Parse("203.0.113.99") }, null),
        ["door-acl"] = ("ssh", () => Acl(Healthy(), "subnet-p", false, 22), null),
        ["connect-endpoint-missing"] = ("eice", () => Eice() with { ConnectEndpoints = [] }, null),
        ["connect-endpoint-not-ready"] = ("eice", () => Eice() with { ConnectEndpoints = [Eice().ConnectEndpoints[0] with { State = "create-failed" }] }, null),
        ["connect-endpoint-shut"] = ("eice", () => Group(Eice(), "sg-eice", g => g with { Rules = [] }), null),
        ["bastion-shut-eice"] = ("eice", () => Group(Eice(), "sg-bastion", g => g with { Rules = [.. g.Rules.Where(r => r.IsEgress)] }), null),
        ["other-vpc"] = ("ssm", () => Private(Healthy(), i => i with { VpcId = "vpc-2" }), null),
        ["database-shut"] = ("ssm", () => Group(Healthy(), "sg-db", g => g with { Rules = [] }), null),
        ["database-shut other port"] = ("ssh", () => Group(Healthy(), "sg-db", g => g with { Rules = [new(false, "tcp", 3306, 3306, [], ["sg-bastion"], [])] }), null),
        ["database-acl in"] = ("ssm", () => Acl(Healthy(), "subnet-c", false, 5432), null),
        ["database-acl answers"] = ("ssm", () => Acl(Healthy(), "subnet-c", true, 40_000, 1024, 65_535), null),
        ["database-not-available stopped"] = ("ssm", () => Db(Healthy(), d => d with { Status = "stopped" }), null),
        ["database-not-available kms"] = ("ssh", () => Db(Healthy(), d => d with { Status = "inaccessible-encryption-credentials-recoverable" }), null),
        ["database-without-instance"] = ("ssm", () => Healthy() with { State = Healthy().State! with { Members = [] } }, null),
        ["database-without-writer"] = ("ssm", () => Healthy() with { State = Healthy().State! with { Members = [("app-1", true, "creating")] } }, null),
        ["secret-missing"] = ("ssm", () => Healthy() with { Secret = null, Unread = new Dictionary<string, string> { [TopologyQuestions.Secret] = "ResourceNotFoundException: gone" } }, null),
        ["secret-deleted"] = ("ssm", () => Healthy() with { Secret = new("1764000000", null) }, null),
        ["kms-unreachable"] = ("ssm", () => Healthy() with { Preferences = new("alias/sessions", null, null, null, null) }, null),
    };

    private static Settings Via(string route) => s_auto with { CommandLine = new() { Via = route.Split(' ')[0], Auth = route.EndsWith(" iam", StringComparison.Ordinal) ? "iam" : null } };

    private static RouteFacts Local => new("10.0.0.0/16", "local", false);

    private static GroupRuleFacts Out(string protocol, int port) => new(true, protocol, port, port, ["0.0.0.0/0"], [], []);

    private static Topology Healthy()
    {
        var database = new Database
        {
            Kind = DatabaseKind.Cluster,
            Id = "app",
            Arn = "arn:aws:rds:ap-northeast-1:1:cluster:app",
            Engine = "aurora-postgresql",
            Status = "available",
            Endpoint = "app.cluster-x.ap-northeast-1.rds.amazonaws.com",
            Port = 5432,
            VpcId = "vpc-1",
            SecurityGroupIds = ["sg-db"],
            MasterSecretArn = "arn:aws:secretsmanager:ap-northeast-1:1:secret:rds!cluster-1",
            MinCapacity = 0.5,
        };
        var all = new GroupRuleFacts(true, "-1", 0, 65_535, ["0.0.0.0/0"], [], []);
        EndpointFacts Endpoint(string service) => new($"vpce-{service}", service, false, "available", true, ["subnet-a"], ["sg-endpoints"], null, DateTimeOffset.UnixEpoch, new Dictionary<string, string>());
        return new Topology
        {
            Region = "ap-northeast-1",
            Caller = new CallerIdentity("1", "arn:aws:iam::1:user/alice", "AIDA1"),
            OwnAddress = IPAddress.Parse("203.0.113.7"),
            ClockOffset = TimeSpan.FromSeconds(1),
            Target = new Target { Name = "cluster/app", Address = new HostPort(database.Endpoint!, 5432), Database = database },
            State = new DatabaseState { Members = [("app-1", true, "available")], Zones = ["ap-northeast-1c"], SubnetIds = ["subnet-a", "subnet-c"], SecretStatus = "active" },
            Secret = new SecretState(null, null),
            Vpc = new VpcFacts("vpc-1", ["10.0.0.0/16"], "main", true, true),
            Subnets = [new("subnet-a", "ap-northeast-1a", "10.0.10.0/24", "private-a"), new("subnet-c", "ap-northeast-1c", "10.0.11.0/24", "private-c"), new("subnet-p", "ap-northeast-1a", "10.0.0.0/24", "public-a")],
            RouteTables = [new("rtb-main", true, [], [Local]), new("rtb-private", false, ["subnet-a", "subnet-c"], [Local]), new("rtb-public", false, ["subnet-p"], [Local, new("0.0.0.0/0", "igw-1", false)])],
            NetworkAcls = [new("acl-1", true, ["subnet-a", "subnet-c", "subnet-p"], [new(100, false, true, "-1", 0, 65_535, "0.0.0.0/0"), new(100, true, true, "-1", 0, 65_535, "0.0.0.0/0"), new(32_767, false, false, "-1", 0, 65_535, "0.0.0.0/0"), new(32_767, true, false, "-1", 0, 65_535, "0.0.0.0/0")])],
            Groups =
            [
                new("sg-bastion", "bastion", [all, new(false, "tcp", 22, 22, ["203.0.113.7/32"], [], [])], new Dictionary<string, string>()),
                new("sg-db", "db", [all, new(false, "tcp", 5432, 5432, [], ["sg-bastion"], [])], new Dictionary<string, string>()),
                new("sg-endpoints", "endpoints", [all, new(false, "tcp", 443, 443, [], ["sg-bastion"], [])], new Dictionary<string, string>()),
            ],
            Endpoints = [Endpoint("ssm"), Endpoint("ssmmessages"), Endpoint("ec2messages")],
            InternetGateways = ["igw-1"],
            Instances =
            [
                new() { Id = "i-private", Name = "private-bastion", State = "running", VpcId = "vpc-1", SubnetId = "subnet-a", PrivateAddress = IPAddress.Parse("10.0.10.9"), GroupIds = ["sg-bastion"], ProfileArn = "arn:aws:iam::1:instance-profile/b", PingStatus = "Online", AgentVersion = "3.3.1142.0", Launched = DateTimeOffset.UnixEpoch.AddHours(1) },
                new() { Id = "i-public", Name = "public-bastion", State = "running", VpcId = "vpc-1", SubnetId = "subnet-p", PrivateAddress = IPAddress.Parse("10.0.0.9"), PublicAddress = IPAddress.Parse("198.51.100.5"), GroupIds = ["sg-bastion"] },
            ],
            Roles = new Dictionary<string, InstanceRole?> { ["arn:aws:iam::1:instance-profile/b"] = new("b", "b", "arn:aws:iam::1:role/b") },
            RoleActions = new Dictionary<string, IReadOnlyDictionary<string, bool>> { ["arn:aws:iam::1:role/b"] = Actions.Split(' ').ToDictionary(a => a, _ => true) },
            CallerActions = new Dictionary<string, bool> { ["ssm:StartSession"] = true, ["ssmmessages:OpenDataChannel"] = true, ["ec2-instance-connect:SendSSHPublicKey"] = true, ["secretsmanager:GetSecretValue"] = true },
            Preferences = new SessionPreferences(null, null, null, null, null),
        };
    }

    private static Topology Nat() => Table(Healthy() with { Endpoints = [], Nats = [new("nat-1", "subnet-p", "available", null, true)] }, "rtb-private", t => t with { Routes = [Local, new("0.0.0.0/0", "nat-1", false)] });

    private static Topology Open() => Private(Healthy() with { Endpoints = [] }, i => i with { SubnetId = "subnet-p", PublicAddress = IPAddress.Parse("198.51.100.6") });

    private static Topology Eice()
    {
        var all = new GroupRuleFacts(true, "-1", 0, 65_535, ["0.0.0.0/0"], [], []);
        var with = Healthy() with { ConnectEndpoints = [new("eice-1", "subnet-a", "create-complete", ["sg-eice"], false)] };
        with = with with { Groups = [.. with.Groups, new("sg-eice", "eice", [all], new Dictionary<string, string>())] };
        return Group(with, "sg-bastion", g => g with { Rules = [.. g.Rules, new(false, "tcp", 22, 22, [], ["sg-eice"], [])] });
    }

    private static Topology May(string not) => Healthy() with { CallerActions = Healthy().CallerActions.ToDictionary(a => a.Key, a => a.Key != not) };

    private static Topology Private(Topology t, Func<InstanceFacts, InstanceFacts> change) => t with { Instances = [change(t.Instances[0]), .. t.Instances.Skip(1)] };

    private static Topology Public(Topology t, Func<InstanceFacts, InstanceFacts> change) => t with { Instances = [t.Instances[0], change(t.Instances[1])] };

    private static Topology Group(Topology t, string id, Func<GroupFacts, GroupFacts> change) => t with { Groups = [.. t.Groups.Select(g => g.Id == id ? change(g) : g)] };

    private static Topology Table(Topology t, string id, Func<RouteTableFacts, RouteTableFacts> change) => t with { RouteTables = [.. t.RouteTables.Select(r => r.Id == id ? change(r) : r)] };

    private static Topology Endpoints(Topology t, Func<EndpointFacts, EndpointFacts?> change) => t with { Endpoints = [.. t.Endpoints.Select(change).OfType<EndpointFacts>()] };

    private static Topology Db(Topology t, Func<Database, Database> change) => t with { Target = t.Target with { Database = change(t.Target.Database!) } };

    private static Topology Acl(Topology t, string subnet, bool egress, int port, int? from = null, int? to = null)
    {
        var shut = t.NetworkAcls[0] with { Id = "acl-2", IsDefault = false, SubnetIds = [subnet], Entries = [new(50, egress, false, "6", from ?? port, to ?? port, "0.0.0.0/0"), .. t.NetworkAcls[0].Entries] };
        return t with { NetworkAcls = [t.NetworkAcls[0] with { SubnetIds = [.. t.NetworkAcls[0].SubnetIds.Where(s => s != subnet)] }, shut] };
    }
}
