using System.Text.RegularExpressions;
using Fumidai.Aws;
using Xunit;

namespace Fumidai.Stacks.Tests;

/// <summary>Prices are dated and sourced, sums agree with those worked out by hand in the facts sheet (§7.3).</summary>
public sealed class CostTests
{
    [Fact]
    public void Every_price_has_a_source_and_a_date_and_none_is_zero()
    {
        Assert.NotEmpty(PriceTable.Shipped.All);
        Assert.All(PriceTable.Shipped.All, p =>
        {
            Assert.True(p.Source.Length > 10, $"{p.Region} {p.Item} has no source");
            Assert.Matches(@"^20\d\d(-\d\d(-\d\d)?)?$", p.AsOf);
            Assert.True(p.UsageType.Length > 0 && p.Unit.Length > 0);
            Assert.True(p.Usd is null or > 0);
        });
    }

    [Theory]
    [InlineData("ap-northeast-1")]
    [InlineData("ap-northeast-3")]
    [InlineData("us-east-1")]
    [InlineData("eu-west-1")]
    public void Regions_people_ask_for_are_in_the_table_with_every_item(string region) =>
        Assert.Equal(PriceTable.Shipped.All.Select(p => p.Item).Distinct().Order(), PriceTable.Shipped.All.Where(p => p.Region == region).Select(p => p.Item).Order());

    [Fact]
    public void What_is_not_known_is_unknown_and_not_nothing()
    {
        Assert.Null(PriceTable.Shipped.Of("ap-northeast-3", "acu-hour").Usd);
        Assert.Null(PriceTable.Shipped.Of("mars-north-1", "nat-hour").Usd);
        var osaka = MonthlyCost.Of(StackQuantities.Of(Sites.Plan()), PriceTable.Shipped, "ap-northeast-3", CostUsage.AllMonth);
        Assert.NotEmpty(osaka.Unknown);
        Assert.All(osaka.Unknown, l => Assert.Null(l.Usd));
    }

    // Rows of aws-facts §7.3 at 1 GB; the bastion runs all month.
    [Theory]
    [InlineData("nat", 1, "ap-northeast-1", 53.68)]
    [InlineData("nat", 1, "us-east-1", 40.25)]
    [InlineData("ssm,ssmmessages,ec2messages", 1, "ap-northeast-1", 35.38)]
    [InlineData("ssm,ssmmessages,ec2messages", 2, "ap-northeast-1", 66.04)]
    [InlineData("ssm,ssmmessages", 1, "ap-northeast-1", 25.16)]
    [InlineData("ssm,ssmmessages", 1, "us-east-1", 18.32)]
    [InlineData("ssm,ssmmessages", 2, "ap-northeast-1", 45.60)]
    [InlineData("none", 1, "ap-northeast-1", 8.36)]
    [InlineData("none", 1, "us-east-1", 7.36)]
    public void A_month_of_the_network_costs_what_the_facts_sheet_works_out(string endpoints, int zones, string region, double usd)
    {
        var plan = Sites.Plan(change: o => o with { Endpoints = EndpointChoice.Parse(endpoints), EndpointZones = zones });
        var cost = MonthlyCost.Of(StackQuantities.Of(plan) with { HasCluster = false }, PriceTable.Shipped, region, CostUsage.AllMonth);
        Assert.Empty(cost.Unknown);
        Assert.Equal((decimal)usd, decimal.Round(cost.KnownUsd, 2));
    }

    [Fact]
    public void Idle_costs_no_bastion_hour_and_no_capacity_but_endpoints_disk_storage_and_secret()
    {
        var cost = MonthlyCost.Of(StackQuantities.Of(Sites.Plan()), PriceTable.Shipped, "ap-northeast-1", CostUsage.Idle);
        Assert.Equal(["Interface endpoints", "Bastions' disks", "Aurora storage", "Master password's secret"], cost.Lines.Select(l => l.What));
        Assert.Equal(0.014m * 2 * 730 + 8 * 0.096m + 10 * 0.12m + 0.40m, cost.KnownUsd);
        Assert.Equal("2026", cost.OldestPrice);
    }

    [Fact]
    public void Forty_hours_at_half_an_ACU_cost_three_dollars_in_Tokyo_and_a_minimum_is_billed_all_month()
    {
        CostLine Capacity(decimal min) => MonthlyCost.Of(StackQuantities.Of(Sites.Plan(change: o => o with { MinAcu = min })), PriceTable.Shipped, "ap-northeast-1", new CostUsage { Hours = 40 })
            .Lines.Single(l => l.What == "Aurora capacity");
        Assert.Equal(3.00m, Capacity(0).Usd);
        Assert.Equal(54.75m, Capacity(0.5m).Usd);
    }

    [Fact]
    public void A_stack_that_exists_is_counted_like_the_plan_it_came_from()
    {
        foreach (var (name, plan) in Sites.All())
        {
            var outputs = new TemplateDocument(plan.Template).Section("Outputs").ToDictionary(o => o.Key, o => TemplateDocument.Text(o.Value, "Value") ?? "");
            var stack = new CloudFormationStack { Id = "arn", Name = plan.Name, Status = "CREATE_COMPLETE", Parameters = plan.Parameters, Outputs = outputs };
            var counted = StackQuantities.Of(stack, [.. plan.Creates.Select(c => new StackResource(c.LogicalId, "id-" + c.LogicalId, c.Type, "CREATE_COMPLETE", null))]);
            var planned = StackQuantities.Of(plan);
            Assert.True(counted == planned with { StopsWhenIdle = planned is { StopsWhenIdle: true, HasPrivateBastion: true }, MinAcu = planned.HasCluster ? planned.MinAcu : 0 }, $"{name}: {counted} is not {planned}");
        }
    }

    [Fact]
    public void An_hour_is_the_730th_part_of_a_month_of_the_same()
    {
        var quantities = StackQuantities.Of(Sites.Plan(StackPattern.Both, o => o with { MinAcu = 0.5m }));
        var month = MonthlyCost.Of(quantities, PriceTable.Shipped, "ap-northeast-1", CostUsage.AllMonth with { TransferGb = 0 });
        var hour = MonthlyCost.OfHour(quantities, PriceTable.Shipped, "ap-northeast-1", true, true, 0.5m, 10);
        Assert.Equal(decimal.Round(month.KnownUsd, 6), decimal.Round(hour.KnownUsd * MonthlyCost.HoursPerMonth, 6));
    }

    [Fact]
    public async Task The_cost_page_names_every_price_it_uses_as_the_table_has_it()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(TemplateFiles.Folder, "../../../docs/cost.md"), TestContext.Current.CancellationToken);
        foreach (var item in new[] { "nat-hour", "endpoint-hour", "acu-hour" })
        {
            foreach (var region in new[] { "ap-northeast-1", "us-east-1" })
                Assert.Contains(PriceTable.Shipped.Of(region, item).Usd!.Value.ToString(System.Globalization.CultureInfo.InvariantCulture), page, StringComparison.Ordinal);
        }
        foreach (var sum in new[] { "1.86", "44.64", "30.24", "20.16" })
            Assert.Contains(sum, page, StringComparison.Ordinal);
        Assert.Equal((1.86m, 44.64m, 30.24m, 20.16m), (0.062m * 30, 0.062m * 24 * 30, 0.014m * 3 * 24 * 30, 0.014m * 2 * 24 * 30));
        Assert.DoesNotMatch(new Regex(@"\$\s*\d"), page);
    }
}
