namespace Fumidai.Stacks;

/// <summary>One architecture with its price.</summary>
/// <param name="Architecture">What.</param>
/// <param name="Cost">Its month.</param>
public sealed record ComparedCost(Architecture Architecture, MonthlyCost Cost)
{
    /// <summary>Whether every price was known; otherwise the true sum is higher.</summary>
    public bool IsComplete => !Cost.Unknown.Any();

    /// <summary>Whether none was known: there is no sum at all.</summary>
    public bool IsUnknown => Cost.Lines.All(l => l.Usd is null);
}

/// <summary>Every architecture with its price, cheapest first; those with an unknown price come last, since their sum says too little.</summary>
/// <param name="Region">Region of the prices.</param>
/// <param name="Usage">What was assumed.</param>
/// <param name="Rows">The ways, then the databases.</param>
public sealed record CostComparison(string Region, CostUsage Usage, IReadOnlyList<ComparedCost> Rows)
{
    /// <summary>Compares.</summary>
    public static CostComparison Of(PriceTable prices, string region, CostUsage usage, int leastZones, int mostZones) => new(region, usage,
    [
        .. Architecture.All(leastZones, mostZones).Select(a => new ComparedCost(a, a.Cost(prices, region, usage)))
            .OrderBy(c => c.Architecture.Part).ThenBy(c => !c.IsComplete).ThenBy(c => c.IsUnknown).ThenBy(c => c.Cost.KnownUsd),
    ]);

    /// <summary>The rows of one part.</summary>
    public IEnumerable<ComparedCost> Of(ArchitecturePart part) => Rows.Where(r => r.Architecture.Part == part);

    /// <summary>The largest sum of all, in USD: what bars are measured by.</summary>
    public decimal LargestUsd => Rows.Max(r => r.Cost.KnownUsd);

    /// <summary>Age of the oldest price used; null: none is known.</summary>
    public string? OldestPrice => Rows.Select(r => r.Cost.OldestPrice).OfType<string>().Order(StringComparer.Ordinal).FirstOrDefault();
}
