using Fumidai.Aws;

namespace Fumidai;

/// <summary>
/// How the agent reaches Session Manager: per service an endpoint of the VPC with its private name, else the internet (rows 16–28, §2.1, §2.2).
/// </summary>
internal static class WayOutRules
{
    private static readonly Version s_withoutEc2Messages = new(3, 3, 40, 0);

    internal static readonly Rule[] All =
    [
        new("dns-support-off", Hop.Way, v => Applies(v) && v.Topology.Vpc is { HasDnsSupport: false } vpc
            ? new("dns-support-off", Hop.Way, "the VPC resolves no names", $"{vpc.Id} has enableDnsSupport off", Fixes.Sentence($"aws ec2 modify-vpc-attribute --vpc-id {vpc.Id} --enable-dns-support")) : null),
        new("dns-hostnames-off", Hop.Way, v => Applies(v) && v.Topology.Vpc is { HasDnsSupport: true, HasDnsHostnames: false } vpc && Needed(v).Any(s => Of(v, s) is not null) && v.Topology.NoWayOut(v.Bastion!) is not null
            ? new("dns-hostnames-off", Hop.Way, "the endpoints' private names do not resolve", $"{vpc.Id} has enableDnsHostnames off", Fixes.Sentence($"aws ec2 modify-vpc-attribute --vpc-id {vpc.Id} --enable-dns-hostnames")) : null),
        Service("endpoint-missing", (v, service) => Of(v, service) is null && Needed(v).Any(s => Of(v, s) is not null) && NoInternet(v)
            ? new("endpoint-missing", Hop.Way, $"the VPC has no endpoint for {service}", $"{v.Topology.Vpc?.Id} has endpoints for {string.Join(", ", v.Topology.Endpoints.Where(e => !e.IsGateway).Select(e => e.Service).Distinct(StringComparer.Ordinal))}, and {v.Topology.NoWayOut(v.Bastion!)!.Evidence}",
                Fixes.Sentence(Fixes.CreateEndpoint(v, service))) : null),
        Service("endpoint-not-available", (v, service) => Of(v, service) is { State: not "available" } e && NoInternet(v)
            ? new("endpoint-not-available", Hop.Way, $"the endpoint for {service} does not work", $"{e.Id} is {e.State}", Fixes.Sentence(e.State is "pending" or "pendingacceptance" ? "wait until it is available" : $"aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {e.Id}, then {Fixes.CreateEndpoint(v, service)}")) : null),
        Service("private-dns-off", (v, service) => Of(v, service) is { State: "available", HasPrivateDns: false } e && NoInternet(v)
            ? new("private-dns-off", Hop.Way, $"the name of {service} does not lead to its endpoint", $"{e.Id} has private DNS off", Fixes.PrivateDns(e)) : null),
        Service("endpoint-without-subnet", (v, service) => Of(v, service) is { State: "available", SubnetIds.Count: 0 } e && NoInternet(v)
            ? new("endpoint-without-subnet", Hop.Way, $"the endpoint for {service} stands in no subnet", $"{e.Id} has no interface", Fixes.Sentence($"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {e.Id} --add-subnet-ids {v.Bastion!.SubnetId}")) : null),
        Service("endpoint-shut", (v, service) => Used(v, service) is { GroupIds: [var first, ..] } e && !v.Topology.Admit(e.GroupIds, false, 443, v.Bastion!.PrivateAddress, v.Bastion.GroupIds)
            ? new("endpoint-shut", Hop.Way, $"the endpoint for {service} does not let the bastion in", $"no rule of {string.Join(", ", e.GroupIds)} ({e.Id}) admits {v.Bastion.Id} to port 443",
                Fixes.AdmitGroup(first, false, 443, FirstGroup(v), v.StackOfGroup(first))) : null),
        Service("bastion-shut-443", (v, service) => Used(v, service) is { } e && !v.Topology.Admit(v.Bastion!.GroupIds, true, 443, AddressOf(v, e), e.GroupIds)
            ? new("bastion-shut-443", Hop.Way, "the bastion's security group does not let it out to Session Manager", $"no rule of {string.Join(", ", v.Bastion.GroupIds)} lets {v.Bastion.Id} out to {e.Id} on port 443",
                Fixes.AdmitGroup(FirstGroup(v), true, 443, e.GroupIds.Count > 0 ? e.GroupIds[0] : FirstGroup(v), v.StackOfGroup(FirstGroup(v)))) : null),
        Service("endpoint-acl", (v, service) => Used(v, service) is { } e && e.SubnetIds.Count > 0 && BlockTo(v, e) is { } block
            ? new("endpoint-acl", Hop.Way, $"a network ACL stops the bastion on its way to {service}", block.Evidence, Fixes.Acl(block, Before(block))) : null),
        Service("endpoint-policy", (v, service) => Used(v, service) is { Policy: { } policy } e && PolicyReading.Denied(policy, TopologyQuestions.OfAgent.Where(a => a.StartsWith(service + ":", StringComparison.Ordinal))) is { } denied
            ? new("endpoint-policy", Hop.Way, $"the policy of the endpoint for {service} is too narrow", $"{e.Id} does not allow {denied}", Fixes.Sentence($"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {e.Id} --reset-policy")) : null),
        new("way-out-missing", Hop.Way, v =>
        {
            // A design with NAT or an internet gateway: no endpoint at all for what the agent needs.
            if (!Applies(v) || !v.Topology.Knows(TopologyQuestions.Endpoints) || Needed(v).Any(s => Of(v, s) is not null) || v.Topology.NoWayOut(v.Bastion!) is not { } problem)
                return null;
            return new(problem.Rule, Hop.Way, "the bastion has no way to Session Manager", $"{problem.Evidence}, and there is no endpoint for {Needed(v)[0]}", FixOf(v, problem));
        }),
        new("bastion-shut-internet", Hop.Way, v => Applies(v) && Needed(v).FirstOrDefault(s => Used(v, s) is null) is { } open && v.Topology.NoWayOut(v.Bastion!) is null
            && !v.Topology.Admit(v.Bastion!.GroupIds, true, 443, RouteReading.Outside, [])
            ? new("bastion-shut-internet", Hop.Way, "the bastion's security group does not let it out to Session Manager", $"no rule of {string.Join(", ", v.Bastion.GroupIds)} lets {v.Bastion.Id} out to {open}.{v.Topology.Region}.amazonaws.com on port 443",
                Fixes.AdmitRange(FirstGroup(v), true, 443, "0.0.0.0/0", v.StackOfGroup(FirstGroup(v)))) : null),
        new("internet-acl", Hop.Way, v => Applies(v) && Needed(v).Any(s => Used(v, s) is null) && v.Topology.NoWayOut(v.Bastion!) is null
            && v.Topology.Stops(v.Bastion!.SubnetId, v.Bastion.PrivateAddress, null, RouteReading.Outside, 443) is { } block
            ? new("internet-acl", Hop.Way, "a network ACL stops the bastion on its way to Session Manager", block.Evidence, Fixes.Acl(block with { Other = "0.0.0.0/0" }, Before(block))) : null),
    ];

