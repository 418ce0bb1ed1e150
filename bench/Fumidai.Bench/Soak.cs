using System.Globalization;
using System.Net;

namespace Fumidai.Bench;

/// <summary>What is too long for ./test: many connections at once and many in a row through one tunnel, each byte checked, and what is left of them afterwards.</summary>
/// <param name="fumidai">The program.</param>
/// <param name="inARow">Connections opened and closed one after the other.</param>
internal sealed class Soak(string fumidai, int inARow)
{
    private const int AtOnce = 1000;
    private const int Each = 1 << 20;

    public async Task RunAsync()
    {
        var rows = (await Ways.RunAsync("aws", ["ec2", "describe-instances", "--query", "Reservations[].Instances[].[InstanceId,PublicIpAddress,PrivateIpAddress]", "--output", "text"])).Split('\n').Select(l => l.Split('\t'));
        var bastion = rows.First(r => r[1] == "None");
        await using var farEnd = new FarEnd(IPAddress.Parse(bastion[2]));
        using var way = await Ways.FumidaiAsync(fumidai, "ssm", bastion[0], string.Create(CultureInfo.InvariantCulture, $"localhost:{farEnd.Port}"));
        Console.WriteLine("| | seconds | memory, MiB | open files | threads |");
        Console.WriteLine("|---|---|---|---|---|");
        await Measure.ConnectionsAsync(way, 500);
        Row("after 500 connections in a row", 0, way);
        for (var round = 1; round <= 3; round++)
        {
            var began = DateTime.UtcNow;
            await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(n => Task.Run(() => EchoAsync(way, n))));
            Row(string.Create(CultureInfo.InvariantCulture, $"{AtOnce} connections at once, 1 MiB there and back each, every byte equal: round {round}"), (DateTime.UtcNow - began).TotalSeconds, way);
        }
        for (var done = 0; done < inARow; done += inARow / 4)
        {
            var began = DateTime.UtcNow;
            await Measure.ConnectionsAsync(way, inARow / 4);
            Row(string.Create(CultureInfo.InvariantCulture, $"{done + (inARow / 4)} connections in a row, one byte there and back each"), (DateTime.UtcNow - began).TotalSeconds, way);
        }
    }

    private static async Task EchoAsync(Way way, int number)
    {
        using var socket = await FarEnd.AskAsync(way.Port, 'E', 0);
        var sending = SendAsync();
        var buffer = new byte[16 * 1024];
        var expected = new byte[buffer.Length];
        var random = new Random(number);
        for (var got = 0; got < Each; got += buffer.Length)
        {
            random.NextBytes(expected);
            if (!await FarEnd.ReadExactAsync(socket, buffer) || !buffer.AsSpan().SequenceEqual(expected))
                throw new InvalidOperationException($"connection {number}: the bytes that came back are not those that were sent, after {got}");
        }
        await sending;

        async Task SendAsync()
        {
            var bytes = new byte[16 * 1024];
            var same = new Random(number);
            for (var sent = 0; sent < Each; sent += bytes.Length)
            {
                same.NextBytes(bytes);
                await FarEnd.SendAllAsync(socket, bytes);
            }
        }
    }

    private static void Row(string what, double seconds, Way way)
    {
        var process = way.Forwarder!;
        process.Refresh();
        var files = OperatingSystem.IsLinux() ? Directory.GetFiles(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Id}/fd")).Length : 0;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {seconds:0} | {way.ResidentMiB():0} | {files} | {process.Threads.Count} |"));
    }
}
