using System.Diagnostics;
using System.Globalization;

namespace Fumidai.Bench;

/// <summary>One way to the far end: a local port and the process that forwards from it (null: none, direct loopback).</summary>
internal sealed record Way(string Name, int Port, Process? Forwarder) : IDisposable
{
    private static readonly double TicksPerSecond = 100;

    /// <summary>Whether it has carried an upload.</summary>
    public bool IsWarm { get; set; }

    /// <summary>Processes that end with it.</summary>
    public IReadOnlyList<Process> Others { get; init; } = [];

    /// <summary>From the command to the open port; NaN: not measured.</summary>
    public double ReadyMilliseconds { get; init; } = double.NaN;

    /// <summary>User and system CPU seconds the forwarder has used; NaN where there is none.</summary>
    public double CpuSeconds()
    {
        if (Forwarder is null || !OperatingSystem.IsLinux())
            return double.NaN;
        var stat = File.ReadAllText($"/proc/{Forwarder.Id}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>Resident memory of the forwarder in MiB.</summary>
    public double ResidentMiB()
    {
        if (Forwarder is null || !OperatingSystem.IsLinux())
            return double.NaN;
        var line = File.ReadLines($"/proc/{Forwarder.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    public void Dispose()
    {
        foreach (var process in Forwarder is null ? Others : [Forwarder, .. Others])
        {
            if (!process.HasExited)
                process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
