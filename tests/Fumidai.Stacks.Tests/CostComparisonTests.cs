using System.Globalization;
using CsCheck;
using Xunit;

namespace Fumidai.Stacks.Tests;

/// <summary>The comparison of <c>fumidai cost</c>, against sums worked out by hand and against the page that shows them.</summary>
public sealed class CostComparisonTests
{
    // Rows of aws-facts §7.3: 730 hours, 1 GB; what stops when idle runs 40 hours.
    [Theory]
    [InlineData("nat-1", 53.68, 40.25)]
    [InlineData("endpoints-3-1", 35.38, 25.62)]
    [InlineData("endpoints-3-2", 66.04, 47.52)]
    [InlineData("endpoints-2-1", 25.16, 18.32)]
    [InlineData("endpoints-2-2", 45.60, 32.92)]
    [InlineData("none", 8.36, 7.36)]
    [InlineData("public", 8.36, 7.36)]
    [InlineData("public-idle", 1.18, 1.01)]
    [InlineData("eice", 4.71, 3.71)]
    [InlineData("eice-idle", 0.98, 0.81)]
    [InlineData("data-api", 0.04, 0.04)]
    public void A_month_of_each_architecture_costs_what_the_facts_sheet_works_out(string id, double tokyo, double virginia)
    {
        Assert.Equal((decimal)tokyo, Sum("ap-northeast-1", id, new CostUsage()));
        Assert.Equal((decimal)virginia, Sum("us-east-1", id, new CostUsage()));
    }

    [Theory]
    [InlineData("nat-1", 10, 54.24)]
    [InlineData("nat-1", 100, 59.82)]
    [InlineData("endpoints-3-1", 100, 36.37)]
    [InlineData("endpoints-2-2", 100, 46.59)]
    [InlineData("public", 100, 8.36)]
    [InlineData("public", 110, 9.50)]
    public void Gigabytes_cost_what_they_cost_in_Tokyo(string id, int gb, double usd) =>
        Assert.Equal((decimal)usd, Sum("ap-northeast-1", id, new CostUsage { TransferGb = gb }));

    [Fact]
    public void Databases_cost_capacity_by_the_hour_and_what_is_stored()
    {
        var month = new CostUsage { Hours = 100, Acu = 4, StorageGb = 20 };

        Assert.Equal(100 * 0.5m * 0.15m + 20 * 0.12m + 0.40m, Sum("ap-northeast-1", "aurora-pausing", month));
        Assert.Equal(730 * 0.5m * 0.15m + 20 * 0.12m + 0.40m, Sum("ap-northeast-1", "aurora-minimum", month));
        Assert.Equal(decimal.Round((100 * 4 + 630 * 0.5m) * 0.15m + 20 * 0.12m + 0.40m, 2), Sum("ap-northeast-1", "aurora-typical", month));
        Assert.Equal(0.1m * 10 + 20 * 0.40m, Sum("ap-northeast-1", "dsql", month));
    }

    [Fact]
    public void Each_hourly_price_counts_for_every_hour_of_the_month_and_every_piece()
    {
        // What runs all month: its hourly lines are hours × count. What stops: hours of use and idle.
        Gen.Select(Gen.Int[1, 744], Gen.Int[0, 24], Gen.Int[0, 100], Gen.Int[1, 3], Gen.Bool.Select(isTokyo => isTokyo ? "ap-northeast-1" : "us-east-1")).Sample((month, hoursADay, gb, zones, region) =>
        {
            var used = month * hoursADay / 24m;
            var comparison = CostComparison.Of(PriceTable.Shipped, region, new CostUsage { MonthHours = month, Hours = used, TransferGb = gb }, zones, zones);
            foreach (var row in comparison.Of(ArchitecturePart.Way))
            {
                foreach (var line in row.Cost.Lines.Where(l => l.Price.Unit == "hour"))
                {
                    var stops = row.Architecture.Id.Contains("idle", StringComparison.Ordinal) && (line.What.Contains("astion", StringComparison.Ordinal));
                    var count = line.What switch
                    {
                        "Interface endpoints" => (row.Architecture.Id[10] - '0') * zones,
                        "NAT gateway" or "NAT gateway's public address" => zones,
                        _ => 1,
                    };
                    Assert.Equal((stops ? used : month) * count, line.Quantity);
                    Assert.Equal(line.Price.Usd * (stops ? used : month) * count, line.Usd);
                }
            }
        });
    }

