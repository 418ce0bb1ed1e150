using System.Text.Json;
using Fumidai.Lab;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary>
/// The mission's architecture in a lab of its control plane, broken in one way at a time: doctor names exactly that, and what it says to paste turns
/// the path green. The lab's own reading of the rules (apart from the product's) decides whether the agent is online.
/// </summary>
public sealed class DoctorLabTests : IAsyncLifetime
{
    private StackLab _lab = null!;
    private PastedCommand _paste = null!;

    public async ValueTask InitializeAsync()
    {
        _lab = await StackLab.StartAsync(isEmpty: false, agents: Agents);
        _paste = new PastedCommand(_lab.Url);
    }

    public async ValueTask DisposeAsync()
    {
        _paste.Dispose();
        await _lab.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_is_named_on_a_healthy_path()
    {
        foreach (var route in (string[])["auto", "ssm", "ssh"])
            Assert.Equal((0, ""), Told(await DoctorAsync(route)));
        Change(Nat);
        Assert.Equal((0, ""), Told(await DoctorAsync("ssm")));
        Change(ConnectEndpoint);
        Assert.Equal((0, ""), Told(await DoctorAsync("eice")));
    }

    [Fact]
    public async Task Each_single_break_is_named_alone_and_its_fix_turns_the_path_green()
    {
        var wrong = new List<string>();
        foreach (var (name, (route, make, isMended)) in Breaks)
        {
            await DisposeAsync();
            await InitializeAsync();
            Change(make);
            var broken = await DoctorAsync(route);
            var rule = name.Split(' ')[0];
            if (Told(broken).Rules != rule || broken.GetProperty("exit_code").GetInt32() == 0)
            {
                wrong.Add($"{name}: {Told(broken)}");
                continue;
            }
            var finding = broken.GetProperty("routes")[0].GetProperty("findings").EnumerateArray().Single(f => f.GetProperty("kind").GetString() == "broken");
            Assert.NotEmpty(finding.GetProperty("evidence").GetString()!);
            if (!isMended)
                continue;
            var fix = finding.GetProperty("fix").GetString()!;
            try
            {
                await _paste.RunAsync(fix);
            }
            catch (Exception e) when (e is Xunit.Sdk.XunitException or InvalidOperationException or KeyNotFoundException)
            {
                wrong.Add($"{name}: {fix}: {e.Message}");
                continue;
            }
            var after = await DoctorAsync(route);
            // What the lab makes takes it a moment.
            for (var tries = 0; tries < 50 && Told(after) != (0, ""); tries++)
                after = await DoctorAsync(route);
            if (Told(after) != (0, ""))
                wrong.Add($"{name}: after {fix}: {Told(after)}");
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public async Task Of_two_breaks_both_are_named_in_the_order_of_the_path()
    {
        Change(m =>
        {
            Group(m, "endpoints").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress);
            Group(m, "aurora").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress);
        });
        Assert.Equal((6, "endpoint-shut database-shut"), Told(await DoctorAsync("ssm")));
    }

    [Fact]
    public async Task A_way_that_works_is_enough_for_exit_code_0_and_the_broken_one_is_named_all_the_same()
    {
        Change(m => Group(m, "endpoints").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress));
        Assert.Equal((0, "endpoint-shut"), Told(await DoctorAsync("auto")));
    }

    [Fact]
    public async Task What_is_ours_is_mended_after_a_yes_and_looked_at_again()
    {
        Change(m =>
        {
            var group = Group(m, "aurora");
            group.Tags["fumidai:stack"] = "fumidai";
            group.Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress);
        });
        var refused = await _lab.RunAsync(new ScriptedAnswers("no"), "doctor", "cluster/app", "--via", "ssm", "--no-proof", "--fix", "--region", LabRegions.Main, "--endpoint-url", _lab.Url);
        Assert.Equal(6, refused.ExitCode);
        Assert.Contains("database-shut", refused.Output, StringComparison.Ordinal);

