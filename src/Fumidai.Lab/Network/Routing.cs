using System.Net;

namespace Fumidai.Lab;

/// <summary>Route tables as VPCs apply them: the subnet's own, else the VPC's main one; the longest prefix wins.</summary>
internal static class Routing
{
    /// <summary>Stands for any address outside, e.g. AWS's public endpoints.</summary>
    public static readonly IPAddress SomewhereOutside = IPAddress.Parse("52.119.0.1");

    public static RouteTable? TableOf(LabModel model, Subnet subnet) =>
        model.RouteTables.Values.FirstOrDefault(t => t.Associations.ContainsValue(subnet.Id))
        ?? model.RouteTables.Values.FirstOrDefault(t => t.VpcId == subnet.VpcId && t.IsMain);

    /// <summary>Where packets from the subnet to this address go: <c>local</c>, an <c>igw-</c> or <c>nat-</c> id; null: nowhere.</summary>
    public static string? TargetOf(LabModel model, Subnet subnet, IPAddress to) => TableOf(model, subnet)?.Routes
        .Where(r => IPNetwork.TryParse(r.Destination, out var range) && range.Contains(to))
        .OrderByDescending(r => IPNetwork.Parse(r.Destination).PrefixLength)
        .FirstOrDefault()?.TargetId;

    /// <summary>Why an instance cannot reach the internet; null: it can. The way is an internet gateway with a public address, or a NAT gateway that has one.</summary>
    public static string? WhyNoInternet(LabModel model, Instance instance)
    {
        if (!model.Subnets.TryGetValue(instance.SubnetId, out var subnet))
            return $"{instance.SubnetId} does not exist";
        var target = TargetOf(model, subnet, SomewhereOutside);
        if (target is null)
            return $"{subnet.Id} has no route to the internet";
        if (model.InternetGateways.TryGetValue(target, out var gateway))
        {
            if (gateway.VpcId != instance.VpcId)
                return $"{target} is not attached to {instance.VpcId}";
            return instance.PublicAddress is null ? $"{instance.Id} has no public address, so {target} does not carry it" : null;
        }
        if (!model.NatGateways.TryGetValue(target, out var nat))
            return $"the route of {subnet.Id} to {target} leads nowhere (blackhole)";
        if (nat.State != "available")
            return $"{nat.Id} is {nat.State}";
        if (!model.Subnets.TryGetValue(nat.SubnetId, out var natSubnet) || TargetOf(model, natSubnet, SomewhereOutside) is not { } beyond
            || !model.InternetGateways.TryGetValue(beyond, out var natGateway) || natGateway.VpcId != nat.VpcId)
            return $"{nat.Id} stands in {nat.SubnetId}, which has no route to an internet gateway";
        return null;
    }
}
