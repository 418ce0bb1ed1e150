using System.Diagnostics;
using System.Globalization;

namespace Fumidai.Bench;

/// <summary>One way to the far end: a local port and the process that forwards from it (null: none, direct loopback).</summary>
internal sealed record Way(string Name, int Port, Process? Forwarder) : IDisposable
{
    private static readonly double TicksPerSecond = 100;

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
        if (Forwarder is null)
            return;
        if (!Forwarder.HasExited)
            Forwarder.Kill();
        Forwarder.WaitForExit();
        Forwarder.Dispose();
    }
}
