using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>Looks at what a stack is to be built on, and says what does not fit before anything is created. Source: aws-facts §2.1, §8.2 rows 19, 24, 25, 33.</summary>
public static class SiteSurvey
{
    private const int DefaultRanges = 40;

    private static readonly string[] SessionServices = ["ssm", "ssmmessages"];

    /// <summary>
    /// The site of these options: subnets chosen, the existing cluster's group and port found, a free range for a new VPC.
    /// A stack of this name that exists keeps the range it has.
    /// </summary>
    /// <exception cref="StackFailure">Usage: something given does not belong together, or is not there to use. NotFound.</exception>
    /// <exception cref="AwsFailure">A question was refused.</exception>
    public static async Task<StackSite> AskAsync(AwsAccess access, StackOptions options, CancellationToken cancellationToken)
    {
        options.Checked();
        var site = StackSite.New;
        var vpcId = options.Vpc;
        if (options.Cluster is { } clusterId)
        {
            var cluster = await ClusterAsync(access, clusterId, cancellationToken).ConfigureAwait(false);
            CheckCluster(cluster, options);
            if (vpcId is not null && cluster.VpcId != vpcId)
                throw StackFailure.Usage($"cluster {clusterId} is in {cluster.VpcId}, not in {vpcId}", $"Use --vpc {cluster.VpcId}, or leave --vpc out");
            vpcId = cluster.VpcId;
            site = site with { ClusterGroup = cluster.SecurityGroupIds[0], ClusterPort = cluster.Port };
        }
        else
        {
            await CheckVersionAsync(access, options, cancellationToken).ConfigureAwait(false);
        }
        return vpcId is null
            ? site with { Cidr = await RangeAsync(access, options, cancellationToken).ConfigureAwait(false) }
            : await InVpcAsync(access, options, site with { VpcId = vpcId }, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<Database> ClusterAsync(AwsAccess access, string id, CancellationToken cancellationToken)
    {
        try
        {
            return await FindTargets.GetAsync(access, DatabaseKind.Cluster, id, cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure f) when (f.Kind == AwsFailureKind.NotFound)
        {
            throw new StackFailure(StackFailureReason.NotFound, $"there is no cluster {id} in {access.Region}", "See fumidai targets", f);
        }
    }

    private static void CheckCluster(Database cluster, StackOptions options)
    {
        if (cluster.VpcId is null)
            throw StackFailure.Usage($"cluster {cluster.Id} is in no VPC that can be seen", "A cluster without a VPC needs no bastion");
        if (cluster.SecurityGroupIds.Count == 0 || cluster.Port == 0)
            throw StackFailure.Usage($"cluster {cluster.Id} ({cluster.Status}) has no endpoint yet", "Wait until it is available");
        if (cluster.MasterSecretArn is null && options.ClusterSecret is null)
            throw StackFailure.Usage($"cluster {cluster.Id} has no master secret managed by RDS to sign in with", "Turn it on (aws rds modify-db-cluster --manage-master-user-password), or say with --secret where the password is");
    }

    private static async Task CheckVersionAsync(AwsAccess access, StackOptions options, CancellationToken cancellationToken)
    {
        IReadOnlyList<EngineVersion> offered;
        try
        {
            offered = await ReadEngineVersions.ListAsync(access, "aurora-postgresql", cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure f) when (f.Kind is AwsFailureKind.Permission or AwsFailureKind.Network)
        {
            // Not to know is no reason to refuse: CloudFormation will tell.
            return;
        }
        var wanted = options.EngineVersion;
        var fitting = offered.Where(v => v.Version == wanted || v.Version.StartsWith(wanted + ".", StringComparison.Ordinal)).ToList();
        if (offered.Count == 0)
            return;
        if (fitting.Count == 0)
        {
            var major = wanted.Split('.')[0] + ".";
            var near = offered.Where(v => v.Version.StartsWith(major, StringComparison.Ordinal)).DefaultIfEmpty(offered[^1]).Select(v => v.Version);
            throw StackFailure.Usage($"Aurora PostgreSQL {wanted} is not on offer in {access.Region}", "There is " + string.Join(", ", near.TakeLast(8)));
        }
        if (options.MinAcu == 0 && fitting.TrueForAll(v => v.LeastCapacity > 0))
            throw StackFailure.Usage($"Aurora PostgreSQL {wanted} cannot pause in {access.Region}", "Use --min-acu 0.5, or a newer --engine-version");
    }

    private static async Task<string> RangeAsync(AwsAccess access, StackOptions options, CancellationToken cancellationToken)
    {
        var vpcs = await ReadVpcs.ListAsync(access, null, cancellationToken).ConfigureAwait(false);
        var ours = vpcs.FirstOrDefault(v => v.Tags.GetValueOrDefault(StackPlan.OwnerTag) == options.Name);
        if (options.Cidr is null && ours is { Cidrs: [var present, ..] })
            return present;
        bool IsFree(Ipv4Block block, out string other)
        {
            var clash = vpcs.FirstOrDefault(v => v != ours && v.Cidrs.Any(c => Ipv4Block.TryParse(c, out var taken) && taken.Overlaps(block)));
            other = clash is null ? "" : $"{clash.Id} ({string.Join(", ", clash.Cidrs)})";
            return clash is null;
        }
        if (options.Cidr is { } wished)
        {
            var other = "";
            return Ipv4Block.TryParse(wished, out var block) && IsFree(block, out other) ? wished : throw StackFailure.Usage($"--cidr {wished} overlaps {other}", "Two such VPCs can never be joined; choose another range");
        }
        for (var i = 0; i < DefaultRanges; i++)
        {
            var block = new Ipv4Block((10u << 24) | ((86u + (uint)i) << 16), 16);
            if (IsFree(block, out _))
                return block.ToString();
        }
        throw StackFailure.Usage($"every range that fumidai tries is taken in {access.Region}", "Choose one with --cidr");
    }

    private static async Task<StackSite> InVpcAsync(AwsAccess access, StackOptions options, StackSite site, CancellationToken cancellationToken)
    {
        var vpcId = site.VpcId!;
        await CheckVpcAsync(access, vpcId, cancellationToken).ConfigureAwait(false);
        var subnets = await ReadVpcs.SubnetsAsync(access, vpcId, options.Subnets, cancellationToken).ConfigureAwait(false);
        if (subnets.FirstOrDefault(s => s.VpcId != vpcId) is { } stranger)
            throw StackFailure.Usage($"--subnets: {stranger.Id} belongs to {stranger.VpcId}, not to {vpcId}");
        var ordered = options.Subnets.Count > 0
            ? options.Subnets.Select(id => subnets.First(s => s.Id == id)).ToList()
            : [.. subnets.OrderBy(s => s.Zone, StringComparer.Ordinal).ThenBy(s => s.Id, StringComparer.Ordinal)];
        var inside = ordered.Where(s => s.WayOut != WayOut.Internet).DistinctBy(s => s.Zone).ToList();
        // With only public subnets at hand a database still is not public: it has no public address. One zone each.
        var privateSubnets = inside.Count >= 2 ? inside : [.. inside.Concat(ordered.Where(s => s.WayOut == WayOut.Internet)).DistinctBy(s => s.Zone)];
        var endpoints = options.EffectiveEndpoints;
        var remarks = new List<string>();
        if (endpoints.Services.Count > 0)
            await CheckEndpointsAsync(access, options, vpcId, cancellationToken).ConfigureAwait(false);
        if (privateSubnets.Count > inside.Count && options.BuildsCluster)
            remarks.Add($"{vpcId} has too few private subnets: {string.Join(", ", privateSubnets.Except(inside).Select(s => s.Id))}, which is public, is used for the database too (without a public address).");
        return site with
        {
            PrivateSubnets = [.. privateSubnets.Take(2).Select(s => s.Id)],
            PublicSubnet = ordered.Find(s => s.WayOut == WayOut.Internet)?.Id,
            PrivateRouteTable = privateSubnets.FirstOrDefault()?.RouteTableId,
            Remarks = remarks,
        };
    }

    private static async Task CheckVpcAsync(AwsAccess access, string vpcId, CancellationToken cancellationToken)
    {
        try
        {
            await ReadVpcs.ListAsync(access, vpcId, cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure f) when (f.Kind == AwsFailureKind.NotFound)
        {
            throw new StackFailure(StackFailureReason.NotFound, $"there is no VPC {vpcId} in {access.Region}", null, f);
        }
    }

    private static async Task CheckEndpointsAsync(AwsAccess access, StackOptions options, string vpcId, CancellationToken cancellationToken)
    {
        var wanted = options.EffectiveEndpoints.Services;
        var present = await ReadVpcs.EndpointsAsync(access, vpcId, cancellationToken).ConfigureAwait(false);
        var foreign = present.Where(e => e.Tags.GetValueOrDefault(StackPlan.OwnerTag) != options.Name).ToList();
        var clash = foreign.Find(e => wanted.Contains(e.Service) && (e.IsGateway ? e.Service == "s3" : e.HasPrivateDns && e.Service != "s3"));
        if (clash is not null)
        {
            var rest = string.Join(",", wanted.Except(foreign.Select(e => e.Service)));
            throw StackFailure.Usage($"{vpcId} has an endpoint for {clash.Service} already ({clash.Id}), and AWS allows one", $"Use --endpoints {(rest.Length > 0 ? rest : "none")}, and let its security group admit the bastion");
        }
        foreach (var needed in SessionServices)
        {
            if (!wanted.Contains(needed) && !foreign.Exists(e => e.Service == needed && e.HasPrivateDns))
                throw StackFailure.Usage($"--endpoints {options.EffectiveEndpoints} is not enough for Session Manager: {vpcId} has no endpoint for {needed}", $"Add {needed}");
        }
        if (options.EffectiveEndpoints.Interfaces.Any() && !await ReadVpcs.HasDnsAsync(access, vpcId, cancellationToken).ConfigureAwait(false))
            throw StackFailure.Usage($"{vpcId} has DNS support or DNS hostnames off, and endpoints need both", $"aws ec2 modify-vpc-attribute --vpc-id {vpcId} --enable-dns-hostnames");
    }
}
