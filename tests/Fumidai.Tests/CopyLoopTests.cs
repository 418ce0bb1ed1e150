using System.Net.Sockets;
using CsCheck;
using Xunit;

namespace Fumidai.Tests;

public sealed class CopyLoopTests
{
    private static readonly Gen<byte[][]> Pieces = Gen.Byte.Array[0, 20_000].Array[0, 6];

    [Fact]
    public async Task Whatever_either_side_says_arrives_whole_and_each_half_close_ends_one_direction() =>
        await Gen.Select(Pieces, Pieces, Gen.Bool).SampleAsync(async (up, down, clientFirst) =>
        {
            using var pair = await TcpPair.OpenAsync();
            var channel = new MemoryChannel();
            var copying = CopyLoop.RunAsync(pair.Near, channel, CancellationToken.None);

            async Task ClientSaysAsync()
            {
                foreach (var piece in up)
                    await pair.Far.SendAllAsync(piece);
                pair.Far.Shutdown(SocketShutdown.Send);
            }

            async Task FarSaysAsync()
            {
                foreach (var piece in down)
                    await channel.Far.Output.WriteAsync(piece);
                await channel.Far.Output.CompleteAsync();
            }

            Task<byte[]> heardByFar, heardByClient;
            if (clientFirst)
            {
                // The reply begins only after the question's end was seen: a lost half-close would hang here.
                heardByFar = channel.Far.ReadToEndAsync();
                heardByClient = pair.Far.ReadToEndAsync();
                await ClientSaysAsync();
                await heardByFar.WaitAsync(Requests.Guard);
                await FarSaysAsync();
            }
            else
            {
                heardByClient = pair.Far.ReadToEndAsync();
                heardByFar = channel.Far.ReadToEndAsync();
                await FarSaysAsync();
                await heardByClient.WaitAsync(Requests.Guard);
                await ClientSaysAsync();
            }
            Assert.Equal(up.SelectMany(p => p), await heardByFar.WaitAsync(Requests.Guard));
            Assert.Equal(down.SelectMany(p => p), await heardByClient.WaitAsync(Requests.Guard));
            var result = await copying.WaitAsync(Requests.Guard);
            Assert.Equal((up.Sum(p => p.Length), down.Sum(p => p.Length), CopySide.None, null), (result.Up, result.Down, result.Blame, result.Reason));
        }, iter: 60, threads: 2);

    [Fact]
    public async Task A_channel_that_fails_resets_the_client_and_is_blamed()
    {
        using var pair = await TcpPair.OpenAsync();
        var channel = new MemoryChannel();
        var copying = CopyLoop.RunAsync(pair.Near, channel, CancellationToken.None);
        var reason = new IOException("far end gone");
        channel.Far.Fail(reason);
        Assert.True(await pair.Far.WasResetAsync().WaitAsync(Requests.Guard));
        var result = await copying.WaitAsync(Requests.Guard);
        Assert.Equal((CopySide.Channel, reason), (result.Blame, result.Reason));
    }

    [Fact]
    public async Task A_client_that_resets_aborts_the_channel_and_is_blamed()
    {
        using var pair = await TcpPair.OpenAsync();
        var channel = new MemoryChannel();
        var copying = CopyLoop.RunAsync(pair.Near, channel, CancellationToken.None);
        CopyLoop.Reset(pair.Far);
        pair.Far.Dispose();
        var result = await copying.WaitAsync(Requests.Guard);
        Assert.Equal(CopySide.Client, result.Blame);
        Assert.IsType<SocketException>(await channel.Ended.WaitAsync(Requests.Guard));
    }

    [Fact]
    public async Task Stopping_ends_an_idle_connection_at_once()
    {
        using var pair = await TcpPair.OpenAsync();
        using var stop = new CancellationTokenSource();
        var channel = new MemoryChannel();
        var copying = CopyLoop.RunAsync(pair.Near, channel, stop.Token);
        await stop.CancelAsync();
        Assert.Equal(CopySide.Stopped, (await copying.WaitAsync(Requests.Guard)).Blame);
        Assert.True(await pair.Far.WasResetAsync().WaitAsync(Requests.Guard));
    }

    [Fact]
    public async Task A_far_end_that_reads_no_more_can_still_speak_to_its_end()
    {
        using var pair = await TcpPair.OpenAsync();
        var channel = new MemoryChannel();
        var copying = CopyLoop.RunAsync(pair.Near, channel, CancellationToken.None);
        await channel.Far.Input.CompleteAsync();
        channel.Far.Read();
        await pair.Far.SendAllAsync(new byte[100]);
        await channel.Far.Output.WriteAsync("goodbye"u8.ToArray());
        await channel.Far.Output.CompleteAsync();
        Assert.Equal("goodbye"u8.ToArray(), await pair.Far.ReadToEndAsync().WaitAsync(Requests.Guard));
        Assert.Equal(CopySide.None, (await copying.WaitAsync(Requests.Guard)).Blame);
    }

    [Fact]
    public async Task A_stalled_client_stops_the_far_end_within_a_bound()
    {
        using var pair = await TcpPair.OpenAsync(buffers: 64 * 1024);
        var channel = new MemoryChannel();
        var copying = CopyLoop.RunAsync(pair.Near, channel, CancellationToken.None);
        var block = new byte[16 * 1024];
        long written = 0;
        // The far end writes until its pipe holds it back; the client reads nothing.
        while (true)
        {
            var flush = channel.Far.Output.WriteAsync(block).AsTask();
            written += block.Length;
            if (!flush.IsCompleted && await StaysPendingAsync(flush, channel))
                break;
            await flush;
            Assert.True(written < 16 * 1024 * 1024, "16 MiB went somewhere although nobody reads");
        }
        Assert.True(written - channel.Consumed <= MemoryChannel.Bound + block.Length, $"{written - channel.Consumed} bytes wait in the channel");
        channel.Far.Fail(new IOException("enough"));
        await copying.WaitAsync(Requests.Guard);
    }

    [Fact]
    public async Task A_stalled_far_end_stops_the_client_within_a_bound()
    {
        using var pair = await TcpPair.OpenAsync(buffers: 64 * 1024);
        var channel = new MemoryChannel();
        var copying = CopyLoop.RunAsync(pair.Near, channel, CancellationToken.None);
        pair.Far.Blocking = false;
        var block = new byte[16 * 1024];
        long sent = 0;
        // Poll says within its time limit whether the kernel takes more.
        while (pair.Far.Poll(500_000, SelectMode.SelectWrite))
        {
            sent += pair.Far.Send(block, SocketFlags.None);
            Assert.True(sent < 16 * 1024 * 1024, "16 MiB went somewhere although nobody reads");
        }
        var held = await channel.Far.Input.ReadAtLeastAsync(1, TestContext.Current.CancellationToken);
        Assert.True(held.Buffer.Length <= 2 * MemoryChannel.Bound, $"{held.Buffer.Length} bytes wait in the channel");
        channel.Far.Fail(new IOException("enough"));
        await copying.WaitAsync(Requests.Guard);
    }

    /// <summary>A flush that stays incomplete over many turns of the scheduler in which nothing is consumed is held back, not slow.</summary>
    private static async Task<bool> StaysPendingAsync(Task flush, MemoryChannel channel)
    {
        var consumed = channel.Consumed;
        for (var turn = 0; turn < 20_000; turn++)
        {
            await Task.Yield();
            if (flush.IsCompleted || channel.Consumed != consumed)
                return false;
        }
        return true;
    }
}
