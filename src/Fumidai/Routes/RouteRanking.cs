using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>What carries a route's bytes to the bastion.</summary>
internal enum RouteCarrier
{
    /// <summary>A Session Manager session for the target itself.</summary>
    Session,
    /// <summary>A TCP connection to a public address.</summary>
    Address,
    /// <summary>An EC2 Instance Connect Endpoint.</summary>
    Endpoint,
    /// <summary>A Session Manager session to the bastion's sshd.</summary>
    SessionToSshd,
}

/// <summary>What is known of one bastion before any route is opened. Null: not known; the route itself will tell.</summary>
internal sealed record BastionFacts(BastionInstance Bastion)
{
    /// <summary>Whether one's own address is let in on sshd's port.</summary>
    internal bool? AdmitsUs { get; init; }

    /// <summary>The Instance Connect Endpoint of its VPC.</summary>
    internal ConnectEndpoint? Endpoint { get; init; }

    /// <summary>Whether the bastion lets the endpoint in on sshd's port.</summary>
    internal bool? AdmitsEndpoint { get; init; }

    /// <summary>Whether the target lets the bastion in.</summary>
    internal bool? ReachesTarget { get; init; }
}

/// <summary>A way that can be tried.</summary>
internal sealed record RankedRoute(string Name, RouteCarrier Carrier, BastionFacts Facts, string Reason)
{
    internal BastionInstance Bastion => Facts.Bastion;
}

/// <summary>A way that cannot.</summary>
internal sealed record RejectedRoute(string Name, string? Bastion, string Reason);

/// <summary>
/// Ranks the routes that could serve: private before public, then throughput, then cost. Pure: it sees facts and asks nobody.
/// </summary>
/// <remarks>
/// eice: private, at the speed of ssh, no charge by the hour. ssm: private, slower, paid endpoints or a NAT. ssh through a session: private, as
/// fast as the session, one more layer. ssh to an address: fast, but public.
/// </remarks>
internal sealed class RouteRanking
{
    private readonly List<RankedRoute> _routes = [];
    private readonly List<RejectedRoute> _rejected = [];

    /// <param name="facts">Bastions, the preferred ones first.</param>
    /// <param name="via">auto or a route.</param>
    /// <param name="forbidden">Routes that the settings forbid.</param>
    /// <param name="noEndpoint">Why nothing is known of endpoints; null: there is none.</param>
    internal RouteRanking(IReadOnlyList<BastionFacts> facts, string via, IReadOnlyCollection<string> forbidden, string? noEndpoint = null)
    {
        foreach (var name in (string[])["eice", "ssm", "ssh"])
        {
            if (via != "auto" && via != name)
                continue;
            if (forbidden.Contains(name))
            {
                _rejected.Add(new(name, null, "fumidai.yaml forbids it"));
                continue;
            }
            foreach (var of in facts)
                Judge(name, of, noEndpoint);
        }
        // Stable: within one kind the bastions keep their order.
        Possible = [.. _routes.OrderBy(r => r.Facts.ReachesTarget is false).ThenBy(r => Place(r.Carrier, via)).ThenBy(r => r.Bastion.State != "running")];
    }

    /// <summary>The best first. Those whose target does not seem to let the bastion in come last.</summary>
    internal IReadOnlyList<RankedRoute> Possible { get; }

    /// <summary>What cannot serve now, and why.</summary>
    internal IReadOnlyList<RejectedRoute> Rejected => _rejected;

    private static int Place(RouteCarrier carrier, string via) => carrier switch
    {
        RouteCarrier.Endpoint => 0,
        RouteCarrier.Session => 1,
        // Who asks for ssh means the address; a session to sshd stands in where there is no way to it.
        RouteCarrier.Address when via == "ssh" => 2,
        RouteCarrier.SessionToSshd => 3,
        _ => 4,
    };

    private void Judge(string name, BastionFacts of, string? noEndpoint)
    {
        var bastion = of.Bastion;
        var port = BastionChoice.SshPort(bastion, null);
        switch (name)
        {
            case "eice" when bastion.State != "running" && !(bastion.State == "stopped" && BastionChoice.MayBeStarted(bastion)):
                Reject(name, bastion, $"it is {bastion.State}");
                break;
            case "eice" when of.Endpoint is null:
                Reject(name, bastion, noEndpoint ?? "its VPC has no EC2 Instance Connect Endpoint");
                break;
            case "eice" when of.AdmitsEndpoint is false:
                Reject(name, bastion, string.Create(CultureInfo.InvariantCulture, $"its security groups do not admit {of.Endpoint.Id} to port 22"));
                break;
            case "eice" when bastion.State != "running":
                Add(name, RouteCarrier.Endpoint, of, $"private, through {of.Endpoint.Id}; it is stopped and may be started");
                break;
            case "eice":
                Add(name, RouteCarrier.Endpoint, of, $"private, at ssh's speed, no charge by the hour, through {of.Endpoint.Id}");
                break;
            case "ssm" when bastion.IsOnline:
                Add(name, RouteCarrier.Session, of, "private, its Session Manager agent is online");
                break;
            case "ssm" when bastion.State == "stopped" && BastionChoice.MayBeStarted(bastion):
                Add(name, RouteCarrier.Session, of, "private; it is stopped and may be started");
                break;
            case "ssm":
                Reject(name, bastion, BastionChoice.NotOnline(bastion).Cause!);
                break;
            case "ssh":
                if (bastion.State != "running")
                    Reject(name, bastion, $"it is {bastion.State}");
                else if (bastion.PublicAddress is null)
                    Reject(name, bastion, "it has no public address");
                else if (of.AdmitsUs is false)
                    Reject(name, bastion, string.Create(CultureInfo.InvariantCulture, $"its security groups do not admit this address to port {port}"));
                else
                    Add(name, RouteCarrier.Address, of, "fast, but by a public address");
                if (bastion.IsOnline)
                    Add(name, RouteCarrier.SessionToSshd, of, "private, ssh inside a Session Manager session");
                break;
        }
    }

    private void Add(string name, RouteCarrier carrier, BastionFacts of, string reason) => _routes.Add(new(name, carrier, of, reason));

    private void Reject(string name, BastionInstance bastion, string reason) => _rejected.Add(new(name, bastion.Id, reason));
}
