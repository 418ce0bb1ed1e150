namespace Fumidai.Stacks;

/// <summary>One line of a bill.</summary>
/// <param name="What">In a reader's words.</param>
/// <param name="Quantity">How many units.</param>
/// <param name="Price">Their price.</param>
public sealed record CostLine(string What, decimal Quantity, Price Price)
{
    /// <summary>USD; null: the price is not known.</summary>
    public decimal? Usd => Price.Usd * Quantity;
}

/// <summary>What a stack costs in a month, or in an hour, line by line.</summary>
/// <param name="Region">Region of the prices.</param>
/// <param name="Lines">The bill.</param>
public sealed record MonthlyCost(string Region, IReadOnlyList<CostLine> Lines)
{
    /// <summary>A month, in hours: 365 days × 24 / 12.</summary>
    public const decimal HoursPerMonth = 730;

    /// <summary>Gigabytes a month to the internet that an account has free.</summary>
    public const decimal FreeTransferGb = 100;

    /// <summary>Sum of what is known, in USD.</summary>
    public decimal KnownUsd => Lines.Sum(l => l.Usd ?? 0);

    /// <summary>Lines whose price is not known: the true sum is higher.</summary>
    public IEnumerable<CostLine> Unknown => Lines.Where(l => l.Usd is null);

    /// <summary>The age of the oldest price used, as the table has it; null: none is known.</summary>
    public string? OldestPrice => Lines.Where(l => l.Usd is not null).Select(l => l.Price.AsOf).Order(StringComparer.Ordinal).FirstOrDefault();

    /// <summary>A month of a stack. Source of the formulas: aws-facts §7.3.</summary>
    public static MonthlyCost Of(StackQuantities stack, PriceTable prices, string region, CostUsage usage)
    {
        var running = Math.Min(usage.Hours + usage.IdleHours, usage.MonthHours);
        var privateHours = stack.StopsWhenIdle ? running : usage.MonthHours;
        var publicHours = stack.PublicStopsWhenIdle ? running : usage.MonthHours;
        var acuHours = Math.Max(stack.MinAcu, usage.Acu) * usage.Hours + stack.MinAcu * (usage.MonthHours - usage.Hours);
        return Bill(stack, prices, region, usage.MonthHours, privateHours, publicHours, acuHours, usage);
    }

    /// <summary>An hour of a stack as it runs now; what is billed by the month (disks, storage, the secret) as its 730th part.</summary>
    /// <param name="stack">What there is.</param>
    /// <param name="prices">Prices.</param>
    /// <param name="region">Region of the prices.</param>
    /// <param name="privateRuns">Whether the private bastion runs.</param>
    /// <param name="publicRuns">Whether the public bastion runs.</param>
    /// <param name="acu">The cluster's capacity now; null: not known, and then its least.</param>
    /// <param name="storageGb">Gigabytes stored.</param>
    public static MonthlyCost OfHour(StackQuantities stack, PriceTable prices, string region, bool privateRuns, bool publicRuns, decimal? acu, decimal storageGb)
    {
        var bill = Bill(stack, prices, region, 1, privateRuns ? 1 : 0, publicRuns ? 1 : 0, acu ?? stack.MinAcu, new CostUsage { StorageGb = storageGb, TransferGb = 0 });
        return bill with { Lines = [.. bill.Lines.Select(l => l.Price.Unit.EndsWith("-month", StringComparison.Ordinal) ? l with { Quantity = l.Quantity / HoursPerMonth } : l)] };
    }

    /// <summary>A stack for so many hours, each bastion for its own; what is billed by the month as these hours' part of it.</summary>
    /// <param name="stack">What there is.</param>
    /// <param name="prices">Prices.</param>
    /// <param name="region">Region of the prices.</param>
    /// <param name="hours">Hours in which it existed.</param>
    /// <param name="privateHours">Hours in which the private bastion ran.</param>
    /// <param name="publicHours">Hours in which the public bastion ran.</param>
    public static MonthlyCost OfUptime(StackQuantities stack, PriceTable prices, string region, decimal hours, decimal privateHours, decimal publicHours)
    {
        var bill = Bill(stack, prices, region, hours, privateHours, publicHours, stack.MinAcu * hours, new CostUsage { StorageGb = 0, TransferGb = 0 });
        return bill with { Lines = [.. bill.Lines.Select(l => l.Price.Unit.EndsWith("-month", StringComparison.Ordinal) ? l with { Quantity = l.Quantity * hours / HoursPerMonth } : l)] };
    }

    private static MonthlyCost Bill(StackQuantities stack, PriceTable prices, string region, decimal hours, decimal privateHours, decimal publicHours, decimal acuHours, CostUsage usage)
    {
        var lines = new List<CostLine>();
        void Add(string what, decimal quantity, string item)
        {
            if (quantity > 0)
                lines.Add(new CostLine(what, quantity, prices.Of(region, item)));
        }
        Add("NAT gateway", stack.NatGateways * hours, "nat-hour");
        Add("Data through the NAT gateway", stack.NatGateways > 0 ? usage.TransferGb : 0, "nat-gb");
        Add("NAT gateway's public address", stack.NatGateways * hours, "ipv4-hour");
        Add("Interface endpoints", stack.EndpointZones * hours, "endpoint-hour");
        Add("Data through the endpoints", stack.EndpointZones > 0 ? usage.TransferGb : 0, "endpoint-gb");
        var bastions = (stack.HasPrivateBastion ? 1 : 0) + (stack.HasPublicBastion ? 1 : 0);
        Add("Private bastion", stack.HasPrivateBastion ? privateHours : 0, stack.BastionType);
        Add("Private bastion's public address", stack.IsPrivateBastionOutside ? privateHours : 0, "ipv4-hour");
        Add("Public bastion", stack.HasPublicBastion ? publicHours : 0, stack.BastionType);
        Add("Public bastion's address", stack.HasPublicBastion ? publicHours : 0, "ipv4-hour");
        Add("Data to the internet beyond the free 100 GB", stack.HasPublicBastion ? Math.Max(0, usage.TransferGb - FreeTransferGb) : 0, "transfer-gb");
        Add("Bastions' disks", bastions * StackQuantities.DiskGb, "gp3-gb");
        if (stack.HasCluster)
        {
            Add("Aurora capacity", acuHours, "acu-hour");
            Add("Aurora storage", usage.StorageGb, "aurora-gb");
            Add("Aurora reads and writes", usage.IoMillions, "aurora-io");
            Add("Master password's secret", 1, "secret");
        }
        return new MonthlyCost(region, lines);
    }
}
