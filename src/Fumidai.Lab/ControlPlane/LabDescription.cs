using System.Globalization;

namespace Fumidai.Lab;

/// <summary>The model in lines for people: each VPC, what is in it, and which door leads where.</summary>
internal static class LabDescription
{
    public static IEnumerable<string> Of(LabModel model)
    {
        var lines = new List<string>();
        foreach (var vpc in model.Vpcs.Values)
        {
            var subnets = model.Subnets.Values.Where(s => s.VpcId == vpc.Id).ToArray();
            var zones = subnets.Select(s => s.AvailabilityZone).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
            lines.Add($"{vpc.Region}: {vpc.Id} {vpc.Cidr}, subnets: {subnets.Length} over {string.Join(", ", zones)}");
            lines.AddRange(model.SecurityGroups.Values.Where(g => g.VpcId == vpc.Id && g.Name != "default").Select(g => $"  security group {g.Name} {g.Id}: {Doors(model, g)}"));
            lines.AddRange(model.Endpoints.Values.Where(e => e.VpcId == vpc.Id).Select(e => $"  {e.Type.ToLowerInvariant()} endpoint {e.ServiceName.Split('.')[^1]} {e.Id} {e.State}"));
            lines.AddRange(model.Instances.Values.Where(i => i.VpcId == vpc.Id).Select(Machine));
            var groups = model.DbSubnetGroups.Values.Where(g => g.VpcId == vpc.Id).Select(g => g.Id).ToHashSet(StringComparer.Ordinal);
            foreach (var cluster in model.DbClusters.Values.Where(c => c.Region == vpc.Region && groups.Contains(c.SubnetGroup)))
            {
                var capacity = cluster is { MinCapacity: { } least, MaxCapacity: { } most } ? string.Create(CultureInfo.InvariantCulture, $", Serverless v2 {least}–{most} ACU") : "";
                lines.Add($"  cluster {cluster.Id}, {cluster.Engine} {cluster.EngineVersion}{capacity}, {cluster.Status}, {cluster.Endpoint}:{cluster.Port}");
                if (cluster.MasterSecretArn is { } secret)
                    lines.Add($"  its master password: {secret}");
            }
        }
        return lines;
    }

    private static string Machine(Instance instance)
    {
        var address = instance.PublicAddress is { } open ? $"{instance.PrivateAddress}, public {open}" : $"{instance.PrivateAddress}, no public address";
        return $"  instance {instance.Tags.GetValueOrDefault("Name", "-")} {instance.Id} {instance.State}, {address}";
    }

    private static string Doors(LabModel model, SecurityGroup group)
    {
        var doors = group.Rules.Where(r => r.Direction == RuleDirection.Ingress)
            .Select(r => string.Create(CultureInfo.InvariantCulture, $"{(r.Protocol == "-1" ? "all" : r.FromPort == r.ToPort ? $"{r.FromPort}" : $"{r.FromPort}–{r.ToPort}")} from {(r.GroupId is { } id ? model.SecurityGroups.GetValueOrDefault(id)?.Name ?? id : r.Cidr)}"))
            .ToArray();
        return doors.Length == 0 ? "nothing in" : string.Join(", ", doors);
    }
}
