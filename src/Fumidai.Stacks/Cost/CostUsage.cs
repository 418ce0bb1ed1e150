namespace Fumidai.Stacks;

/// <summary>How a stack is used in a month; what is assumed is printed with the sum.</summary>
public sealed record CostUsage
{
    /// <summary>Nobody connects all month: the private bastion is stopped, a cluster that can pause is paused.</summary>
    public static CostUsage Idle { get; } = new() { Hours = 0, TransferGb = 0 };

    /// <summary>In use at every hour of the month: the most that the hours can cost.</summary>
    public static CostUsage AllMonth { get; } = new() { Hours = MonthlyCost.HoursPerMonth };

    /// <summary>Hours in which somebody is connected: the private bastion runs, the cluster is awake.</summary>
    public decimal Hours { get; init; } = 40;
    /// <summary>Mean capacity in those hours, in ACU; the cluster's least, if that is more.</summary>
    public decimal Acu { get; init; } = 0.5m;
    /// <summary>Gigabytes stored in the database.</summary>
    public decimal StorageGb { get; init; } = 10;
    /// <summary>Gigabytes through the endpoints or the NAT gateway.</summary>
    public decimal TransferGb { get; init; } = 1;
    /// <summary>Million reads and writes of storage.</summary>
    public decimal IoMillions { get; init; }
}
