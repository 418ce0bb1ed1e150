namespace Fumidai.Stacks;

/// <summary>What an architecture is for.</summary>
public enum ArchitecturePart
{
    /// <summary>The way from the laptop to the database.</summary>
    Way,
    /// <summary>The database itself.</summary>
    Database,
}

/// <summary>Why one would pick it, or not; a sentence or two each.</summary>
/// <param name="Security">Who could reach what.</param>
/// <param name="Throughput">How fast bytes get through.</param>
/// <param name="Cost">What drives its price.</param>
public sealed record ArchitectureReasons(string Security, string Throughput, string Cost);

/// <summary>One architecture that <c>fumidai cost</c> compares with the others.</summary>
/// <param name="Id">Stable, for programs.</param>
/// <param name="Part">What it is for.</param>
/// <param name="Family">In a reader's words, without the number of zones.</param>
/// <param name="Zones">Zones it stands in; null: it is no matter of zones.</param>
/// <param name="Reasons">Why one would pick it: the same for every number of zones.</param>
/// <param name="Bill">Its lines for a month.</param>
public sealed record Architecture(string Id, ArchitecturePart Part, string Family, int? Zones, ArchitectureReasons Reasons, Func<PriceTable, string, CostUsage, IReadOnlyList<CostLine>> Bill)
{
    /// <summary>In a reader's words.</summary>
    public string Name => Zones switch
    {
        null => Family,
        1 => $"{Family}, one zone",
        2 => $"{Family}, two zones",
        _ => FormattableString.Invariant($"{Family}, {Zones} zones"),
    };

    /// <summary>Every architecture, for one zone, two zones and so on up to <paramref name="mostZones"/>.</summary>
    public static IReadOnlyList<Architecture> All(int leastZones, int mostZones) =>
    [
        .. Enumerable.Range(leastZones, mostZones - leastZones + 1).SelectMany(InZones),
        Way("none", "private bastion, public address as its way out",
            new("Nothing may come in, but the bastion has an address on the internet.", OfSession, "The address costs more than the bastion."),
            new() { HasPrivateBastion = true, IsPrivateBastionOutside = true }),
        Way("public", "public bastion with its IPv4 address, SSH",
            new("Port 22 is open to one address of yours; follow it when it changes.", OfSsh, "A bastion and an address; the first 100 GB a month to the internet are free."),
            new() { HasPublicBastion = true }),
        Way("public-idle", "public bastion, stopped when idle",
            new("As the public bastion, and not there at all when nobody works.", OfSsh, "Its hours and its address end with it; only the disk remains. The address is another one each time."),
            new() { HasPublicBastion = true, PublicStopsWhenIdle = true }),
        Way("eice", "Instance Connect Endpoint, private bastion",
            new("No public address and no inbound rule from the internet; IAM opens each tunnel.", OfConnectEndpoint, "The endpoint is free, and no way out is needed: the bastion and its disk are all."),
            new() { HasPrivateBastion = true }),
        Way("eice-idle", "Instance Connect Endpoint, bastion stopped when idle",
            new("No public address and no inbound rule from the internet; nothing runs when nobody works.", OfConnectEndpoint, "The least that a bastion can cost: its hours of use and its disk."),
            new() { HasPrivateBastion = true, StopsWhenIdle = true }),
        new("data-api", ArchitecturePart.Way, "Data API, no bastion", null,
            new("No network path at all: IAM and TLS to AWS, and each call a CloudTrail data event where you turn those on.", "An HTTPS call a statement, 1 MiB of result each; clients, COPY and dumps work, bulk is slow.", "Per call, and nothing else; it keeps the cluster awake as any connection does."),
            DataApi),
        Database("aurora-pausing", "Aurora Serverless v2 that pauses, 0 ACU at least",
            new("In your VPC; IAM or a secret signs in.", "0.5 ACU and up when used; the first connection after a pause waits for about 15 seconds.", "Capacity only while somebody is connected; storage and the secret always."), 0, 0.5m),
        Database("aurora-minimum", "Aurora Serverless v2 at its minimum, 0.5 ACU",
            new("In your VPC; IAM or a secret signs in.", "Always there, with about 1 GiB of memory.", "Half an ACU at every hour."), 0.5m, 0.5m),
        Database("aurora-typical", "Aurora Serverless v2 at a typical load",
            new("In your VPC; IAM or a secret signs in.", "The capacity named in the hours of use, 0.5 ACU in the others.", "Follows the load."), 0.5m, null),
        new("dsql", ArchitecturePart.Database, "Aurora DSQL", null,
            new("Public endpoint: IAM signs in, TLS is mandatory; no VPC, no bastion, no password.", "Scales by itself; optimistic concurrency, no foreign keys, no extensions.", "Per unit of work (DPU) and stored GB; idle costs the storage. The monthly free tier is not subtracted."),
            Dsql),
    ];