    [Fact]
    public void Cheapest_comes_first_and_what_has_an_unknown_price_comes_last()
    {
        foreach (var region in PriceTable.Shipped.Regions)
        {
            var comparison = CostComparison.Of(PriceTable.Shipped, region, new CostUsage(), 1, 2);
            Assert.Equal(Architecture.All(1, 2).Count, comparison.Rows.Count);
            foreach (var part in Enum.GetValues<ArchitecturePart>())
            {
                var rows = comparison.Of(part).ToList();
                Assert.Equal(rows.OrderBy(r => !r.IsComplete).ThenBy(r => r.IsUnknown).ThenBy(r => r.Cost.KnownUsd).Select(r => r.Architecture.Id), rows.Select(r => r.Architecture.Id));
            }
        }
        Assert.All(CostComparison.Of(PriceTable.Shipped, "ap-northeast-1", new CostUsage(), 1, 2).Rows, r => Assert.True(r.IsComplete, r.Architecture.Name));
        Assert.All(CostComparison.Of(PriceTable.Shipped, "us-east-1", new CostUsage(), 1, 2).Rows, r => Assert.True(r.IsComplete, r.Architecture.Name));
        Assert.All(CostComparison.Of(PriceTable.Shipped, "mars-north-1", new CostUsage(), 1, 2).Rows, r => Assert.True(r.IsUnknown, r.Architecture.Name));
    }

    [Fact]
    public void Every_architecture_says_why_one_would_pick_it()
    {
        Assert.All(Architecture.All(1, 3), a =>
        {
            Assert.All(new[] { a.Reasons.Security, a.Reasons.Throughput, a.Reasons.Cost }, r => Assert.Matches(@"^\S.{10,}\.$", r));
        });
        Assert.Equal(Architecture.All(1, 3).Count, Architecture.All(1, 3).Select(a => a.Id).Distinct().Count());
    }

    [Fact]
    public async Task The_page_has_the_corrected_arithmetic_as_the_program_computes_it()
    {
        var page = await Page();
        var thirtyDays = new CostUsage { MonthHours = 24 * 30, Hours = 0, TransferGb = 0 };
        decimal Of(string region, StackQuantities what, string line) =>
            MonthlyCost.Of(what, PriceTable.Shipped, region, thirtyDays).Lines.Single(l => l.What == line).Usd!.Value;

        var nat = Of("ap-northeast-1", new() { NatGateways = 1 }, "NAT gateway");
        var three = Of("ap-northeast-1", new() { EndpointZones = 3 }, "Interface endpoints");
        var two = Of("ap-northeast-1", new() { EndpointZones = 2 }, "Interface endpoints");
        Assert.Equal((44.64m, 30.24m, 20.16m), (nat, three, two));
        Assert.Contains($"| NAT gateway, Tokyo, 30 days | 0.062 × 24 × 30 | **{Money(nat)}** |", page, StringComparison.Ordinal);
        Assert.Contains($"| three endpoints | 0.014 × 3 × 24 × 30 = **{Money(three)}** | {Money(2 * three)} |", page, StringComparison.Ordinal);
        Assert.Contains($"0.014 × 2 × 24 × 30 = **{Money(two)}** | {Money(2 * two)} |", page, StringComparison.Ordinal);
        Assert.Contains("| 0.062 × 30 (these are 30 **hours**) | 1.86 |", page, StringComparison.Ordinal);
        Assert.Contains($"**{Money(Of("us-east-1", new() { NatGateways = 1 }, "NAT gateway"))}**", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_s_table_of_all_architectures_is_what_the_program_computes()
    {
        var page = await Page();
        var usage = new CostUsage { Hours = 8 * 730m / 24, IdleHours = 0.5m * 730 / 24, Acu = 2 };
        var tokyo = CostComparison.Of(PriceTable.Shipped, "ap-northeast-1", usage, 1, 2);
        var virginia = CostComparison.Of(PriceTable.Shipped, "us-east-1", usage, 1, 2);
        foreach (var row in tokyo.Rows)
        {
            var there = virginia.Rows.Single(r => r.Architecture.Id == row.Architecture.Id);
            Assert.Contains($"| {row.Architecture.Name} | {Money(row.Cost.KnownUsd)} | {Money(there.Cost.KnownUsd)} |", page, StringComparison.Ordinal);
        }
    }

    private static Task<string> Page() => File.ReadAllTextAsync(Path.Combine(TemplateFiles.Folder, "../../../docs/cost.md"), TestContext.Current.CancellationToken);

    private static string Money(decimal usd) => usd.ToString("0.00", CultureInfo.InvariantCulture);

    private static decimal Sum(string region, string id, CostUsage usage)
    {
        var row = CostComparison.Of(PriceTable.Shipped, region, usage, 1, 2).Rows.Single(r => r.Architecture.Id == id);
        Assert.True(row.IsComplete);
        return decimal.Round(row.Cost.KnownUsd, 2, MidpointRounding.AwayFromZero);
    }
}
