using System.Globalization;
using System.Net;

namespace Fumidai.Bench;

/// <summary>One lab, all ways, all measurements; prints a Markdown table of medians.</summary>
/// <param name="fumidai">The program.</param>
/// <param name="title">Which lab it is.</param>
/// <param name="runs">How often everything is measured.</param>
/// <param name="payload">Payload of the bare chain in bytes.</param>
/// <param name="what">What to measure: bulk, latency, connections, together, queue, memory, pgbench; none: all.</param>
internal sealed class Comparison(string fumidai, string title, int runs, int payload, IReadOnlyList<string> what)
{
    private readonly Dictionary<string, Dictionary<string, List<double>>> _table = [];
    private readonly List<Way> _ways = [];

    private long Bulk => (long)Number("FUMIDAI_BENCH_MIB", 128) << 20;

    public async Task RunAsync()
    {
        var instances = await Ways.RunAsync("aws", ["ec2", "describe-instances", "--query", "Reservations[].Instances[].[InstanceId,PublicIpAddress,PrivateIpAddress,Tags[?Key=='fumidai:ssh-port']|[0].Value]", "--output", "text"]);
        var rows = instances.Split('\n').Select(l => l.Split('\t')).ToArray();
        var (@private, @public) = (rows.First(r => r[1] == "None"), rows.First(r => r[1] != "None"));
        await using var farEnd = new FarEnd(IPAddress.Parse(@private[2]));
        var host = string.Create(CultureInfo.InvariantCulture, $"localhost:{farEnd.Port}");
        var only = Environment.GetEnvironmentVariable("FUMIDAI_BENCH_WAYS")?.Split(',');
        bool Wanted(string way) => only is null || only.Contains(way);
        try
        {
            if (Wanted("direct"))
                _ways.Add(new("direct", farEnd.Port, null));
            if (Wanted("chain"))
                _ways.Add(await Ways.ChainAsync(farEnd.Port, payload));
            if (Wanted("openssh"))
            {
                if (await Ways.OpenSshAsync(@public[0], @public[1], @public[3], host) is { } openSsh)
                    _ways.Add(openSsh);
                else
                    Console.WriteLine("ssh -L: not measured, as ssh, ssh-keygen or aws is missing here");
            }
            if (Wanted("ssh"))
                _ways.Add(await Ways.FumidaiAsync(fumidai, "ssh", @public[0], host));
            if (Wanted("ssm"))
                _ways.Add(await Ways.FumidaiAsync(fumidai, "ssm", @private[0], host));
            foreach (var way in _ways)
                Note("command to open port, ms", way, way.ReadyMilliseconds);
            if (Does("memory"))
                await MemoryAsync();
            for (var run = 0; run < runs; run++)
                foreach (var way in _ways)
                    await MeasureAsync(way);
        }
        finally
        {
            foreach (var way in _ways)
                way.Dispose();
        }
        if (Does("pgbench"))
            await PgBenchAsync(@private[0], @public);
        Print();
    }

    private bool Does(string name) => what.Count == 0 || what.Contains(name);

    private async Task MeasureAsync(Way way)
    {
        if (Does("bulk"))
        {
            // What a session has to find out about the service it finds out here, once.
            if (!way.IsWarm && way.Name == "fumidai ssm" && Bulk >= 64 << 20)
                await Measure.UploadAsync(way, Bulk);
            way.IsWarm = true;
            var (down, downCpu) = await Measure.DownloadAsync(way, Bulk);
            var (up, upCpu) = await Measure.UploadAsync(way, Bulk);
            Note("download, MiB/s", way, down);
            Note("upload, MiB/s", way, up);
            Note("CPU s/GiB of the forwarder, download", way, downCpu);
            Note("CPU s/GiB of the forwarder, upload", way, upCpu);
        }
        if (Does("latency"))
        {
            var (p50, p99) = await Measure.PingPongAsync(way, 2000);
            Note("1-byte round trip p50, µs", way, p50);
            Note("1-byte round trip p99, µs", way, p99);
        }
        if (Does("queue"))
        {
            Note("round trip p99 beside a download, µs", way, (await Measure.PingUnderBulkAsync(way, 1000, up: false)).P99);
            Note("round trip p99 beside an upload, µs", way, (await Measure.PingUnderBulkAsync(way, 1000, up: true)).P99);
        }
        if (Does("connections"))
            Note("connect + echo + close, per second", way, await Measure.ConnectionsAsync(way, 300));
        if (Does("together"))
        {
            var (down, downCpu) = await Measure.TogetherAsync(way, 16, Bulk / 16, up: false);
            var (up, upCpu) = await Measure.TogetherAsync(way, 16, Bulk / 16, up: true);
            Note("download over 16 connections, MiB/s", way, down);
            Note("upload over 16 connections, MiB/s", way, up);
            Note("CPU s/GiB of the forwarder, 16 downloads", way, downCpu);
            Note("CPU s/GiB of the forwarder, 16 uploads", way, upCpu);
        }
    }

