namespace Fumidai.Lab;

/// <summary>The model in lines for people.</summary>
internal static class LabDescription
{
    public static IEnumerable<string> Of(LabModel model)
    {
        var lines = new List<string>();
        foreach (var vpc in model.Vpcs.Values)
            lines.Add($"{vpc.Region}: {vpc.Id} {vpc.Cidr}, {model.Subnets.Values.Count(s => s.VpcId == vpc.Id)} subnets, {model.Endpoints.Values.Count(e => e.VpcId == vpc.Id)} endpoints");
        foreach (var instance in model.Instances.Values)
        {
            var address = instance.PublicAddress is { } open ? $"{instance.PrivateAddress} (public {open})" : $"{instance.PrivateAddress}";
            lines.Add($"{instance.Region}: {instance.Id} {instance.Tags.GetValueOrDefault("Name", "-")} {instance.State} {address}");
        }
        foreach (var cluster in model.DbClusters.Values)
            lines.Add($"{cluster.Region}: cluster {cluster.Id} {cluster.Engine} {cluster.EngineVersion} {cluster.Status} {cluster.Endpoint}:{cluster.Port}");
        return lines;
    }
}