    /// <summary>What it costs.</summary>
    public MonthlyCost Cost(PriceTable prices, string region, CostUsage usage) => new(region, Bill(prices, region, usage));

    private const string OfSession = "Session Manager: several sessions side by side, some megabytes a second.";
    private const string OfSsh = "SSH: as fast as the line and the bastion's network.";
    private const string OfConnectEndpoint = "Meant for management: 20 connections at once, bulk transfer is throttled, a connection lives an hour at most.";

    private static IEnumerable<Architecture> InZones(int zones)
    {
        const string Anew = " Each further zone costs that anew, and survives the failure of another.";
        Architecture InThese(string id, string family, ArchitectureReasons reasons, StackQuantities quantities) =>
            Way(FormattableString.Invariant($"{id}-{zones}"), family, reasons, quantities) with { Zones = zones };
        yield return InThese("endpoints-3", "private bastion, three endpoints",
            new("No public address, no way to the internet at all.", OfSession, "Three endpoints at every hour; ec2messages is needed by agents before 3.3.40.0 only." + Anew),
            new() { HasPrivateBastion = true, EndpointZones = 3 * zones });
        yield return InThese("endpoints-2", "private bastion, two endpoints",
            new("No public address, no way to the internet at all.", OfSession, "Two endpoints at every hour, used or not." + Anew),
            new() { HasPrivateBastion = true, EndpointZones = 2 * zones });
        yield return InThese("endpoints-2-idle", "private bastion stopped when idle, two endpoints",
            new("No public address, no way to the internet at all; nothing runs when nobody works.", OfSession, "Stopping saves the bastion's hours, not the endpoints'." + Anew),
            new() { HasPrivateBastion = true, EndpointZones = 2 * zones, StopsWhenIdle = true });
        yield return InThese("nat", "private bastion, NAT gateway",
            new("Nothing may come in, but the bastion reaches the whole internet.", OfSession, "The gateway's hours, its address and every GB; worth it where others share the gateway." + Anew),
            new() { HasPrivateBastion = true, NatGateways = zones });
    }

    private static Architecture Way(string id, string name, ArchitectureReasons reasons, StackQuantities quantities) =>
        new(id, ArchitecturePart.Way, name, null, reasons, (prices, region, usage) => MonthlyCost.Of(quantities, prices, region, usage).Lines);

    private static Architecture Database(string id, string name, ArchitectureReasons reasons, decimal leastAcu, decimal? acu) =>
        new(id, ArchitecturePart.Database, name, null, reasons, (prices, region, usage) => MonthlyCost.Of(
            new StackQuantities { HasCluster = true, MinAcu = leastAcu }, prices, region, usage with { Acu = acu ?? usage.Acu }).Lines);

    private static IReadOnlyList<CostLine> DataApi(PriceTable prices, string region, CostUsage usage) =>
        [new("Data API calls", Math.Max(usage.CallMillions, usage.TransferGb * CallsPerGb), prices.Of(region, "data-api"))];

    // A call is counted once for each 32 KiB of its data.
    private const decimal CallsPerGb = 1024 * 1024 / 32 / 1_000_000m;

    private static IReadOnlyList<CostLine> Dsql(PriceTable prices, string region, CostUsage usage) =>
        [new("DPUs", usage.DpuMillions, prices.Of(region, "dpu")), new("Storage", usage.StorageGb, prices.Of(region, "dsql-gb"))];
}
