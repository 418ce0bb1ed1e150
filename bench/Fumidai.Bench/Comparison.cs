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

    /// <summary>Added round trip in milliseconds.</summary>
    private static double Added => Number("FUMIDAI_BENCH_RTT", 0);

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
        // The line lies where the network would: before the far end itself, before the chain's relay, before sshd, before the service.
        await using var line = Added > 0 ? new DelayLine(TimeSpan.FromMilliseconds(Added / 2)) : null;
        var api = new Uri(Environment.GetEnvironmentVariable("AWS_ENDPOINT_URL")!).Port;
        (string, string)[] ours = line is null ? [] : [("AWS_ENDPOINT_URL", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{line.To(api)}"))];
        try
        {
            if (Wanted("direct"))
                _ways.Add(new("direct", line?.To(farEnd.Port) ?? farEnd.Port, null));
            if (Wanted("chain"))
                _ways.Add(await Ways.ChainAsync(farEnd.Port, payload, line));
            if (Wanted("openssh"))
            {
                var sshd = line is null ? @public[3] : line.To(int.Parse(@public[3], CultureInfo.InvariantCulture), IPAddress.Parse(@public[1])).ToString(CultureInfo.InvariantCulture);
                if (await Ways.OpenSshAsync(@public[0], line is null ? @public[1] : "127.0.0.1", sshd, host) is { } openSsh)
                    _ways.Add(openSsh);
                else
                    Console.WriteLine("ssh -L: not measured, as ssh, ssh-keygen or aws is missing here");
            }
            // The address of sshd comes from the model, so there is no place for the line.
            if (Wanted("ssh") && line is null)
                _ways.Add(await Ways.FumidaiAsync(fumidai, "ssh", @public[0], host));
            if (Wanted("ssm"))
                _ways.Add(await Ways.FumidaiAsync(fumidai, "ssm", @private[0], host, ours));
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
        Console.WriteLine($"{title}: medians of {runs}, {Environment.ProcessorCount} cores, {Bulk >> 20} MiB a transfer,{(Added > 0 ? string.Create(CultureInfo.InvariantCulture, $" {Added:0} ms of round trip added,") : "")} chain with payloads of {payload} bytes, load {load}, {DateTime.UtcNow:yyyy-MM-dd}.");
        Console.WriteLine();
        Console.WriteLine("| | " + string.Join(" | ", names) + " |");
        Console.WriteLine("|---" + string.Concat(Enumerable.Repeat("|---", names.Length)) + "|");
        foreach (var (row, cells) in _table)
            Console.WriteLine($"| {row} | " + string.Join(" | ", names.Select(n => cells.TryGetValue(n, out var values) ? Median(values).ToString(Median(values) < 20 ? "0.0" : "0", CultureInfo.InvariantCulture) : "–")) + " |");
        Console.WriteLine();
        if (Environment.GetEnvironmentVariable("FUMIDAI_BENCH_SVG") is not { Length: > 0 } folder)
            return;
        Directory.CreateDirectory(folder);
        var slug = string.Concat(title.ToLowerInvariant().Where(c => !char.IsPunctuation(c)).Select(c => char.IsLetterOrDigit(c) ? c : '-'));
        Plot.Write(
            Path.Combine(folder, slug + (Added > 0 ? string.Create(CultureInfo.InvariantCulture, $"-{Added:0}ms") : "") + ".svg"), $"{title}: medians of {runs}, load {load}, {DateTime.UtcNow:yyyy-MM-dd}", names,
            [.. _table.Select(row => (row.Key, names.Select(n => row.Value.TryGetValue(n, out var values) ? Median(values) : double.NaN).ToArray()))]);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static double Number(string name, double otherwise) =>
        double.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