    private async Task MemoryAsync()
    {
        foreach (var way in _ways.Where(w => w.Forwarder is not null && w.Name != "bare chain"))
        {
            var (empty, idle) = await Measure.IdleMemoryAsync(way, 200);
            Note("memory, MiB: empty tunnel", way, empty);
            Note("memory, KiB for each of 200 idle connections", way, (idle - empty) * 1024 / 200);
        }
    }

    /// <summary>SELECTs through the routes to the lab's PostgreSQL, over TLS; direct loopback can't reach it by name.</summary>
    private async Task PgBenchAsync(string bastion, string[] @public)
    {
        if (!Ways.Found("pgbench"))
        {
            Console.WriteLine("pgbench: not measured, as it is missing here");
            return;
        }
        var cluster = (await Ways.RunAsync("aws", ["rds", "describe-db-clusters", "--query", "DBClusters[0].[Endpoint,MasterUserSecret.SecretArn,DatabaseName]", "--output", "text"])).Split('\t');
        using var secret = System.Text.Json.JsonDocument.Parse(await Ways.RunAsync("aws", ["secretsmanager", "get-secret-value", "--secret-id", cluster[1], "--query", "SecretString", "--output", "text"]));
        var host = cluster[0] + ":5432";
        var ways = new List<Way>();
        try
        {
            if (await Ways.OpenSshAsync(@public[0], @public[1], @public[3], host) is { } openSsh)
                ways.Add(openSsh);
            ways.Add(await Ways.FumidaiAsync(fumidai, "ssh", @public[0], host));
            ways.Add(await Ways.FumidaiAsync(fumidai, "ssm", bastion, host));
            (string, string)[] Variables(Way way) =>
            [
                ("PGHOST", "127.0.0.1"), ("PGPORT", way.Port.ToString(CultureInfo.InvariantCulture)), ("PGSSLMODE", "require"),
                ("PGUSER", secret.RootElement.GetProperty("username").GetString()!), ("PGPASSWORD", secret.RootElement.GetProperty("password").GetString()!),
                ("PGDATABASE", cluster[2] == "None" ? "postgres" : cluster[2]),
            ];
            await Ways.RunAsync("pgbench", ["-i", "-q", "-s", "1"], Variables(ways[0]));
            for (var run = 0; run < runs; run++)
                foreach (var way in ways)
                    foreach (var clients in (string[])["1", "8"])
                    {
                        var output = await Ways.RunAsync("pgbench", ["-S", "-n", "-c", clients, "-T", "4"], Variables(way));
                        var tps = output.Split('\n').First(l => l.StartsWith("tps", StringComparison.Ordinal)).Split(' ')[2];
                        Note($"pgbench -S -c {clients}, tps", way, double.Parse(tps, CultureInfo.InvariantCulture));
                    }
        }
        finally
        {
            foreach (var way in ways)
                way.Dispose();
        }
    }

    private void Note(string row, Way way, double value)
    {
        if (double.IsNaN(value))
            return;
        if (!_table.TryGetValue(row, out var cells))
            _table[row] = cells = [];
        if (!cells.TryGetValue(way.Name, out var list))
            cells[way.Name] = list = [];
        list.Add(value);
    }

    private void Print()
    {
        var names = _table.Values.SelectMany(c => c.Keys).Distinct().OrderBy(n => Array.IndexOf(["direct", "bare chain", "ssh -L", "fumidai ssh", "fumidai ssm"], n)).ToArray();
        var load = OperatingSystem.IsLinux() ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "?";
        Console.WriteLine($"{title}: medians of {runs}, {Environment.ProcessorCount} cores, {Bulk >> 20} MiB a transfer, chain with payloads of {payload} bytes, load {load}, {DateTime.UtcNow:yyyy-MM-dd}.");
        Console.WriteLine();
        Console.WriteLine("| | " + string.Join(" | ", names) + " |");
        Console.WriteLine("|---" + string.Concat(Enumerable.Repeat("|---", names.Length)) + "|");
        foreach (var (row, cells) in _table)
            Console.WriteLine($"| {row} | " + string.Join(" | ", names.Select(n => cells.TryGetValue(n, out var values) ? Median(values).ToString(Median(values) < 20 ? "0.0" : "0", CultureInfo.InvariantCulture) : "–")) + " |");
        Console.WriteLine();
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static double Number(string name, double otherwise) =>
        double.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
