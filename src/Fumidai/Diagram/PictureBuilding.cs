using Fumidai.Aws;

namespace Fumidai;

/// <summary>Makes a <see cref="Picture"/> of a topology: which parts matter, where they stand, how each route runs through them.</summary>
internal sealed class PictureBuilding(Topology topology, IReadOnlyList<RouteDiagnosis> routes, IReadOnlyDictionary<string, decimal?> usd)
{
    private const string Laptop = "laptop";
    private const string Service = "aws";

    /// <summary>Bastions drawn at most; the account may have hundreds of instances.</summary>
    private const int MostBastions = 4;

    private static readonly string[] OfAgent = ["ssm", "ssmmessages", "ec2messages", "s3"];

    private readonly List<InstanceFacts> _bastions =
    [
        .. topology.Instances.Where(i => routes.Any(r => r.Bastion == i.Id) || i.Tags.ContainsKey(BastionChoice.StackTag)).OrderByDescending(i => routes.Any(r => r.Bastion == i.Id)).Take(MostBastions),
    ];

    private readonly List<EndpointFacts> _endpoints = [.. topology.Endpoints.Where(e => !e.IsGateway && OfAgent.Contains(Word(e), StringComparer.Ordinal))];

    // The whole picture hangs on it: the subnet where the database is drawn.
    private readonly string? _databaseSubnet = DatabaseSubnetOf(topology);

    internal Picture Build()
    {
        var zones = topology.Subnets
            .Select(s => (s.Zone, Subnet: new PictureSubnet(s.Id, LabelOf(s), [.. PartsOf(s)])))
            .Where(s => s.Subnet.Parts.Count > 0 || topology.State?.SubnetIds.Contains(s.Subnet.Id, StringComparer.Ordinal) == true)
            .GroupBy(s => s.Zone, s => s.Subnet, StringComparer.Ordinal)
            .OrderBy(z => z.Key, StringComparer.Ordinal)
            .Select(z => new PictureZone(z.Key, [.. z.OrderBy(s => s.Label, StringComparer.Ordinal)]))
            .ToList();
        // What AWS did not tell the place of stands in a subnet without a name, rather than nowhere.
        var homeless = Homeless(zones).ToList();
        if (homeless.Count > 0)
            zones.Add(new PictureZone("zone not known", [new PictureSubnet("unknown", "subnet not known", homeless)]));
        var links = routes.SelectMany(r => LinksOf(r, zones)).ToList();
        return new Picture
        {
            Title = $"{topology.Target.Name} in {topology.Region}",
            Vpc = topology.Vpc is { } vpc ? $"VPC {(vpc.Name is null ? vpc.Id : $"{Plain(vpc.Name)} ({vpc.Id})")}  {string.Join(' ', vpc.Cidrs)}" : "VPC",
            Laptop = new PicturePart(Laptop, PartKind.Laptop, "your laptop", [.. new[] { topology.OwnAddress?.ToString(), topology.Caller is { } c ? $"account {c.Account}" : null }.OfType<string>()], [], BestOf(Hop.Laptop), null),
            Internet = [.. InternetParts()],
            Zones = zones,
            Links = links,
            Verdicts = [.. routes.Select(Verdict)],
            LeftOut = LeftOut(zones),
        };
    }

    private static string? DatabaseSubnetOf(Topology topology)
    {
        var all = topology.Subnets.Where(s => topology.State?.SubnetIds.Contains(s.Id, StringComparer.Ordinal) == true).ToList();
        return (all.Find(s => topology.State!.Zones.Contains(s.Zone, StringComparer.Ordinal)) ?? all.FirstOrDefault()
            ?? topology.Subnets.FirstOrDefault(s => System.Net.IPAddress.TryParse(topology.Target.Address.Host, out var address) && Ranges.Hold(s.Cidr, address)))?.Id;
    }

