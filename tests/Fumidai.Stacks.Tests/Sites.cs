using System.Net;

namespace Fumidai.Stacks.Tests;

/// <summary>Plans to look at: every way to combine what changes a template.</summary>
internal static class Sites
{
    public static readonly IPAddress Home = IPAddress.Parse("203.0.113.7");

    private static readonly string[] EndpointChoices = ["ssm,ssmmessages", "ssm,ssmmessages,ec2messages,s3", "nat", "none"];

    private static readonly StackSite Existing = new()
    {
        VpcId = "vpc-0123456789abcdef0",
        PrivateSubnets = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
        PublicSubnet = "subnet-0123456789abcdef3",
        PrivateRouteTable = "rtb-0123456789abcdef4",
    };

    public static StackPlan Plan(StackPattern pattern = StackPattern.Private, Func<StackOptions, StackOptions>? change = null, StackSite? site = null)
    {
        var options = new StackOptions { Pattern = pattern, MyAddress = pattern == StackPattern.Private ? null : Home };
        return StackPlan.Compose(change?.Invoke(options) ?? options, site ?? StackSite.New);
    }

    /// <summary>Pattern × way out × VPC × cluster, each once with every other choice as it is by default, and once with every one changed.</summary>
    public static IEnumerable<(string Name, StackPlan Plan)> All()
    {
        foreach (var pattern in Enum.GetValues<StackPattern>())
            foreach (var endpoints in EndpointChoices)
                foreach (var vpc in new[] { "new", "inside", "mixed" })
                    foreach (var cluster in new[] { "new", "existing" })
                        foreach (var changed in new[] { false, true })
                        {
                            if (pattern == StackPattern.Public && endpoints != "none" || vpc == "new" && cluster == "existing" || vpc != "new" && endpoints == "nat"
                                || vpc == "inside" && (pattern != StackPattern.Private || endpoints != "none"))
                                continue;
                            var options = new StackOptions
                            {
                                Pattern = pattern,
                                Endpoints = EndpointChoice.Parse(endpoints),
                                Vpc = vpc == "new" ? null : Existing.VpcId,
                                Cluster = cluster == "new" ? null : "app",
                                MyAddress = Home,
                            };
                            if (changed)
                            {
                                options = options with
                                {
                                    Name = "another-Stack",
                                    EndpointZones = 2,
                                    MinAcu = 0.5m,
                                    MaxAcu = 16,
                                    EngineVersion = "16.8",
                                    SnapshotOnDelete = false,
                                    DeletionProtection = true,
                                    IdleStop = null,
                                    Cidr = vpc == "new" && cluster == "new" ? "192.168.16.0/24" : null,
                                    Tags = new Dictionary<string, string> { ["cost center"] = "42: \"R&D\"".Replace("\"", "", StringComparison.Ordinal).Replace("&", "+", StringComparison.Ordinal), ["Team"] = "データ" },
                                };
                            }
                            var site = vpc switch { "new" => StackSite.New, "inside" => Existing with { PublicSubnet = null }, _ => Existing };
                            if (cluster == "existing")
                                site = site with { ClusterGroup = "sg-0123456789abcdef5", ClusterPort = 5433 };
                            var plan = StackPlan.Compose(options, site);
                            yield return ($"{pattern}-{endpoints}-{vpc}-{cluster}{(changed ? "-changed" : "")}".Replace(',', '_'), changed ? plan.WithImage("ami-0123456789abcdef6") : plan);
                        }
    }
}
