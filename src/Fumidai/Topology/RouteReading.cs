using System.Net;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Route tables as VPCs apply them: the subnet's own, else the main one; the longest prefix wins.</summary>
internal static class RouteReading
{
    /// <summary>Stands for any address of the internet.</summary>
    internal static readonly IPAddress Outside = IPAddress.Parse("52.119.0.1");

    internal static RouteTableFacts? TableOf(this Topology topology, string? subnetId) =>
        topology.RouteTables.FirstOrDefault(t => subnetId is not null && t.SubnetIds.Contains(subnetId, StringComparer.Ordinal)) ?? topology.RouteTables.FirstOrDefault(t => t.IsMain);

    internal static RouteFacts? RouteTo(this Topology topology, string? subnetId, IPAddress to) =>
        topology.TableOf(subnetId)?.Routes.Where(r => Ranges.Hold(r.Destination, to)).MaxBy(r => Ranges.PrefixLength(r.Destination));

    internal static bool IsPublic(this Topology topology, string? subnetId) =>
        topology.RouteTo(subnetId, Outside) is { IsBlackhole: false } route && topology.InternetGateways.Contains(route.Target, StringComparer.Ordinal);

    /// <summary>Why an instance has no way to the internet; null: it has one, or the tables could not be read.</summary>
    internal static WayProblem? NoWayOut(this Topology topology, InstanceFacts instance)
    {
        if (!topology.Knows(TopologyQuestions.RouteTables) || !topology.Knows(TopologyQuestions.InternetGateways) || !topology.Knows(TopologyQuestions.Nats))
            return null;
        var table = topology.TableOf(instance.SubnetId)?.Id ?? "the route table";
        var route = topology.RouteTo(instance.SubnetId, Outside);
        if (route is null)
            return new("no-route-out", $"{table} of {instance.SubnetId} has no route to 0.0.0.0/0", table, null);
        if (route.Target.StartsWith("igw-", StringComparison.Ordinal))
        {
            if (!topology.InternetGateways.Contains(route.Target, StringComparer.Ordinal))
                return new("internet-gateway-detached", $"{table} leads to {route.Target}, which is not attached to the VPC", table, route.Target);
            return instance.PublicAddress is null ? new("no-public-address", $"{instance.Id} stands in a public subnet but has no public address", table, route.Target) : null;
        }
        if (route.Target.StartsWith("nat-", StringComparison.Ordinal))
        {
            var nat = topology.Nats.FirstOrDefault(n => n.Id == route.Target);
            if (nat is null)
                return new("route-blackhole", $"{table} leads to {route.Target}, which does not exist any more", table, route.Target);
            if (nat.State != "available")
                return new("nat-not-available", $"{nat.Id} is {nat.State}{(nat.Failure is { } why ? $": {why}" : "")}", table, nat.Id);
            return topology.IsPublic(nat.SubnetId) ? null : new("nat-in-private-subnet", $"{nat.Id} stands in {nat.SubnetId}, which has no route to an internet gateway", topology.TableOf(nat.SubnetId)?.Id ?? table, nat.Id);
        }
        return route.IsBlackhole ? new("route-blackhole", $"{table} leads to {route.Target}, which does not exist any more", table, route.Target) : null;
    }
}

/// <summary>Why there is no way out.</summary>
/// <param name="Rule">Name of the rule that is broken.</param>
/// <param name="Evidence">What the API shows.</param>
/// <param name="TableId">Route table to mend.</param>
/// <param name="TargetId">What it leads to.</param>
internal sealed record WayProblem(string Rule, string Evidence, string TableId, string? TargetId);
