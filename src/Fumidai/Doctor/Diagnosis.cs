using Fumidai.Aws;

namespace Fumidai;

/// <summary>How a hop stands.</summary>
public enum HopState
{
    /// <summary>Proven by doing it.</summary>
    Proven,
    /// <summary>Nothing speaks against it.</summary>
    Good,
    /// <summary>Broken.</summary>
    Broken,
    /// <summary>Behind a broken one: not looked at further.</summary>
    Unreached,
}

/// <summary>One route, hop by hop.</summary>
/// <param name="Route">ssm, ssh, eice.</param>
/// <param name="Bastion">The instance; null: none.</param>
/// <param name="Hops">In order, each with its state and what to call it.</param>
/// <param name="Findings">What is wrong, in order; empty: nothing.</param>
/// <param name="Notes">Worth knowing.</param>
public sealed record RouteDiagnosis(string Route, string? Bastion, IReadOnlyList<(Hop Hop, string Label, HopState State)> Hops, IReadOnlyList<Finding> Findings, IReadOnlyList<Finding> Notes)
{
    /// <summary>Whether nothing is wrong.</summary>
    public bool Works => Findings.Count == 0;

    /// <summary>
    /// Whether doing it may prove the reading wrong: a simulation knows no resource policies, and endpoints may be another network's, shared by peering. It is
    /// so only while the agent is connected.
    /// </summary>
    internal bool IsDoubtful { get; init; }

    /// <summary>Whether it is worth trying.</summary>
    public bool IsToBeTried => Works || IsDoubtful;
}

/// <summary>Walks the path of every route that could serve. Pure: the facts are in the topology.</summary>
public static class Diagnosis
{
    /// <summary>Every route that could serve; one that was never built (no public bastion, no endpoint) is left out unless it was asked for.</summary>
    public static IReadOnlyList<RouteDiagnosis> Of(Topology topology, Settings settings, LocalFacts local)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(settings);
        var chosen = TunnelSettings.Of(settings, topology.Target);
        var all = new List<RouteDiagnosis>();
        foreach (var route in (string[])["ssm", "ssh", "eice"])
        {
            if ((chosen.Via != "auto" && chosen.Via != route) || settings.ForbiddenRoutes.Contains(route))
                continue;
            var bastion = BastionOf(topology, chosen, route);
            if (bastion is not null || chosen.Via == route)
                all.Add(Walk(new PathView(topology, local, chosen, route, bastion) { IsInSession = route == "ssh" && bastion is { PublicAddress: null, ProfileArn: not null } }));
        }
        return all.Count > 0 ? all : [Walk(new PathView(topology, local, chosen, chosen.Via == "auto" ? "ssm" : chosen.Via, null))];
    }

    private static InstanceFacts? BastionOf(Topology topology, TunnelSettings settings, string route)
    {
        var candidates = ReadTopology.Candidates(topology.Instances, settings.Bastion).ToList();
        if (settings.Bastion is not null && settings.Via == route)
            return candidates.FirstOrDefault();
        return route switch
        {
            // One that is there for ssh alone has a public address and no role.
            "ssm" => candidates.Find(i => i.PingStatus == "Online" && i.State == "running") ?? candidates.Find(i => i.PublicAddress is null || i.ProfileArn is not null || i.PingStatus is not null),
            "ssh" => candidates.Find(i => i.PublicAddress is not null) ?? (settings.Via == "ssh" ? candidates.FirstOrDefault() : null),
            _ => topology.ConnectEndpoints.Count > 0 || settings.Via == "eice" ? candidates.FirstOrDefault() : null,
        };
    }

    internal static RouteDiagnosis Walk(PathView view)
    {
        var found = Rule.All.Select(r => r.Check(view)).OfType<Finding>()
            .Select(f => view.IsAgentCut && f is { IsNote: false, IsConsequence: false, Hop: Hop.Bastion or Hop.Way } ? f with { Fix = Fixes.ThenWake(f.Fix, view.Bastion!) } : f).ToList();
        var wrong = found.Where(f => f is { IsNote: false, IsConsequence: false }).OrderBy(f => f.Hop).ToList();
        if (wrong.Count == 0)
            wrong = [.. found.Where(f => f is { IsNote: false, IsConsequence: true }).Take(1)];
        var hops = HopsOf(view);
        var first = wrong.Count > 0 ? hops.IndexOf(wrong[0].Hop) : hops.Count;
        var states = hops.Select((h, i) => (h, LabelOf(view, h), i < first ? HopState.Good : i == first ? HopState.Broken : HopState.Unreached)).ToList();
        var isConnected = view.Bastion is { } b && view.Topology.Connections.TryGetValue(b.Id, out var isOpen) && isOpen;
        return new RouteDiagnosis(view.Route, view.Bastion?.Id, states, wrong, [.. found.Where(f => f.IsNote)])
        {
            IsDoubtful = wrong.Count > 0 && wrong.TrueForAll(f => f.Rule.StartsWith("may-not-", StringComparison.Ordinal) || (f.Hop == Hop.Way && view.IsSsm && isConnected)),
        };
    }

    private static List<Hop> HopsOf(PathView view) => view.IsSsm
        ? [Hop.Laptop, Hop.Credentials, Hop.Permission, Hop.Bastion, Hop.Way, Hop.Agent, Hop.Network, Hop.Database, Hop.SignIn]
        : [Hop.Laptop, Hop.Credentials, Hop.Permission, Hop.Bastion, Hop.Way, Hop.Network, Hop.Database, Hop.SignIn];

    private static string LabelOf(PathView view, Hop hop) => hop switch
    {
        Hop.Laptop => Laptop(view.Local),
        Hop.Credentials => "credentials",
        Hop.Permission => "permission",
        Hop.Bastion => view.Bastion is { } b ? $"bastion {b.Id}" : "bastion",
        Hop.Way => view.Route switch { _ when view.IsSsm => "way to Session Manager", "ssh" => "port 22 from here", _ => "Instance Connect Endpoint" },
        Hop.Agent => "agent",
        Hop.Network => "network",
        Hop.Database => view.Topology.Target.Name,
        _ => "sign-in",
    };

    private static string Laptop(LocalFacts local)
    {
        string[] told = [.. local.ClientVersion is { } version ? [$"psql {version}"] : Array.Empty<string>(), .. local.Proxy is { } proxy ? [$"proxy {proxy}"] : Array.Empty<string>()];
        return told.Length > 0 ? $"laptop ({string.Join(", ", told)})" : "laptop";
    }
}
