using System.Net;

namespace Fumidai.Lab;

/// <summary>What stands at a private address: who owns it, its groups, whether it is up, and whether it refuses (rather than keeps silent) when down.</summary>
internal sealed record Interface(string Owner, IReadOnlyCollection<string> Groups, bool IsUp, bool RefusesWhenDown)
{
    /// <summary>
    /// Finds the owner of an address within a VPC. Lab only: a stopped cluster's port refuses at once; what a real one does is not documented.
    /// </summary>
    public static Interface? At(LabModel model, string vpcId, IPAddress address)
    {
        foreach (var cluster in model.DbClusters.Values)
        {
            if (cluster.Address.Equals(address) && model.DbSubnetGroups.TryGetValue(cluster.SubnetGroup, out var group) && group.VpcId == vpcId)
            {
                // A cluster is storage; it answers through an instance (aws-facts §8.2 row 34).
                var isUp = cluster.Status is not ("stopped" or "starting" or "creating" or "deleting") && model.DbInstances.Values.Any(i => i.ClusterId == cluster.Id && i.Status == "available");
                return new Interface(cluster.Id, cluster.SecurityGroupIds, isUp, true);
            }
            if (cluster.FormerAddresses.Contains(address) && model.DbSubnetGroups.TryGetValue(cluster.SubnetGroup, out var subnets) && subnets.VpcId == vpcId)
                return new Interface(cluster.Id, cluster.SecurityGroupIds, false, true);
        }
        foreach (var instance in model.Instances.Values)
        {
            if (instance.VpcId == vpcId && instance.State != "terminated" && (instance.PrivateAddress.Equals(address) || address.Equals(instance.PublicAddress)))
                return new Interface(instance.Id, instance.SecurityGroupIds, instance.State == "running", false);
        }
        foreach (var endpoint in model.Endpoints.Values)
        {
            if (endpoint.VpcId == vpcId && endpoint.Interfaces.ContainsValue(address))
                return new Interface(endpoint.Id, endpoint.SecurityGroupIds, IsAvailable(endpoint), false);
        }
        if (model.ConnectEndpoints.Values.FirstOrDefault(e => e.VpcId == vpcId && e.Address.Equals(address)) is { } connect)
            return new Interface(connect.Id, connect.SecurityGroupIds, false, false);
        return null;
    }

    public static bool IsAvailable(VpcEndpoint endpoint) => string.Equals(endpoint.State, "available", StringComparison.OrdinalIgnoreCase);
}
