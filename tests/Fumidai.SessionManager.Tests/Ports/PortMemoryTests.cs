using System.Net.Sockets;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>They read the whole process's memory, so nothing may run beside them.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class AloneCollection;

[Collection("alone")]
public sealed class PortMemoryTests
{
    [Fact]
    public async Task A_reader_that_stands_still_stops_the_sender_and_costs_little()
    {
        await using var session = await PortSession.StartAsync();
        var stalled = await session.OpenAsync();
        using var target = (await session.Network.AcceptAsync()).Target;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        long sent = 0;
        var flood = Task.Run(async () =>
        {
            var piece = new byte[64 * 1024];
            try
            {
                while (Interlocked.Read(ref sent) < 1L << 30) Interlocked.Add(ref sent, await target.SendAsync(piece, SocketFlags.None));
            }
            catch (SocketException)
            {
                // The connection is closed below.
            }
        }, TestContext.Current.CancellationToken);

        // It stands when the target's socket takes no more for as long as the kernel is asked to wait.
        while (Interlocked.Read(ref sent) < ReceiveBudget.StockLimit || target.Poll(TimeSpan.FromMilliseconds(300), SelectMode.SelectWrite)) await Task.Yield();
        Assert.InRange(Interlocked.Read(ref sent), ReceiveBudget.StockLimit, 64 * 1024 * 1024);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 40 * 1024 * 1024);

        await stalled.DisposeAsync();
        target.Dispose();
        await flood.Soon();
        var echo = session.Network.EchoAsync();
        await using (var next = await session.OpenAsync())
        {
            await next.Output.SendAsync("alive"u8.ToArray());
            Assert.Equal("alive"u8.ToArray(), await next.Input.ReadExactAsync(5));
        }
        session.Network.Dispose();
        await echo;
    }

    [Fact]
    public async Task Fifty_idle_connections_cost_less_than_twenty_megabytes()
    {
        await using var session = await PortSession.StartAsync();
        var echo = session.Network.EchoAsync();
        await using var warm = await session.OpenAsync();
        await warm.Output.SendAsync(new byte[100_000]);
        await warm.Input.ReadExactAsync(100_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var streams = new List<PortStream>();
        for (var i = 0; i < 50; i++)
        {
            streams.Add(await session.OpenAsync());
            await streams[i].Output.SendAsync(new byte[10_000]);
            await streams[i].Input.ReadExactAsync(10_000);
        }
        // Both ends and the test's own target, whose buffer of 64 KiB a connection is not ours.
        var ours = GC.GetTotalMemory(forceFullCollection: true) - before - (50 * 64 * 1024);
        Assert.InRange(ours, long.MinValue, 20_000_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"50 idle connections: {ours} bytes at both ends");
        foreach (var stream in streams) await stream.DisposeAsync();
        session.Network.Dispose();
        await echo;
    }
}