    internal static IReadOnlyList<string> Needed(PathView v) =>
        v.Bastion?.AgentVersion is { } text && Version.TryParse(text, out var version) && version < s_withoutEc2Messages ? ["ssm", "ssmmessages", "ec2messages"] : ["ssm", "ssmmessages"];

    internal static int Before(AclBlock block) => block.Entry is { Number: < 32_767 } e ? Math.Max(1, e.Number - 1) : 90;

    /// <summary>The endpoint that a service's own name leads to.</summary>
    private static EndpointFacts? Used(PathView v, string service) => v.Topology.Vpc is { HasDnsSupport: true, HasDnsHostnames: true }
        ? v.Topology.Endpoints.FirstOrDefault(e => !e.IsGateway && e.Service == service && e is { State: "available", HasPrivateDns: true, SubnetIds.Count: > 0 }) : null;

    private static EndpointFacts? Of(PathView v, string service) =>
        v.Topology.Endpoints.Where(e => !e.IsGateway && e.Service == service).OrderByDescending(e => e is { State: "available", HasPrivateDns: true }).FirstOrDefault();

    private static bool Applies(PathView v) => v.IsSsm && v.Bastion is { State: "running" or "stopped" or "pending" };

    private static bool NoInternet(PathView v) => v.Topology.Knows(TopologyQuestions.Endpoints) && v.Topology.NoWayOut(v.Bastion!) is not null;

