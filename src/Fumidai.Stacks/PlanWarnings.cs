namespace Fumidai.Stacks;

/// <summary>What a person should read before saying yes.</summary>
internal static class PlanWarnings
{
    public static IReadOnlyList<string> CannotUndo(StackOptions options)
    {
        var all = new List<string>();
        if (options.BuildsCluster)
        {
            all.Add($"The first database's name ({options.DatabaseName}), the master user's name, encryption and the subnets of the cluster cannot be changed afterwards.");
            all.Add(options.SnapshotOnDelete
                ? "Taking the stack down deletes the cluster; its data stays as one snapshot, billed until you delete it, and the master password's secret goes."
                : "Taking the stack down deletes the cluster and its data for good: no snapshot is kept.");
        }
        else
        {
            all.Add($"Nothing: cluster {options.Cluster} gains one inbound rule, which taking the stack down removes again.");
        }
        return all;
    }

    public static IEnumerable<string> Remarks(StackOptions options, StackSite site)
    {
        var endpoints = options.EffectiveEndpoints;
        if (options.HasPrivateBastion && !endpoints.IsNat && !endpoints.Services.Contains("s3") && !endpoints.IsNone)
            yield return "The private bastion cannot fetch security updates: with endpoints alone its way out lacks the package repositories. Add s3 to --endpoints (it costs nothing).";
        if (options.HasPrivateBastion && !options.HasConnectEndpoint && endpoints.IsNone && (site.VpcId is null || site.PublicSubnet is not null))
            yield return "The private bastion stands in a public subnet with a public address and no inbound rule; the address is billed while it runs.";
        if (options.HasPrivateBastion && !options.HasConnectEndpoint && endpoints.IsNone && site.VpcId is not null && site.PublicSubnet is null)
            yield return $"Nothing is built for the bastion's way to Session Manager: {site.VpcId} must already have endpoints or a NAT gateway.";
        if (options.HasConnectEndpoint && endpoints.IsNone)
            yield return "The private bastion has no way out: it fetches no security updates, and Session Manager does not reach it. A newer image is the update.";
        if (options.HasPrivateBastion && options.IdleStop is null)
            yield return "The private bastion never stops itself.";
        if (options.BuildsCluster && options.MinAcu > 0)
            yield return $"At a minimum of {OptionChecks.Text(options.MinAcu)} ACU the cluster never pauses and is billed all month.";
        if (options.BuildsCluster && options.DeletionProtection)
            yield return "Deletion protection is on: the stack can be taken down only after it is switched off.";
    }
}
