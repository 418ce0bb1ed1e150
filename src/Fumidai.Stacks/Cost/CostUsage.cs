namespace Fumidai.Stacks;

/// <summary>How a stack is used in a month; what is assumed is printed with the sum.</summary>
public sealed record CostUsage
{
    /// <summary>Nobody connects all month: the private bastion is stopped, a cluster that can pause is paused.</summary>
    public static CostUsage Idle { get; } = new() { Hours = 0, TransferGb = 0 };

    /// <summary>In use at every hour of the month: the most that the hours can cost.</summary>
    public static CostUsage AllMonth { get; } = new() { Hours = MonthlyCost.HoursPerMonth };

    /// <summary>Hours that the month has; each hourly price is multiplied by it. AWS counts 730.</summary>
    public decimal MonthHours { get; init; } = MonthlyCost.HoursPerMonth;
    /// <summary>Hours in which somebody is connected: the private bastion runs, the cluster is awake.</summary>
    public decimal Hours { get; init; } = 40;
    /// <summary>Hours in which nobody is connected any more, but the bastion has not stopped itself yet.</summary>
    public decimal IdleHours { get; init; }
    /// <summary>Mean capacity in the hours of use, in ACU; the cluster's least, if that is more.</summary>
    public decimal Acu { get; init; } = 0.5m;
    /// <summary>Gigabytes stored in the database.</summary>
    public decimal StorageGb { get; init; } = 10;
    /// <summary>Gigabytes through the endpoints, the NAT gateway or the public bastion's address.</summary>
    public decimal TransferGb { get; init; } = 1;
    /// <summary>Million reads and writes of storage.</summary>
    public decimal IoMillions { get; init; }
    /// <summary>Million calls of the Data API.</summary>
    public decimal CallMillions { get; init; } = 0.1m;
    /// <summary>Million DPUs, DSQL's unit of work.</summary>
    public decimal DpuMillions { get; init; } = 0.1m;
}
