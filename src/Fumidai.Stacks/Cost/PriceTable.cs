using System.Globalization;

namespace Fumidai.Stacks;

/// <summary>The prices shipped with this version (prices.csv). Source: aws-facts §7.1.</summary>
public sealed class PriceTable
{
    private readonly Dictionary<(string Region, string Item), Price> _prices;

    private PriceTable(IEnumerable<Price> prices) => _prices = prices.ToDictionary(p => (p.Region, p.Item));

    /// <summary>The table compiled in.</summary>
    public static PriceTable Shipped { get; } = new(Resources.Lines("prices.csv").Skip(1).Select(Row));

    /// <summary>Every price, the unknown ones included.</summary>
    public IEnumerable<Price> All => _prices.Values;

    /// <summary>Regions of which anything is known.</summary>
    public IEnumerable<string> Regions => _prices.Keys.Select(k => k.Region).Distinct(StringComparer.Ordinal);

    /// <summary>The price of an item; one that the table lacks is unknown, never a guess and never zero.</summary>
    public Price Of(string region, string item) => _prices.GetValueOrDefault((region, item)) ?? new Price(region, item, "", "", null, "", $"the table has no {item} for {region}");

    /// <summary>The same table with newer prices in place of its own.</summary>
    public PriceTable With(IEnumerable<Price> newer) => new([.. newer.Concat(All).DistinctBy(p => (p.Region, p.Item))]);

    private static Price Row(string line)
    {
        var fields = line.Split(',', 7);
        return new Price(fields[0], fields[1], fields[2], fields[3], fields[4].Length == 0 ? null : decimal.Parse(fields[4], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture), fields[5], fields[6].Trim('"'));
    }
}
