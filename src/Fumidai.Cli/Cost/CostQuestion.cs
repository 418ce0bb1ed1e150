using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>In which form costs are printed.</summary>
internal enum CostForm
{
    Table,
    Json,
    Csv,
    Svg,
}

/// <summary>What was asked: as it was said, by the day.</summary>
/// <param name="HoursADay">Hours a day in which somebody is connected.</param>
/// <param name="IdleHoursADay">Hours a day before what stops when idle has stopped.</param>
/// <param name="Zones">Zones; null: one and two.</param>
/// <param name="Usage">The month that follows from it.</param>
internal sealed record CostQuestion(decimal HoursADay, decimal IdleHoursADay, int? Zones, CostUsage Usage)
{
    internal static CostQuestion Of(Typed typed)
    {
        var hours = typed.Number(CostOptions.HoursADay, 8)!.Value;
        var idle = typed.Number(CostOptions.IdleHours, null) ?? Math.Min(0.5m, 24 - hours);
        if (hours + idle > 24)
            throw new FumidaiException(Reason.Usage, "--hours-a-day and --idle-hours are more than a day together", next: "Idle hours are those after the last connection, until the bastion stops itself");
        var month = typed.Number(CostOptions.Hours, MonthlyCost.HoursPerMonth)!.Value;
        return new CostQuestion(hours, idle, typed.Number(CostOptions.Zones), new CostUsage
        {
            MonthHours = month,
            Hours = hours * month / 24,
            IdleHours = idle * month / 24,
            Acu = typed.Number(CostOptions.Acu, 2)!.Value,
            StorageGb = typed.Number(CostOptions.StorageGb, 10)!.Value,
            TransferGb = typed.Number(CostOptions.Gb, 1)!.Value,
            CallMillions = typed.Number(CostOptions.Calls, 100_000)!.Value / 1_000_000,
            DpuMillions = typed.Number(CostOptions.Dpus, 100_000)!.Value / 1_000_000,
        });
    }

    internal CostComparison Compare(PriceTable prices, string region) => CostComparison.Of(prices, region, Usage, Zones ?? 1, Zones ?? 2);

    /// <summary>What is assumed, in one sentence.</summary>
    internal string Assumptions => FormattableString.Invariant(
        $"{HoursADay:0.##} hours a day in use and {IdleHoursADay:0.##} idle, {Usage.TransferGb:0.##} GB a month, a month of {Usage.MonthHours:0.##} hours; bastion t4g.nano with 8 GB; {Usage.StorageGb:0.##} GB stored, typical load {Usage.Acu:0.##} ACU; {Usage.CallMillions * 1_000_000:0} Data API calls, {Usage.DpuMillions * 1_000_000:0} DPUs");
}
