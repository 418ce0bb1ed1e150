using System.Globalization;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>What a person reads before saying yes: what is created, what it costs a month, what cannot be undone.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Region">Where.</param>
/// <param name="Account">Whose account; null: not known.</param>
internal sealed record StackSummary(StackPlan Plan, string Region, string? Account)
{
    private static readonly CostUsage InUse = new();

    private MonthlyCost Idle { get; } = MonthlyCost.Of(StackQuantities.Of(Plan), PriceTable.Shipped, Region, CostUsage.Idle);

    private MonthlyCost Used { get; } = MonthlyCost.Of(StackQuantities.Of(Plan), PriceTable.Shipped, Region, InUse);

    /// <summary>Lines for people.</summary>
    /// <param name="isNew">Whether the stack is to be created rather than changed.</param>
    /// <param name="withBill">Whether each position of the costs is shown.</param>
    internal IEnumerable<string> Lines(bool isNew, bool withBill)
    {
        yield return $"Stack {Plan.Name} in {Region}{(Account is null ? "" : $", account {Account}")}";
        yield return isNew ? "  Creates" : "  Consists of";
        foreach (var line in Parts())
            yield return "    " + line;
        yield return "  Costs";
        foreach (var line in Costs())
            yield return "    " + line;
        if (withBill)
        {
            yield return "  In use, that is";
            foreach (var line in Bill())
                yield return "    " + line;
        }
        yield return "  Cannot be undone";
        foreach (var line in Plan.CannotUndo)
            yield return "    " + line;
        if (Plan.Remarks.Count == 0)
            yield break;
        yield return "  Good to know";
        foreach (var line in Plan.Remarks)
            yield return "    " + line;
    }

    /// <summary>The same for programs.</summary>
    internal TunnelEvent Event() => new("plan", $"Stack {Plan.Name} in {Region}: {Plan.Creates.Count} resources", new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["stack"] = Plan.Name,
        ["region"] = Region,
        ["account"] = Account ?? "",
        ["resources"] = Text(Plan.Creates.Count),
        ["usd_month_idle"] = Usd(Idle.KnownUsd),
        ["usd_month_in_use"] = Usd(Used.KnownUsd),
        ["in_use_means"] = InUseMeans(),
        ["prices_unknown"] = string.Join(", ", Unknown()),
        ["oldest_price"] = Used.OldestPrice ?? "",
        ["cannot_undo"] = string.Join(" ", Plan.CannotUndo),
    });

    private IEnumerable<string> Parts()
    {
        var (o, site) = (Plan.Options, Plan.Site);
        yield return site.VpcId is null
            ? $"a VPC ({o.Cidr ?? site.Cidr}) over two zones, with two public and two private subnets"
            : $"nothing of the network: {site.VpcId} stays as it is";
        if (o.EffectiveEndpoints.IsNat)
            yield return "a NAT gateway";
        if (o.EffectiveEndpoints.Services.Count > 0)
            yield return $"endpoints for {string.Join(", ", o.EffectiveEndpoints.Services)}, in {(o.EndpointZones == 1 ? "one zone" : "two zones")}";
        yield return o.BuildsCluster
            ? $"an Aurora PostgreSQL {o.EngineVersion} cluster, Serverless v2 of {Text(o.MinAcu)} to {Text(o.MaxAcu)} ACU{(o.MinAcu == 0 ? $", paused after {Text((decimal)o.AutoPauseAfter.TotalMinutes)} minutes without a connection" : "")}"
            : $"one inbound rule in {site.ClusterGroup}, which lets the bastion into cluster {o.Cluster}";
        if (o.HasPrivateBastion)
            yield return $"a private bastion ({o.BastionType}) {(o.HasConnectEndpoint ? "behind an EC2 Instance Connect Endpoint, inbound from it alone" : "without any inbound rule")}, which {(o.IdleStop is { } idle ? $"stops itself after {Text((decimal)idle.TotalMinutes)} minutes without a session" : "never stops itself")}";
        if (o.HasPublicBastion)
            yield return $"a public bastion ({o.BastionType}), SSH from {o.MyAddress}/32 only";
        yield return $"their security groups and an IAM role: {Text(Plan.Creates.Count)} resources in all";
    }

    private IEnumerable<string> Costs()
    {
        var source = $"({Region}, prices of {Used.OldestPrice ?? "no known date"} or later, without tax)";
        var more = Unknown().Any() ? " and what is not known" : "";
        yield return $"a month idle, nobody connects: {Usd(Idle.KnownUsd)} USD{more} {source}";
        yield return $"a month in use, {InUseMeans()}: {Usd(Used.KnownUsd)} USD{more} {source}";
        if (more.Length > 0)
            yield return $"not known in {Region}, and not counted: {string.Join(", ", Unknown())}";
    }

    private IEnumerable<string> Bill() => Used.Lines.Select(l => l.Usd is { } usd
        ? $"{Usd(usd),8} USD  {l.What}: {l.Quantity.ToString("0.##", CultureInfo.InvariantCulture)} × {Text(l.Price.Usd!.Value)} per {l.Price.Unit} ({Region}, {l.Price.AsOf})"
        : $"       ? USD  {l.What}: the price is not known ({Region})");

    private string InUseMeans() =>
        $"{Text(InUse.Hours)} hours{(Plan.Options.BuildsCluster ? $" at {Text(Math.Max(InUse.Acu, Plan.Options.MinAcu))} ACU, {Text(InUse.StorageGb)} GB stored" : "")}, {Text(InUse.TransferGb)} GB through the way out";

    private IEnumerable<string> Unknown() => Used.Unknown.Concat(Idle.Unknown).Select(l => l.What).Distinct(StringComparer.Ordinal);

    private static string Usd(decimal amount) => amount.ToString("0.00", CultureInfo.InvariantCulture);

    private static string Text(decimal number) => number.ToString("0.######", CultureInfo.InvariantCulture);
}
