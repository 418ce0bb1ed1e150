using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>What each part of a topology costs a month, by its id; a part that is free is not in it.</summary>
internal static class PartPrices
{
    internal static IReadOnlyDictionary<string, decimal?> Of(Topology topology, PriceTable prices)
    {
        decimal? Hourly(string item) => prices.Of(topology.Region, item).Usd * MonthlyCost.HoursPerMonth;
        var usd = new Dictionary<string, decimal?>(StringComparer.Ordinal);
        foreach (var endpoint in topology.Endpoints.Where(e => !e.IsGateway))
            usd[endpoint.Id] = Hourly("endpoint-hour");
        foreach (var nat in topology.Nats)
            usd[nat.Id] = nat.IsPublic ? Hourly("nat-hour") + Hourly("ipv4-hour") : Hourly("nat-hour");
        foreach (var instance in topology.Instances)
        {
            var runs = instance.State is "running" or "pending" ? Hourly(instance.InstanceType) : 0;
            usd[instance.Id] = runs + StackQuantities.DiskGb * prices.Of(topology.Region, "gp3-gb").Usd + (instance.PublicAddress is null ? 0 : Hourly("ipv4-hour"));
        }
        // One that pauses costs nothing while it does; one that does not costs its least at every hour.
        if (topology.Target.Database?.MinCapacity is { } least)
            usd[topology.Target.Name] = least == 0 ? 0 : Hourly("acu-hour") * (decimal)least;
        return usd;
    }
}
