using System.Text.Json;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary><c>fumidai cost</c> with an account: the Price List API in the lab, and the bill of a stack that exists.</summary>
public sealed class CostInTheLabTests
{
    [Fact]
    public async Task Prices_are_refreshed_and_a_stack_is_counted_as_it_is()
    {
        await using var lab = await StackLab.StartAsync(isEmpty: true);

        var fresh = await lab.HereAsync("cost", "--refresh", "--prices", "--json");
        Assert.True(fresh.ExitCode == 0, fresh.ToString());
        using (var json = JsonDocument.Parse(fresh.Output))
        {
            var prices = json.RootElement.EnumerateArray().ToDictionary(p => p.GetProperty("item").GetString()!);
            Assert.Equal((0.062m, "2026-11-01", "AWS Price List API, AmazonEC2, usage type APN1-NatGateway-Hours"), (prices["nat-hour"].GetProperty("usd_unit").GetDecimal(), prices["nat-hour"].GetProperty("as_of").GetString(), prices["nat-hour"].GetProperty("source").GetString()));
            Assert.Equal((0.15m, "2026-11-01"), (prices["acu-hour"].GetProperty("usd_unit").GetDecimal(), prices["acu-hour"].GetProperty("as_of").GetString()));
            Assert.Equal((0.24m, "2026-11-01"), (prices["aurora-io"].GetProperty("usd_unit").GetDecimal(), prices["aurora-io"].GetProperty("as_of").GetString()));
            Assert.Equal("2026-07-11", prices["data-api"].GetProperty("as_of").GetString());
        }

        var up = await lab.HereAsync("up", "--yes", "--pattern", "private");
        Assert.True(up.ExitCode == 0, up.ToString());
        var bill = await lab.HereAsync("cost", "--stack", "--json");
        Assert.True(bill.ExitCode == 0, bill.ToString());
        using var stacks = JsonDocument.Parse(bill.Output);
        var month = stacks.RootElement[0].GetProperty("month").EnumerateArray().ToDictionary(l => l.GetProperty("what").GetString()!, l => l.GetProperty("usd_month").GetDecimal());
        Assert.Equal((20.44m, 3.942m, 0.768m), (month["Interface endpoints"], month["Private bastion"], month["Bastions' disks"]));
        Assert.InRange(stacks.RootElement[0].GetProperty("usd_so_far").GetDecimal(), 0, stacks.RootElement[0].GetProperty("usd_month").GetDecimal());
    }
}