    // Foreign text: nothing of it may steer a terminal.
    private static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));

    private string LabelOf(SubnetFacts subnet) => $"{Plain(subnet.Name ?? subnet.Id)}  {subnet.Cidr}  {(topology.IsPublic(subnet.Id) ? "public" : "private")}";

    private IEnumerable<PicturePart> PartsOf(SubnetFacts subnet)
    {
        var endpoints = _endpoints.Where(e => e.SubnetIds.Contains(subnet.Id, StringComparer.Ordinal)).OrderBy(Word, StringComparer.Ordinal).ToList();
        if (endpoints.Count > 0)
        {
            yield return Paid(new PicturePart(EndpointsOf(subnet.Id), PartKind.Door, endpoints.Count == 1 ? "endpoint" : $"{endpoints.Count} endpoints",
                [.. endpoints.Select(e => e.State.Equals("available", StringComparison.OrdinalIgnoreCase) ? Word(e) : $"{Word(e)}: {e.State}")], Doors([.. endpoints.SelectMany(e => e.GroupIds)], 443), StateAt("ssm", Hop.Way), null), [.. endpoints.Select(e => e.Id)]);
        }
        foreach (var nat in topology.Nats.Where(n => n.SubnetId == subnet.Id))
            yield return Paid(new PicturePart(nat.Id, PartKind.Door, "NAT gateway", [nat.Id, nat.State], [], IsWayOut(nat.Id) ? StateAt("ssm", Hop.Way) : null, null), [nat.Id]);
        foreach (var endpoint in topology.ConnectEndpoints.Where(e => e.SubnetId == subnet.Id))
            yield return new PicturePart(endpoint.Id, PartKind.Door, "Instance Connect Endpoint", [endpoint.Id, endpoint.State, "free"], [], StateAt("eice", Hop.Way), null);
        foreach (var bastion in _bastions.Where(b => b.SubnetId == subnet.Id))
            yield return BastionPart(bastion);
        if (subnet.Id == _databaseSubnet)
            yield return DatabasePart();
    }

    private IEnumerable<PicturePart> Homeless(IReadOnlyList<PictureZone> zones)
    {
        var drawn = zones.SelectMany(z => z.Subnets).SelectMany(s => s.Parts).Select(p => p.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var bastion in _bastions.Where(b => !drawn.Contains(b.Id)))
            yield return BastionPart(bastion);
        if (!drawn.Contains(topology.Target.Name))
            yield return DatabasePart();
    }

    private PicturePart BastionPart(InstanceFacts bastion) => Paid(new PicturePart(bastion.Id, PartKind.Bastion, bastion.PublicAddress is null ? "bastion" : "bastion, public",
        [
            bastion.Id, $"{bastion.InstanceType} {bastion.State}".Trim(),
            .. bastion.PublicAddress is { } address ? new[] { address.ToString() } : [],
            .. bastion.PingStatus is { } ping ? new[] { $"agent {ping}" } : [],
        ], Doors(bastion.GroupIds, 22), routes.Where(r => r.Bastion == bastion.Id).Select(r => WorstOf(r, Hop.Bastion, Hop.Agent)).Cast<HopState?>().Min(), null), [bastion.Id]);

    private PicturePart DatabasePart()
    {
        var database = topology.Target.Database;
        var capacity = database?.MinCapacity is { } least && topology.State?.MaxCapacity is { } most ? FormattableString.Invariant($"{least:0.#} to {most:0.#} ACU") : null;
        return Paid(new PicturePart(topology.Target.Name, PartKind.Database, topology.Target.Name,
            [.. new[] { database is null ? topology.Target.Address.ToString() : $"{database.Engine} {database.EngineVersion}".Trim(), database?.Status, capacity }.OfType<string>(), .. (topology.State?.Members ?? []).Take(3).Select(m => $"{(m.IsWriter ? "writer" : "reader")} {m.Id}")],
            Doors(database?.SecurityGroupIds ?? [], topology.Target.Address.Port), routes.Select(r => WorstOf(r, Hop.Database, Hop.SignIn)).Cast<HopState?>().Min(), null), [topology.Target.Name]);
    }

    private IEnumerable<PicturePart> InternetParts()
    {
        if (routes.Any(r => r.Route == "ssm"))
            yield return new PicturePart(Service, PartKind.Service, "Session Manager", [topology.Region], [], routes.Where(r => r.Route == "ssm").Select(ToAws).Cast<HopState?>().Min(), null);
        foreach (var gateway in topology.InternetGateways)
            yield return new PicturePart(gateway, PartKind.Gateway, "internet gateway", [gateway], [], null, null);
    }

    private IEnumerable<PictureLink> LinksOf(RouteDiagnosis route, IReadOnlyList<PictureZone> zones)
    {
        var bastion = topology.Instances.FirstOrDefault(i => i.Id == route.Bastion);
        var way = WorstOf(route, Hop.Way, Hop.Agent);
        List<(string Part, HopState State)> stations = [(Laptop, HopState.Proven)];
        if (route.Route == "ssm")
            stations.Add((Service, ToAws(route)));
        foreach (var door in bastion is null ? [] : Between(route.Route, bastion, zones))
            stations.Add((door, stations.Count == 1 ? ToAws(route) : way));
        if (bastion is not null)
        {
            stations.Add((bastion.Id, stations.Count == 1 ? WorstOf(route, Hop.Laptop, Hop.Credentials, Hop.Permission, Hop.Way) : way));
            stations.Add((topology.Target.Name, WorstOf(route, Hop.Network)));
        }
        return stations.Zip(stations.Skip(1), (from, to) => new PictureLink(route.Route, from.Part, to.Part, to.State));
    }

    // Through which doors bytes come to a bastion.
    private IEnumerable<string> Between(string route, InstanceFacts bastion, IReadOnlyList<PictureZone> zones)
    {
        var outTo = topology.RouteTo(bastion.SubnetId, RouteReading.Outside)?.Target;
        var gateway = outTo is not null && topology.InternetGateways.Contains(outTo, StringComparer.Ordinal) ? outTo : null;
        if (route == "eice")
            return topology.ConnectEndpoints.OrderByDescending(e => e.SubnetId == bastion.SubnetId).Take(1).Select(e => e.Id);
        if (route == "ssh")
            return gateway is null ? [] : [gateway];
        var doors = zones.SelectMany(z => z.Subnets).SelectMany(s => s.Parts).Where(p => p.Id.StartsWith("endpoints:", StringComparison.Ordinal)).Select(p => p.Id).ToList();
        if (doors.Count > 0)
            return [doors.Find(d => d == EndpointsOf(bastion.SubnetId ?? "")) ?? doors[0]];
        if (topology.Nats.FirstOrDefault(n => n.Id == outTo) is { } nat)
            return topology.RouteTo(nat.SubnetId, RouteReading.Outside)?.Target is { } beyond && topology.InternetGateways.Contains(beyond, StringComparer.Ordinal) ? [beyond, nat.Id] : [nat.Id];
        return gateway is null ? [] : [gateway];
    }

    private bool IsWayOut(string natId) => _bastions.Any(b => topology.RouteTo(b.SubnetId, RouteReading.Outside)?.Target == natId) && _endpoints.Count == 0;

    private List<string> Doors(IReadOnlyList<string> groupIds, int port) =>
    [
        .. topology.Groups.Where(g => groupIds.Contains(g.Id, StringComparer.Ordinal)).Select(g =>
        {
            var rules = g.Rules.Where(r => !r.IsEgress && (r.Protocol == "-1" || (r.Protocol is "tcp" or "6" && r.FromPort <= port && port <= r.ToPort))).ToList();
            var from = rules.SelectMany(r => r.Cidrs.Concat(r.GroupIds.Select(NameOf)).Concat(r.PrefixListIds)).Distinct(StringComparer.Ordinal).ToList();
            return from.Count == 0 ? $"{port}: nobody" : FormattableString.Invariant($"{port} from {string.Join(", ", from.Take(2))}{(from.Count > 2 ? $" and {from.Count - 2} more" : "")}");
        }),
    ];

    private string NameOf(string groupId) => topology.Groups.FirstOrDefault(g => g.Id == groupId) is { Name.Length: > 0 } group ? Plain(group.Name) : groupId;

    private PicturePart Paid(PicturePart part, IReadOnlyList<string> ids)
    {
        var prices = ids.Where(usd.ContainsKey).Select(id => usd[id]).ToList();
        return prices.Count == 0 ? part : prices.Exists(p => p is null) ? part with { IsCostUnknown = true } : part with { Usd = prices.Sum() };
    }

    private string? LeftOut(IReadOnlyList<PictureZone> zones)
    {
        var subnets = topology.Subnets.Count - zones.SelectMany(z => z.Subnets).Count(s => s.Id != "unknown");
        var others = topology.Endpoints.Count(e => e.IsGateway || !_endpoints.Contains(e));
        string[] words =
        [
            .. topology.Instances.Count > _bastions.Count ? new[] { Count(topology.Instances.Count - _bastions.Count, "instance") } : [],
            .. subnets > 0 ? new[] { Count(subnets, "subnet") } : [],
            .. others > 0 ? new[] { Count(others, "other endpoint") } : [],
        ];
        return words.Length == 0 ? null : $"Not drawn, since no route needs it: {string.Join(", ", words)}";
    }

    private static string Count(int number, string what) => FormattableString.Invariant($"{number} {what}{(number == 1 ? "" : "s")}");

    private static (bool Works, string Sentence) Verdict(RouteDiagnosis route) => route.Works
        ? (true, $"{route.Route}: {(route.Hops.All(h => h.State == HopState.Proven) ? "works, proven up to the sign-in" : "nothing speaks against it")}")
        : (false, Plain($"{route.Route}: {route.Findings[0].What}: {route.Findings[0].Evidence}"));

    private HopState? BestOf(Hop hop) => routes.SelectMany(r => r.Hops).Where(h => h.Hop == hop).Select(h => (HopState?)h.State).Min();

    private HopState? StateAt(string route, Hop hop) => routes.Where(r => r.Route == route).SelectMany(r => r.Hops).Where(h => h.Hop == hop).Select(h => (HopState?)h.State).Min();

    private static HopState ToAws(RouteDiagnosis route) => WorstOf(route, Hop.Laptop, Hop.Credentials, Hop.Permission);

    private static HopState WorstOf(RouteDiagnosis route, params ReadOnlySpan<Hop> hops)
    {
        var worst = HopState.Proven;
        foreach (var (hop, _, state) in route.Hops)
        {
            if (hops.Contains(hop) && Rank(state) > Rank(worst))
                worst = state;
        }
        return worst;
    }

    private static int Rank(HopState state) => state switch { HopState.Proven => 0, HopState.Good => 1, HopState.Unreached => 2, _ => 3 };

    private static string EndpointsOf(string subnetId) => "endpoints:" + subnetId;

    private static string Word(EndpointFacts endpoint) => endpoint.Service.Split('.')[^1];
}
