using System.Diagnostics;
using System.Net.Sockets;

namespace Fumidai.Bench;

/// <summary>The measurements, each over one way. Rates in MiB/s, times in µs, CPU in seconds per GiB.</summary>
internal static class Measure
{
    private const double MiB = 1024 * 1024;

    public static async Task<(double Rate, double Cpu)> DownloadAsync(Way way, long bytes)
    {
        var buffer = new byte[256 * 1024];
        var cpu = way.CpuSeconds();
        var watch = Stopwatch.StartNew();
        using var socket = await FarEnd.AskAsync(way.Port, 'D', bytes);
        long got = 0;
        while (await socket.ReceiveAsync(buffer) is > 0 and var read)
            got += read;
        watch.Stop();
        if (got != bytes)
            throw new InvalidOperationException($"{way.Name}: {got} of {bytes} bytes arrived");
        return (bytes / MiB / watch.Elapsed.TotalSeconds, (way.CpuSeconds() - cpu) / (bytes / MiB / 1024));
    }

    public static async Task<(double Rate, double Cpu)> UploadAsync(Way way, long bytes)
    {
        var buffer = new byte[256 * 1024];
        var cpu = way.CpuSeconds();
        var watch = Stopwatch.StartNew();
        using var socket = await FarEnd.AskAsync(way.Port, 'U', bytes);
        for (var left = bytes; left > 0; left -= Math.Min(left, buffer.Length))
            await FarEnd.SendAllAsync(socket, buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)));
        if (!await FarEnd.ReadExactAsync(socket, buffer.AsMemory(0, 1)))
            throw new InvalidOperationException($"{way.Name}: the far end did not confirm");
        watch.Stop();
        return (bytes / MiB / watch.Elapsed.TotalSeconds, (way.CpuSeconds() - cpu) / (bytes / MiB / 1024));
    }

    /// <summary>Many connections at once; the sum.</summary>
    public static async Task<(double Rate, double Cpu)> TogetherAsync(Way way, int connections, long bytes, bool up)
    {
        var cpu = way.CpuSeconds();
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(() => up ? UploadAsync(way, bytes) : DownloadAsync(way, bytes))));
        var moved = bytes * connections / MiB;
        return (moved / watch.Elapsed.TotalSeconds, (way.CpuSeconds() - cpu) / (moved / 1024));
    }

    /// <summary>Round trips on one connection while another one carries bulk in that direction.</summary>
    public static async Task<(double P50, double P99)> PingUnderBulkAsync(Way way, int rounds, bool up)
    {
        using var bulk = await FarEnd.AskAsync(way.Port, up ? 'U' : 'D', 1L << 40);
        var buffer = new byte[256 * 1024];
        var stop = false;
        var moving = Task.Run(async () =>
        {
            try
            {
                while (!Volatile.Read(ref stop))
                    if (up) await FarEnd.SendAllAsync(bulk, buffer);
                    else if (await bulk.ReceiveAsync(buffer) == 0) return;
            }
            catch (SocketException)
            {
                // Closed below.
            }
        });
        await Task.Delay(1000);
        var result = await PingPongAsync(way, rounds);
        Volatile.Write(ref stop, true);
        bulk.Close(0);
        await moving;
        return result;
    }

    public static async Task<(double P50, double P99)> PingPongAsync(Way way, int rounds)
    {
        var one = new byte[1];
        using var socket = await FarEnd.AskAsync(way.Port, 'E', 0);
        var times = new double[rounds];
        for (var i = -rounds / 10; i < rounds; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await FarEnd.SendAllAsync(socket, one);
            if (!await FarEnd.ReadExactAsync(socket, one))
                throw new InvalidOperationException($"{way.Name}: closed in the middle of a round trip");
            if (i >= 0)
                times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        Array.Sort(times);
        return (times[rounds / 2], times[rounds * 99 / 100]);
    }

    /// <summary>Connect, one byte there and back, close; one after the other.</summary>
    public static async Task<double> ConnectionsAsync(Way way, int count)
    {
        var one = new byte[1];
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < count; i++)
        {
            using var socket = await FarEnd.AskAsync(way.Port, 'E', 0);
            await FarEnd.SendAllAsync(socket, one);
            if (!await FarEnd.ReadExactAsync(socket, one))
                throw new InvalidOperationException($"{way.Name}: closed before the echo");
        }
        return count / watch.Elapsed.TotalSeconds;
    }

    /// <summary>Memory of the forwarder: empty, and with idle connections that have each echoed one byte.</summary>
    public static async Task<(double Empty, double Idle)> IdleMemoryAsync(Way way, int connections)
    {
        var one = new byte[1];
        var empty = way.ResidentMiB();
        var sockets = new List<Socket>();
        for (var i = 0; i < connections; i++)
        {
            var socket = await FarEnd.AskAsync(way.Port, 'E', 0);
            await FarEnd.SendAllAsync(socket, one);
            await FarEnd.ReadExactAsync(socket, one);
            sockets.Add(socket);
        }
        var idle = way.ResidentMiB();
        foreach (var socket in sockets)
            socket.Dispose();
        return (empty, idle);
    }

    /// <summary>Largest memory of the forwarder while a reader asked for bytes and then reads nothing.</summary>
    public static async Task<double> StalledReaderMemoryAsync(Way way, long bytes, TimeSpan duration)
    {
        using var socket = await FarEnd.AskAsync(way.Port, 'D', bytes);
        var most = 0.0;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < duration;)
        {
            await timer.WaitForNextTickAsync();
            most = Math.Max(most, way.ResidentMiB());
        }
        return most;
    }
}
