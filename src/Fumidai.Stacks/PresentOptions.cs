using System.Globalization;
using System.Net;
using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>The options by which a stack that exists would be built again, so that an update changes what is said and nothing else.</summary>
public static class PresentOptions
{
    /// <summary>Reads them from a stack of ours.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="resources">Its resources.</param>
    /// <param name="template">Its template.</param>
    public static StackOptions Of(CloudFormationStack stack, IReadOnlyList<StackResource> resources, string template)
    {
        var built = resources.Where(r => r.Status != "DELETE_COMPLETE").Select(r => r.LogicalId).ToHashSet(StringComparer.Ordinal);
        var defaults = new StackOptions();
        string? Value(string name) => stack.Parameters.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
        decimal Acu(string name, decimal otherwise) => decimal.TryParse(Value(name), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var acu) ? acu : otherwise;
        int? Whole(string name) => int.TryParse(Value(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        var hasPrivate = built.Contains("PrivateBastion");
        return defaults with
        {
            Name = stack.Name,
            Pattern = built.Contains("ConnectEndpoint") ? StackPattern.Eice : (hasPrivate, built.Contains("PublicBastion")) switch { (true, true) => StackPattern.Both, (false, true) => StackPattern.Public, _ => StackPattern.Private },
            Vpc = Value("Vpc"),
            Subnets = [.. new[] { Value("PrivateSubnetA"), Value("PrivateSubnetB"), Value("PublicSubnetA") }.OfType<string>().Distinct(StringComparer.Ordinal)],
            Cluster = Value("ClusterId"),
            // It was told when the stack was built; what reads it keeps it elsewhere.
            ClusterSecret = Value("ClusterId") is null ? null : "as before",
            Endpoints = hasPrivate ? EndpointsOf(built) : null,
            EndpointZones = stack.Outputs.GetValueOrDefault("EndpointZones") == "2" ? 2 : 1,
            MinAcu = Acu("MinAcu", defaults.MinAcu),
            MaxAcu = Acu("MaxAcu", defaults.MaxAcu),
            AutoPauseAfter = Whole("AutoPauseSeconds") is { } seconds ? TimeSpan.FromSeconds(seconds) : defaults.AutoPauseAfter,
            EngineVersion = Value("EngineVersion") ?? defaults.EngineVersion,
            DatabaseName = Value("DatabaseName") ?? defaults.DatabaseName,
            IdleStop = Whole("IdleMinutes") is { } minutes ? minutes == 0 ? null : TimeSpan.FromMinutes(minutes) : defaults.IdleStop,
            BastionType = Value("BastionType") ?? defaults.BastionType,
            MyAddress = Value(PlanValues.CallerCidr) is { } cidr && IPAddress.TryParse(cidr.Split('/')[0], out var address) ? address : null,
            DeletionProtection = Value("DeletionProtection") == "true",
            SnapshotOnDelete = !built.Contains("Cluster") || template.Contains("DeletionPolicy: Snapshot", StringComparison.Ordinal),
            Tags = stack.Tags.Where(t => t.Key != StackPlan.OwnerTag && !t.Key.StartsWith("aws:", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal),
        };
    }

    private static EndpointChoice EndpointsOf(HashSet<string> built)
    {
        if (built.Contains("NatGateway"))
            return EndpointChoice.Nat;
        (string Service, string LogicalId)[] all = [("ssm", "SsmEndpoint"), ("ssmmessages", "SsmMessagesEndpoint"), ("ec2messages", "Ec2MessagesEndpoint"), ("s3", "S3Endpoint")];
        var services = string.Join(',', all.Where(e => built.Contains(e.LogicalId)).Select(e => e.Service));
        return EndpointChoice.Parse(services.Length == 0 ? "none" : services);
    }
}
