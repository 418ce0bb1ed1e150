using System.Globalization;

namespace Fumidai.Stacks;

/// <summary>Values of the templates' parameters; more than any one plan has parameters for.</summary>
internal static class PlanValues
{
    public const string Image = "BastionImage";
    public const string CallerCidr = "CallerCidr";

    /// <summary>AWS's public parameter with the newest Amazon Linux 2023 for arm64. Source: aws-facts §2.6.</summary>
    public const string ImageParameter = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64";

    private static readonly string[] SubnetRanges = ["PublicSubnetACidr", "PublicSubnetBCidr", "PrivateSubnetACidr", "PrivateSubnetBCidr"];

    public static Dictionary<string, string> Of(StackOptions options, StackSite site, string? image)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["EngineVersion"] = options.EngineVersion,
            ["DatabaseName"] = options.DatabaseName,
            ["MasterUsername"] = "postgres",
            ["MinAcu"] = OptionChecks.Text(options.MinAcu),
            ["MaxAcu"] = OptionChecks.Text(options.MaxAcu),
            ["AutoPauseSeconds"] = ((int)options.AutoPauseAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture),
            ["DeletionProtection"] = options.DeletionProtection ? "true" : "false",
            ["ClusterPort"] = site.ClusterPort.ToString(CultureInfo.InvariantCulture),
            [Image] = image ?? ImageParameter,
            ["BastionType"] = options.BastionType,
            ["IdleMinutes"] = ((int)(options.IdleStop?.TotalMinutes ?? 0)).ToString(CultureInfo.InvariantCulture),
        };
        void Known(string name, string? value)
        {
            if (value is not null)
                values[name] = value;
        }
        Known("Vpc", site.VpcId);
        Known("PrivateSubnetA", site.PrivateSubnets.ElementAtOrDefault(0));
        Known("PrivateSubnetB", site.PrivateSubnets.ElementAtOrDefault(1));
        Known("PublicSubnetA", site.PublicSubnet);
        Known("PrivateRouteTable", site.PrivateRouteTable);
        Known("ClusterId", options.Cluster);
        Known("ClusterGroup", site.ClusterGroup);
        Known(CallerCidr, options.MyAddress is { } address ? $"{address}/32" : null);
        if (site.VpcId is null && Ipv4Block.TryParse(options.Cidr ?? site.Cidr, out var block))
        {
            values["VpcCidr"] = block.ToString();
            foreach (var (i, name) in SubnetRanges.Index())
                values[name] = block.Sixteenth(i).ToString();
        }
        return values;
    }
}
