using System.Globalization;
using Fumidai.Bench;

// Runs inside the environment of a lab (bench/run starts one): every way leads to the same far end in the same run.
var fumidai = args[0];
var runs = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5;
const long Bytes = 128L << 20;
// Our client sends at most 900 messages of 1,024 bytes a second through Session Manager (session-manager-protocol §9.3): no use in more.
const long PacedBytes = 4L << 20;

var instances = await Ways.RunAsync("aws", ["ec2", "describe-instances", "--query", "Reservations[].Instances[].[InstanceId,PublicIpAddress,PrivateIpAddress,Tags[?Key=='fumidai:ssh-port']|[0].Value]", "--output", "text"]);
var rows = instances.Split('\n').Select(l => l.Split('\t')).ToArray();
var @private = rows.First(r => r[1] == "None");
var @public = rows.First(r => r[1] != "None");
await using var farEnd = new FarEnd(System.Net.IPAddress.Parse(@private[2]));

var ways = new List<Way> { new("direct", farEnd.Port, null) };
if (await Ways.OpenSshAsync(@public[0], @public[1], @public[3], farEnd.Port) is { } openSsh)
    ways.Add(openSsh);
else
    Console.WriteLine("ssh -L: not measured, as ssh, ssh-keygen or aws is missing here");
ways.Add(await Ways.FumidaiAsync(fumidai, "ssh", @public[0], farEnd.Port));
ways.Add(await Ways.FumidaiAsync(fumidai, "ssm", @private[0], farEnd.Port));
try
{
    var table = new Dictionary<string, List<double>>();
    void Note(string what, Way way, double value)
    {
        var key = what + "|" + way.Name;
        if (!table.TryGetValue(key, out var list))
            table[key] = list = [];
        list.Add(value);
    }

    foreach (var way in ways.Where(w => w.Forwarder is not null))
    {
        var (empty, idle) = await Measure.IdleMemoryAsync(way, 50);
        Note("memory, MiB: empty tunnel", way, empty);
        Note("memory, MiB: 50 idle connections", way, idle);
    }
    for (var run = 0; run < runs; run++)
    {
        foreach (var way in ways)
        {
            var (down, downCpu) = await Measure.DownloadAsync(way, Bytes);
            var (up, upCpu) = await Measure.UploadAsync(way, way.Name == "fumidai ssm" ? PacedBytes : Bytes);
            var (p50, p99) = await Measure.PingPongAsync(way, 2000);
            Note("download, MiB/s", way, down);
            Note("upload, MiB/s", way, up);
            Note("1-byte round trip p50, µs", way, p50);
            Note("1-byte round trip p99, µs", way, p99);
            Note("connect + echo + close, per second", way, await Measure.ConnectionsAsync(way, 300));
            Note("CPU s/GiB of the forwarder, download", way, downCpu);
            Note("CPU s/GiB of the forwarder, upload", way, upCpu);
        }
    }
    foreach (var way in ways.Where(w => w.Forwarder is not null))
        Note("memory, MiB: stalled reader, 1 GiB sender, most in 20 s", way, await Measure.StalledReaderMemoryAsync(way, 1L << 30, TimeSpan.FromSeconds(20)));

    Console.WriteLine($"Medians of {runs}, {Environment.ProcessorCount} cores, {Bytes >> 20} MiB a transfer (upload through ssm, which is paced: {PacedBytes >> 20} MiB), {DateTime.UtcNow:yyyy-MM-dd}.");
    Console.WriteLine();
    Console.WriteLine("| | " + string.Join(" | ", ways.Select(w => w.Name)) + " |");
    Console.WriteLine("|---" + string.Concat(Enumerable.Repeat("|---", ways.Count)) + "|");
    foreach (var what in table.Keys.Select(k => k.Split('|')[0]).Distinct())
    {
        Console.WriteLine($"| {what} | " + string.Join(" | ", ways.Select(w => table.TryGetValue(what + "|" + w.Name, out var values) && !double.IsNaN(Median(values))
            ? Median(values).ToString(Median(values) < 20 ? "0.0" : "0", CultureInfo.InvariantCulture)
            : "–")) + " |");
    }
}
finally
{
    foreach (var way in ways)
        way.Dispose();
}

static double Median(List<double> values)
{
    var sorted = values.Order().ToArray();
    return sorted[sorted.Length / 2];
}
