using System.Net;

namespace Fumidai.Lab;

/// <summary>
/// The resolver of a VPC, as an instance in it asks. Security groups do not filter it. Lab only: names of the internet do not resolve, and the
/// names of databases resolve only inside their VPC (on AWS they resolve anywhere, to addresses that lead nowhere).
/// </summary>
internal static class VpcResolver
{
    public static IPAddress? Resolve(LabModel model, Instance instance, string name)
    {
        if (IPAddress.TryParse(name, out var literal))
            return literal;
        name = name.TrimEnd('.');
        if (string.Equals(name, "localhost", StringComparison.OrdinalIgnoreCase))
            return IPAddress.Loopback;
        if (!model.Vpcs.TryGetValue(instance.VpcId, out var vpc) || !vpc.EnableDnsSupport)
            return null;
        bool Is(string other) => string.Equals(name, other, StringComparison.OrdinalIgnoreCase);

        foreach (var cluster in model.DbClusters.Values)
        {
            if (!model.DbSubnetGroups.TryGetValue(cluster.SubnetGroup, out var group) || group.VpcId != vpc.Id)
                continue;
            var members = model.DbInstances.Values.Where(i => i.ClusterId == cluster.Id && i.Account == cluster.Account && i.Region == cluster.Region);
            if (Is(cluster.Endpoint) || Is(cluster.ReaderEndpoint) || members.Any(i => Is(i.Endpoint)))
                return cluster.Address;
        }
        foreach (var other in model.Instances.Values)
        {
            if (other.VpcId == vpc.Id && other.State != "terminated" && Is(PrivateNameOf(other)))
                return other.PrivateAddress;
        }
        return PrivateEndpointOf(model, instance, name)?.Interfaces.First().Value;
    }

    /// <summary>ip-A-B-C-D.REGION.compute.internal.</summary>
    public static string PrivateNameOf(Instance instance) => $"ip-{instance.PrivateAddress.ToString().Replace('.', '-')}.{instance.Region}.compute.internal";

    /// <summary>The endpoint that a service's public name leads to inside the VPC; null: none, the name keeps its public meaning.</summary>
    public static VpcEndpoint? PrivateEndpointOf(LabModel model, Instance instance, string name) =>
        WhyNot(model, instance, name, out var endpoint) is null ? endpoint : null;

    /// <summary>Why there is none, in words.</summary>
    public static string WhyNoPrivateEndpoint(LabModel model, Instance instance, string name) => WhyNot(model, instance, name, out _) ?? "there is one";

    private static string? WhyNot(LabModel model, Instance instance, string name, out VpcEndpoint? endpoint)
    {
        const string suffix = ".amazonaws.com";
        endpoint = null;
        var vpc = model.Vpcs[instance.VpcId];
        var labels = name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) ? name[..^suffix.Length].Split('.') : [];
        if (labels is not [var service, var region] || !string.Equals(region, instance.Region, StringComparison.OrdinalIgnoreCase))
            return "no endpoint service has this name";
        var serviceName = $"com.amazonaws.{instance.Region}.{service}";
        var candidates = model.Endpoints.Values
            .Where(e => e.VpcId == vpc.Id && e.Type == "Interface" && string.Equals(e.ServiceName, serviceName, StringComparison.OrdinalIgnoreCase)).ToList();
        if (candidates.Count == 0)
            return $"{vpc.Id} has no endpoint for {serviceName}";
        var usable = candidates.FirstOrDefault(e => Interface.IsAvailable(e) && e.PrivateDnsEnabled && e.Interfaces.Count > 0);
        if (usable is null)
        {
            var one = candidates[0];
            return !Interface.IsAvailable(one) ? $"{one.Id} is {one.State}" : !one.PrivateDnsEnabled ? $"{one.Id} has private DNS off" : $"{one.Id} has no subnet";
        }
        if (!vpc.EnableDnsHostnames)
            return $"{vpc.Id} has DNS host names off, so the private name of {usable.Id} does not exist";
        endpoint = usable;
        return null;
    }
}