    private static string FirstGroup(PathView v) => v.Bastion!.GroupIds.Count > 0 ? v.Bastion.GroupIds[0] : "sg-…";

    private static Rule Service(string name, Func<PathView, string, Finding?> check) =>
        new(name, Hop.Way, v => Applies(v) && v.Topology.Vpc is not { HasDnsSupport: false } ? Needed(v).Select(service => check(v, service)).FirstOrDefault(f => f is not null) : null);

    private static System.Net.IPAddress? AddressOf(PathView v, EndpointFacts e) =>
        v.Topology.Subnets.FirstOrDefault(s => e.SubnetIds.Contains(s.Id, StringComparer.Ordinal)) is { } subnet ? Ranges.SomeOf(subnet.Cidr) : null;

    // The name resolves to every interface, the nearest first; one that works is enough.
    private static AclBlock? BlockTo(PathView v, EndpointFacts e)
    {
        var blocks = e.SubnetIds.Select(id => v.Topology.Subnets.FirstOrDefault(s => s.Id == id)).OfType<SubnetFacts>()
            .Select(s => v.Topology.Stops(v.Bastion!.SubnetId, v.Bastion.PrivateAddress, s.Id, Ranges.SomeOf(s.Cidr), 443)).ToList();
        return blocks.Count > 0 && blocks.TrueForAll(b => b is not null) ? blocks[0] : null;
    }

    private static Fix FixOf(PathView v, WayProblem problem) => problem.Rule switch
    {
        "no-route-out" when v.Topology.Nats.Any(n => n is { State: "available", IsPublic: true }) => new Fix($"aws ec2 create-route --route-table-id {problem.TableId} --destination-cidr-block 0.0.0.0/0 --nat-gateway-id {Fixes.Nat(v.Topology)}"),
        "no-route-out" when v.Bastion!.PublicAddress is not null => new Fix($"aws ec2 create-route --route-table-id {problem.TableId} --destination-cidr-block 0.0.0.0/0 --gateway-id {Fixes.InternetGateway(v.Topology)}"),
        // Private and without NAT: endpoints, which cost less.
        "no-route-out" => new Fix(string.Join(" && ", Needed(v).Select(s => Fixes.CreateEndpoint(v, s)))),
        "internet-gateway-detached" => new Fix($"aws ec2 attach-internet-gateway --internet-gateway-id {problem.TargetId} --vpc-id {v.Topology.Vpc?.Id}"),
        "no-public-address" => Fixes.PublicAddress(v.Bastion!.Id),
        "nat-in-private-subnet" when v.Topology.RouteTables.FirstOrDefault(t => t.Id == problem.TableId)?.Routes.Any(r => r.Destination == "0.0.0.0/0") != true =>
            new Fix($"aws ec2 create-route --route-table-id {problem.TableId} --destination-cidr-block 0.0.0.0/0 --gateway-id {Fixes.InternetGateway(v.Topology)}"),
        "nat-in-private-subnet" => new Fix($"aws ec2 replace-route --route-table-id {problem.TableId} --destination-cidr-block 0.0.0.0/0 --gateway-id {Fixes.InternetGateway(v.Topology)}"),
        // Blackhole or failed: the route is there, its target is not.
        _ => new Fix($"aws ec2 replace-route --route-table-id {v.Topology.TableOf(v.Bastion!.SubnetId)?.Id} --destination-cidr-block 0.0.0.0/0 --nat-gateway-id {Fixes.Nat(v.Topology)}"),
    };
}