        var answers = new ScriptedAnswers("yes");
        var mended = await _lab.RunAsync(answers, "doctor", "cluster/app", "--via", "ssm", "--no-proof", "--fix", "--region", LabRegions.Main, "--endpoint-url", _lab.Url);
        Assert.True(mended.ExitCode == 0, mended.ToString());
        Assert.Single(answers.Asked);
        Assert.DoesNotContain("database-shut", mended.Output, StringComparison.Ordinal);
        Assert.Contains(_lab.Read(m => Group(m, "aurora").Rules), r => r is { Direction: RuleDirection.Ingress, FromPort: 5432 });
    }

    [Fact]
    public async Task What_is_not_ours_is_never_touched()
    {
        Change(m => Group(m, "aurora").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress));
        var before = _lab.Inventory();
        var run = await _lab.HereAsync("doctor", "cluster/app", "--via", "ssm", "--no-proof", "--fix", "--yes");
        Assert.Equal(6, run.ExitCode);
        Assert.Equal(before, _lab.Inventory());
    }

    [Fact]
    public async Task A_large_account_is_read_in_a_bounded_number_of_calls()
    {
        Change(m =>
        {
            var bastion = Private(m);
            for (var i = 0; i < 300; i++)
            {
                var instance = new Instance { Id = Ids.Ec2("i"), Account = bastion.Account, Region = bastion.Region, VpcId = bastion.VpcId, SubnetId = bastion.SubnetId, AvailabilityZone = bastion.AvailabilityZone, PrivateAddress = System.Net.IPAddress.Parse($"127.86.10.{20 + (i % 200)}") };
                m.Instances[instance.Id] = instance;
            }
            for (var i = 0; i < 100; i++)
            {
                var group = new SecurityGroup { Id = Ids.Ec2("sg"), Account = bastion.Account, Region = bastion.Region, VpcId = bastion.VpcId, Name = $"group-{i}", Description = "one of many" };
                m.SecurityGroups[group.Id] = group;
            }
            var app = m.DbClusters["app"];
            for (var i = 0; i < 50; i++)
                m.DbClusters[$"c{i}"] = new DbCluster { Id = $"c{i}", Account = app.Account, Region = app.Region, Engine = app.Engine, EngineVersion = app.EngineVersion, Endpoint = $"c{i}.{app.Endpoint}", ReaderEndpoint = $"c{i}.{app.ReaderEndpoint}", Address = System.Net.IPAddress.Parse($"127.86.11.{20 + i}"), SubnetGroup = app.SubnetGroup, MasterUsername = "postgres", ResourceId = Ids.RdsResource("cluster") };
        });
        var calls = 0;
        _lab.OnCall = _ => Interlocked.Increment(ref calls);
        Assert.Equal((0, ""), Told(await DoctorAsync("auto")));
        Assert.InRange(calls, 15, 60);
    }

    private static IReadOnlyDictionary<string, (string Route, Action<LabModel> Make, bool IsMended)> Breaks { get; } = new Dictionary<string, (string, Action<LabModel>, bool)>(StringComparer.Ordinal)
    {
        ["bastion-missing"] = ("ssm", m => m.Instances.Clear(), false),
        ["bastion-stopped"] = ("ssm", m => Private(m).State = "stopped", true),
        ["bastion-stopped ssh"] = ("ssh", m => Public(m).State = "stopped", true),
        ["metadata-off"] = ("ssm", m => Private(m).HttpEndpoint = "disabled", true),
        ["profile-missing"] = ("ssm", m => (Private(m).InstanceProfileArn, Private(m).ProfileAssociationId) = (null, null), true),
        ["role-missing"] = ("ssm", m => m.InstanceProfiles[Private(m).InstanceProfileArn!].RoleName = null, true),
        ["role-too-narrow"] = ("ssm", m => Role(m).AttachedPolicyArns.Clear(), true),
        ["role-too-narrow one action"] = ("ssm", m => Narrow(Role(m)), true),
        ["agent-too-old"] = ("ssm", m => Private(m).AgentVersion = "3.1.1000.0", false),
        ["dns-support-off"] = ("ssm", m => Vpc(m).EnableDnsSupport = false, true),
        ["dns-hostnames-off"] = ("ssm", m => Vpc(m).EnableDnsHostnames = false, true),
        ["endpoint-missing ssm"] = ("ssm", m => m.Endpoints.Remove(Endpoint(m, "ssm").Id), true),
        ["endpoint-missing ssmmessages"] = ("ssm", m => m.Endpoints.Remove(Endpoint(m, "ssmmessages").Id), true),
        ["endpoint-missing ec2messages"] = ("ssm", m =>
        {
            Private(m).AgentVersion = "3.2.2000.0";
            m.Endpoints.Remove(Endpoint(m, "ec2messages").Id);
        }, true),
        ["endpoint-not-available"] = ("ssm", m => Endpoint(m, "ssm").State = "failed", false),
        ["private-dns-off ssm"] = ("ssm", m => Endpoint(m, "ssm").PrivateDnsEnabled = false, true),
        ["private-dns-off ssmmessages"] = ("ssm", m => Endpoint(m, "ssmmessages").PrivateDnsEnabled = false, true),
        ["endpoint-without-subnet"] = ("ssm", m => Endpoint(m, "ssm").Interfaces.Clear(), true),
        ["endpoint-shut"] = ("ssm", m => Group(m, "endpoints").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress), true),
        ["endpoint-shut other port"] = ("ssm", m => Only(Group(m, "endpoints"), RuleDirection.Ingress, 444), true),
        ["endpoint-policy"] = ("ssm", m => Endpoint(m, "ssmmessages").PolicyDocument = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ssmmessages:Create*","Resource":"*"}]}""", true),
        ["endpoint-acl"] = ("ssm", m => Refuse(m, "127.86.10.0/24", true, 443, "127.86.11.0/24", moveEndpoints: true), true),
        ["bastion-shut-443"] = ("ssm", m => Only(Group(m, "ec2"), RuleDirection.Egress, 5432), true),
        ["bastion-shut-database"] = ("ssm", m => Only(Group(m, "ec2"), RuleDirection.Egress, 443), true),
        ["bastion-shut-internet"] = ("ssm", m =>
        {
            Nat(m);
            Only(Group(m, "ec2"), RuleDirection.Egress, 5432);
        }, true),
        ["no-route-out"] = ("ssm", m =>
        {
            Nat(m);
            Table(m, "private").Routes.RemoveAt(1);
        }, true),
        ["no-route-out without nat"] = ("ssm", m => m.Endpoints.Clear(), true),
        ["route-blackhole"] = ("ssm", m =>
        {
            Nat(m);
            m.NatGateways.Clear();
        }, false),
        ["nat-not-available"] = ("ssm", m =>
        {
            Nat(m);
            m.NatGateways.Values.Single().State = "failed";
        }, false),
        ["nat-in-private-subnet"] = ("ssm", m =>
        {
            Nat(m);
            Table(m, "public").Routes.RemoveAt(1);
        }, true),
        ["internet-gateway-detached"] = ("ssm", m =>
        {
            Open(m);
            m.InternetGateways.Values.Single().VpcId = null;
        }, true),
        ["no-public-address"] = ("ssm", m =>
        {
            Open(m);
            Private(m).PublicAddress = null;
        }, true),
        ["internet-acl"] = ("ssm", m =>
        {
            Nat(m);
            Refuse(m, "127.86.10.0/24", true, 443, "0.0.0.0/0");
        }, true),
        ["public-address-missing"] = ("ssh", m =>
        {
            m.Instances.Remove(Private(m).Id);
            Public(m).PublicAddress = null;
        }, true),
        ["bastion-subnet-private"] = ("ssh", m => Table(m, "public").Routes.RemoveAt(1), true),
        ["door-shut"] = ("ssh", m => Group(m, "ec2").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress), true),
        ["door-shut other address"] = ("ssh", m => Only(Group(m, "ec2"), RuleDirection.Ingress, 22, "203.0.113.9/32"), true),
        ["door-acl"] = ("ssh", m => Refuse(m, "127.86.0.0/24", false, 22, "0.0.0.0/0"), true),
        ["door-acl answers"] = ("ssh", m => Refuse(m, "127.86.0.0/24", true, 32_768, "0.0.0.0/0", to: 65_535), true),
        ["connect-endpoint-missing"] = ("eice", m => Group(m, "ec2").Rules.Add(new SecurityGroupRule(Ids.Ec2("sgr"), RuleDirection.Ingress, "tcp", 22, 22, null, Group(m, "ec2").Id, null)), true),
        ["connect-endpoint-not-ready"] = ("eice", m =>
        {
            ConnectEndpoint(m);
            m.ConnectEndpoints.Values.Single().State = "create-failed";
        }, false),
        ["connect-endpoint-shut"] = ("eice", m =>
        {
            ConnectEndpoint(m);
            Group(m, "door").Rules.RemoveAll(r => r.Direction == RuleDirection.Egress);
        }, true),
        ["bastion-shut-eice"] = ("eice", m =>
        {
            ConnectEndpoint(m);
            Group(m, "ec2").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress);
        }, true),
        ["database-shut"] = ("ssm", m => Group(m, "aurora").Rules.RemoveAll(r => r.Direction == RuleDirection.Ingress), true),
        ["database-shut other port"] = ("ssh", m => Only(Group(m, "aurora"), RuleDirection.Ingress, 3306, groupId: Group(m, "ec2").Id), true),
        ["database-acl"] = ("ssh", m => Refuse(m, "127.86.10.0/24", false, 5432, "0.0.0.0/0"), true),
        ["database-not-available stopped"] = ("ssm", m => m.DbClusters["app"].Status = "stopped", true),
        ["database-not-available key"] = ("ssh", m => m.DbClusters["app"].Status = "inaccessible-encryption-credentials-recoverable", false),
        ["database-without-instance"] = ("ssm", m => m.DbInstances.Clear(), true),
        ["database-without-writer"] = ("ssm", m => m.DbInstances["app-1"].Status = "creating", false),
        ["secret-missing"] = ("ssm", m => m.Secrets.Clear(), false),
        ["secret-deleted"] = ("ssm", m => m.Secrets.Values.Single().DeletedAt = DateTimeOffset.UtcNow, true),
        ["may-not-start-session"] = ("ssm", m => Deny(m, "ssm:StartSession"), false),
        ["may-not-open-channel"] = ("ssm", m => Deny(m, "ssmmessages:OpenDataChannel"), false),
        ["may-not-push-key"] = ("ssh", m => Deny(m, "ec2-instance-connect:SendSSHPublicKey"), false),
        ["may-not-read-secret"] = ("ssm", m => Deny(m, "secretsmanager:GetSecretValue"), false),
        ["kms-unreachable"] = ("ssm", m => m.SessionPreferences[$"{LabAccounts.Main}/{LabRegions.Main}"] = ("""{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"kmsKeyId":"alias/sessions"}}""", 1), true),
    };

    private async Task<JsonElement> DoctorAsync(string route)
    {
        var run = await _lab.HereAsync("doctor", "cluster/app", "--via", route, "--no-proof", "--json");
        var json = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal(run.ExitCode, json.GetProperty("exit_code").GetInt32());
        // A secret that is not there is not known either.
        Assert.All(json.GetProperty("not_known").EnumerateObject(), q => Assert.Equal(TopologyQuestions.Secret, q.Name));
        return json;
    }

    private static (int Code, string Rules) Told(JsonElement report) => (report.GetProperty("exit_code").GetInt32(), string.Join(' ', report.GetProperty("routes").EnumerateArray()
        .SelectMany(r => r.GetProperty("findings").EnumerateArray()).Where(f => f.GetProperty("rule").GetString() != "client-missing").Select(f => f.GetProperty("rule").GetString()).Distinct()));

    private void Change(Action<LabModel> change) => _lab.Change(change);

    /// <summary>Who has a profile registered once; who gets through now is online.</summary>
    private static IReadOnlyList<ManagedInstance> Agents(LabContext context) => [.. context.Model.Read(m => m.Instances.Values.Where(i => i.State != "terminated").ToList())
        .Where(i => i.PublicAddress is null || i.InstanceProfileArn is not null)
        .Select(i => (Instance: i, IsOnline: Reachability.AgentOnline(context.Model, i.Id).Verdict == Fumidai.Lab.Verdict.Open))
        .Where(i => i.IsOnline || i.Instance.InstanceProfileArn is not null)
        .Select(i => new ManagedInstance(i.Instance.Id, i.Instance.AgentVersion, i.IsOnline, i.IsOnline ? context.Time.GetUtcNow() : DateTimeOffset.UnixEpoch))];

    private static Vpc Vpc(LabModel m) => m.Vpcs[Private(m).VpcId];

    private static Instance Private(LabModel m) => m.Instances.Values.Single(i => i.Tags.GetValueOrDefault("Name") == "private-bastion");

    private static Instance Public(LabModel m) => m.Instances.Values.Single(i => i.Tags.GetValueOrDefault("Name") == "public-bastion");

    private static Role Role(LabModel m) => m.FindRole(LabAccounts.Main, "private-bastion")!;

    private static SecurityGroup Group(LabModel m, string name) => m.SecurityGroups.Values.Single(g => g.Name == name && g.Region == LabRegions.Main);

    private static VpcEndpoint Endpoint(LabModel m, string service) => m.Endpoints.Values.Single(e => e.ServiceName.EndsWith("." + service, StringComparison.Ordinal));

    private static RouteTable Table(LabModel m, string name) => m.RouteTables.Values.Single(t => t.Tags.GetValueOrDefault("Name") == name);

    private static Subnet Subnet(LabModel m, string cidr) => m.Subnets.Values.Single(s => s.Cidr.ToString() == Here(m, cidr));

    // A second lab on this machine has another block.
    private static string Here(LabModel m, string cidr) => cidr.Replace("127.86.", string.Join('.', m.DbClusters["app"].Address.ToString().Split('.')[..2]) + ".", StringComparison.Ordinal);

    private static void Only(SecurityGroup group, RuleDirection direction, int port, string? cidr = null, string? groupId = null)
    {
        group.Rules.RemoveAll(r => r.Direction == direction);
        group.Rules.Add(new SecurityGroupRule(Ids.Ec2("sgr"), direction, "tcp", port, port, groupId is null ? cidr ?? "0.0.0.0/0" : null, groupId, null));
    }

    private static void Narrow(Role role)
    {
        role.AttachedPolicyArns.Clear();
        role.InlinePolicies["own"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:*","ssmmessages:Create*","ssmmessages:OpenControlChannel"],"Resource":"*"}]}""";
    }

    private static void Deny(LabModel m, string action) => m.Users[LabModel.Key(LabAccounts.Main, "builder")].InlinePolicies["only"] =
        $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"{{action}}","Resource":"*"}]}""";

    private static void Refuse(LabModel m, string at, bool egress, int port, string cidr, int? to = null, bool moveEndpoints = false)
    {
        var subnet = Subnet(m, at);
        var acl = NetworkAcl.New(Vpc(m), Ids.Ec2("acl"), isDefault: false);
        acl.Entries.AddRange(NetworkAcl.DefaultOf(m, Vpc(m)).Entries);
        acl.Entries.Add(new NetworkAclEntry(50, egress, false, "6", port, to ?? port, System.Net.IPNetwork.Parse(Here(m, cidr))));
        acl.Associations[subnet.Id] = Ids.Ec2("aclassoc");
        m.NetworkAcls[acl.Id] = acl;
        foreach (var endpoint in moveEndpoints ? [.. m.Endpoints.Values] : Array.Empty<VpcEndpoint>())
            endpoint.Interfaces.Remove(subnet.Id);
    }

    private static void Nat(LabModel m)
    {
        m.Endpoints.Clear();
        var vpc = Vpc(m);
        var nat = new NatGateway { Id = Ids.Ec2("nat"), Account = vpc.Account, Region = vpc.Region, VpcId = vpc.Id, SubnetId = Public(m).SubnetId };
        m.NatGateways[nat.Id] = nat;
        Table(m, "private").Routes.Add(new Route("0.0.0.0/0", nat.Id));
    }

    // The private bastion's subnet made a public one.
    private static void Open(LabModel m)
    {
        m.Endpoints.Clear();
        Private(m).PublicAddress = System.Net.IPAddress.Parse("127.86.254.77");
        Table(m, "private").Routes.Add(new Route("0.0.0.0/0", m.InternetGateways.Values.Single().Id));
        m.Instances.Remove(Public(m).Id);
    }

    private static void ConnectEndpoint(LabModel m)
    {
        var bastion = Private(m);
        var group = new SecurityGroup { Id = Ids.Ec2("sg"), Account = bastion.Account, Region = bastion.Region, VpcId = bastion.VpcId, Name = "door", Description = "Instance Connect" };
        group.Rules.Add(SecurityGroupLifeCalls.EverythingOut());
        m.SecurityGroups[group.Id] = group;
        Group(m, "ec2").Rules.Add(new SecurityGroupRule(Ids.Ec2("sgr"), RuleDirection.Ingress, "tcp", 22, 22, null, group.Id, null));
        var endpoint = new ConnectEndpoint { Id = Ids.Ec2("eice"), Account = bastion.Account, Region = bastion.Region, VpcId = bastion.VpcId, SubnetId = bastion.SubnetId, AvailabilityZone = bastion.AvailabilityZone, Address = AddressPlan.Next(m, m.Subnets[bastion.SubnetId]), DnsName = "localhost", State = "create-complete" };
        endpoint.SecurityGroupIds.Add(group.Id);
        m.ConnectEndpoints[endpoint.Id] = endpoint;
    }
}
