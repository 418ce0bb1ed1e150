using System.Globalization;
using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>What the Price List API says of a region today.</summary>
/// <param name="Prices">Prices found, each with the day from which it holds.</param>
/// <param name="Missing">Items it has no single price of.</param>
public sealed record RefreshedPrices(IReadOnlyList<Price> Prices, IReadOnlyList<string> Missing);

/// <summary>Asks the Price List API for every item of the table, by region and exact usage type. Source of the traps: aws-facts §7.1.</summary>
public static class RefreshPrices
{
    /// <summary>Questions at the same time; the API throttles early.</summary>
    private const int Parallel = 4;

    // Usage types begin with the region's prefix; N. Virginia's mostly with none, sometimes with its own.
    private static readonly Dictionary<string, string[]> Prefixes = new(StringComparer.Ordinal)
    {
        ["us-east-1"] = ["", "USE1-"],
        ["us-east-2"] = ["USE2-"],
        ["us-west-1"] = ["USW1-"],
        ["us-west-2"] = ["USW2-"],
        ["ca-central-1"] = ["CAN1-"],
        ["sa-east-1"] = ["SAE1-"],
        ["eu-west-1"] = ["EU-", "EUW1-"],
        ["eu-west-2"] = ["EUW2-"],
        ["eu-west-3"] = ["EUW3-"],
        ["eu-central-1"] = ["EUC1-"],
        ["eu-north-1"] = ["EUN1-"],
        ["eu-south-1"] = ["EUS1-"],
        ["ap-northeast-1"] = ["APN1-"],
        ["ap-northeast-2"] = ["APN2-"],
        ["ap-northeast-3"] = ["APN3-"],
        ["ap-southeast-1"] = ["APS1-"],
        ["ap-southeast-2"] = ["APS2-"],
        ["ap-south-1"] = ["APS3-"],
        ["ap-east-1"] = ["APE1-"],
        ["me-south-1"] = ["MES1-"],
        ["af-south-1"] = ["AFS1-"],
    };

    /// <summary>Asks.</summary>
    /// <exception cref="AwsFailure">Permission: not allowed. Configuration: the usage types of that region are not known.</exception>
    public static async Task<RefreshedPrices> AskAsync(AwsAccess access, PriceTable table, string region, CancellationToken cancellationToken)
    {
        if (!Prefixes.TryGetValue(region, out var prefixes))
            throw new AwsFailure(AwsFailureKind.Configuration, "pricing:GetProducts", null, $"how the price list calls things of {region} is not known");
        using var turns = new SemaphoreSlim(Parallel);
        var items = table.All.DistinctBy(p => p.Item).ToList();
        var found = await Task.WhenAll(items.Select(item => OneAsync(access, turns, item, region, prefixes, cancellationToken))).ConfigureAwait(false);
        return new RefreshedPrices([.. found.OfType<Price>()], [.. items.Where((_, i) => found[i] is null).Select(p => p.Item)]);
    }

    private static async Task<Price?> OneAsync(AwsAccess access, SemaphoreSlim turns, Price item, string region, string[] prefixes, CancellationToken cancellationToken)
    {
        if (ServiceOf(item.Item) is not { } service)
            return null;
        await turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (var prefix in prefixes)
            {
                var listed = await ReadPrices.OfAsync(access, service, Filters(item, region, prefix + item.UsageType), cancellationToken).ConfigureAwait(false);
                // Aurora's rows come once an engine.
                var ours = listed.Where(p => p.Attributes.GetValueOrDefault("databaseEngine") is null or "Any" or "Aurora PostgreSQL").Where(p => p.Usd > 0).ToList();
                if (ours.Select(p => p.Usd).Distinct().Count() != 1)
                    continue;
                var factor = item.Unit == "million" ? 1_000_000m : 1;
                return item with { Region = region, Usd = Trimmed(ours[0].Usd * factor), AsOf = ours[0].Since, Source = $"AWS Price List API, {service}, usage type {prefix}{item.UsageType}" };
            }
            return null;
        }
        finally
        {
            turns.Release();
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Filters(Price item, string region, string usageType)
    {
        yield return new("usagetype", usageType);
        // Bytes out have a region they come from instead.
        yield return new(item.Item == "transfer-gb" ? "fromRegionCode" : "regionCode", region);
        if (!item.UsageType.StartsWith("BoxUsage:", StringComparison.Ordinal))
            yield break;
        yield return new("operatingSystem", "Linux");
        yield return new("preInstalledSw", "NA");
        yield return new("tenancy", "Shared");
        yield return new("capacitystatus", "Used");
    }

    /// <summary>The service that lists an item; null: what the list calls it is not known.</summary>
    private static string? ServiceOf(string item) => item switch
    {
        "nat-hour" or "nat-gb" or "gp3-gb" => "AmazonEC2",
        "endpoint-hour" or "endpoint-gb" or "ipv4-hour" => "AmazonVPC",
        "acu-hour" or "aurora-gb" or "aurora-io" => "AmazonRDS",
        "secret" => "AWSSecretsManager",
        "transfer-gb" => "AWSDataTransfer",
        "dpu" or "dsql-gb" => "AuroraDSQL",
        _ => item.StartsWith("t4g.", StringComparison.Ordinal) ? "AmazonEC2" : null,
    };

    // The list writes ten decimals.
    private static decimal Trimmed(decimal usd) => decimal.Parse(usd.ToString("0.############", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
