using System.Buffers;
using CsCheck;
using Xunit;

namespace Fumidai.SessionManager.Tests;

public sealed class MuxSessionTests
{
    [Fact]
    public async Task Streams_of_a_client_are_numbered_3_5_7_and_their_bytes_cross_both_ways()
    {
        await using var pair = new MuxPair();
        foreach (var id in new uint[] { 3, 5, 7 })
        {
            var (client, server) = await pair.OpenAsync();
            Assert.Equal((id, id), (client.Id, server.Id));
            await client.Output.SendAsync("ping"u8.ToArray());
            Assert.Equal("ping"u8.ToArray(), await server.Input.ReadExactAsync(4));
            await server.Output.SendAsync("pong"u8.ToArray());
            Assert.Equal("pong"u8.ToArray(), await client.Input.ReadExactAsync(4));
        }
        Assert.Equal(3, pair.Client.OpenStreams);
    }

    [Fact]
    public async Task Any_interleaving_and_any_message_size_delivers_each_streams_bytes_once_and_in_order()
        => await Gen.Select(Gen.Select(Gen.Int[0, 60_000], Gen.Int[1, 9_000]).Array[1, 12], Gen.Int[9, 3_000], Gen.Int[1, 50]).SampleAsync(async (streams, maxPayload, window) =>
        {
            await using var pair = new MuxPair(holdLimit: Timeout.InfiniteTimeSpan, window: window, maxPayload: maxPayload);
            await Task.WhenAll(streams.Select(async (plan, number) =>
            {
                var (length, pieces) = plan;
                var bytes = TestBytes.Pattern((uint)number, length);
                var client = pair.Client.Open();
                var writing = Task.Run(async () =>
                {
                    await client.Output.SendAsync(BitConverter.GetBytes(length));
                    foreach (var piece in bytes.Chunk(pieces)) await client.Output.SendAsync(piece);
                    await client.Output.CompleteAsync();
                });
                Assert.Equal(bytes, await client.Input.ReadAllAsync());
                await writing;
            }).Append(EchoAsync(pair.Server, streams.Length))).Soon();
        }, iter: 30);

    [Fact]
    public async Task A_stalled_stream_does_not_stop_the_others_until_four_mebibytes_lie_unread()
    {
        await using var pair = new MuxPair();
        var (stalledClient, stalledServer) = await pair.OpenAsync();
        var (client, server) = await pair.OpenAsync();
        await WriteAsync(stalledServer, ReceiveBudget.StockLimit - (256 * 1024));
        await server.Output.SendAsync("still here"u8.ToArray());
        Assert.Equal("still here"u8.ToArray(), await client.Input.ReadExactAsync(10));

        var flood = WriteAsync(stalledServer, 1024 * 1024);
        await server.Output.SendAsync("late"u8.ToArray());
        // Reading the stalled one, not the other, sets everything free.
        var late = client.Input.ReadExactAsync(4);
        await stalledClient.Input.ReadExactAsync(ReceiveBudget.StockLimit + (768 * 1024));
        Assert.Equal("late"u8.ToArray(), await late);
        await flood.Soon();
        Assert.Equal(ReceiveBudget.StockLimit, pair.Client.BudgetLeft);
    }

    [Fact]
    public async Task When_all_streams_are_stalled_one_read_lets_the_session_go_on()
    {
        await using var pair = new MuxPair();
        var streams = new List<(MuxStream Client, MuxStream Server)>();
        for (var i = 0; i < 8; i++) streams.Add(await pair.OpenAsync());
        var writers = streams.Select(stream => WriteAsync(stream.Server, 1024 * 1024)).ToArray();

        // Nobody reads: the budget runs out and the session stands.
        while (pair.Client.BudgetLeft > 0) await Task.Yield();
        Assert.Contains(writers, writer => !writer.IsCompleted);

        var before = pair.Client.FramesReceived;
        await streams[3].Client.Input.ReadExactAsync(64 * 1024);
        while (pair.Client.FramesReceived == before) await Task.Yield();

        var readers = streams.Select((stream, i) => stream.Client.Input.ReadExactAsync((1024 * 1024) - (i == 3 ? 64 * 1024 : 0)));
        await Task.WhenAll(readers).Soon();
        await Task.WhenAll(writers).Soon();
        Assert.Equal(ReceiveBudget.StockLimit, pair.Client.BudgetLeft);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stalled_stream_that_is_given_up_gives_its_bytes_back_to_the_others(bool abort)
    {
        await using var pair = new MuxPair();
        var (stalledClient, stalledServer) = await pair.OpenAsync();
        var (client, server) = await pair.OpenAsync();
        var flood = WriteAsync(stalledServer, 2 * ReceiveBudget.StockLimit);
        while (pair.Client.BudgetLeft > 0) await Task.Yield();

        if (abort) stalledClient.Abort(new IOException("the reader has gone"));
        else await stalledClient.DisposeAsync();

        await server.Output.SendAsync("free"u8.ToArray());
        Assert.Equal("free"u8.ToArray(), await client.Input.ReadExactAsync(4));
        await flood.Soon();
        Assert.Equal(ReceiveBudget.StockLimit, pair.Client.BudgetLeft);
    }

    [Fact]
    public async Task A_thousand_streams_opened_and_closed_leave_nothing()
    {
        await using var pair = new MuxPair();
        var echo = EchoAsync(pair.Server, 1000).Quietly();
        for (var i = 0; i < 1000; i++)
        {
            var client = pair.Client.Open();
            await client.Output.SendAsync(BitConverter.GetBytes(i % 100));
            await client.Output.SendAsync(TestBytes.Pattern(1, i % 100));
            // Some are left by the far end, some by us, some by both at once.
            if (i % 3 > 0) Assert.Equal(TestBytes.Pattern(1, i % 100), await client.Input.ReadExactAsync(i % 100));
            await client.DisposeAsync();
            Assert.Null(await client.Ended.Soon());
        }
        await echo.Soon();
        while (pair.Client.KnownStreams > 0 || pair.Server.KnownStreams > 0) await Task.Yield();
        Assert.Equal((0, 0), (pair.Client.OpenStreams, pair.Server.OpenStreams));
        Assert.Equal((ReceiveBudget.StockLimit, ReceiveBudget.StockLimit), (pair.Client.BudgetLeft, pair.Server.BudgetLeft));
    }

    [Fact]
    public async Task The_end_of_the_session_reaches_a_reader_after_the_bytes_and_a_writer_at_once()
    {
        await using var pair = new MuxPair();
        var (client, server) = await pair.OpenAsync();
        await server.Output.SendAsync("last words"u8.ToArray());
        while (!client.HasReceived) await Task.Yield();

        pair.Client.End(new SessionEndedException(new SessionEnd(SessionEndKind.Closed, "the bastion stops")));

        Assert.Equal("last words"u8.ToArray(), await client.Input.ReadExactAsync(10));
        var told = await Assert.ThrowsAsync<SessionEndedException>(async () => await client.Input.ReadAsync(CancellationToken.None));
        Assert.Equal("the bastion stops", told.Message);
        await Assert.ThrowsAsync<SessionEndedException>(() => client.Output.SendAsync(new byte[1]));
        Assert.IsType<SessionEndedException>(await client.Ended.Soon());
        Assert.Throws<SessionEndedException>(() => pair.Client.Open());
    }

    [Fact]
    public async Task An_aborted_stream_fails_both_directions_at_once_and_the_peer_sees_an_end()
    {
        await using var pair = new MuxPair();
        var (client, server) = await pair.OpenAsync();
        await server.Output.SendAsync("unread"u8.ToArray());
        while (!client.HasReceived) await Task.Yield();
        var reason = new IOException("connection reset");

        client.Abort(reason);

        Assert.Same(reason, await client.Ended.Soon());
        Assert.Same(reason, (await Assert.ThrowsAsync<IOException>(async () => await client.Input.ReadAsync(CancellationToken.None))).InnerException);
        Assert.Same(reason, (await Assert.ThrowsAsync<IOException>(() => client.Output.SendAsync(new byte[1]))).InnerException);
        Assert.Empty(await server.Input.ReadAllAsync());
        await server.DisposeAsync();
        while (pair.Client.KnownStreams > 0) await Task.Yield();
    }

    [Fact]
    public async Task A_writer_that_waits_for_room_is_let_go_by_an_abort()
    {
        var channels = new PayloadPair(window: 1);
        var session = new MuxSession(channels.Client, MuxRole.Client, TimeSpan.Zero, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var sender = session.RunSenderAsync(stop.Token);
        var stream = session.Open();
        var writing = stream.Output.SendAsync(new byte[1024 * 1024]);
        Assert.False(writing.IsCompleted);

        stream.Abort(new IOException("gone"));

        await Assert.ThrowsAsync<IOException>(() => writing.Soon());
        await stop.CancelAsync();
        await sender.Quietly();
    }

    private static async Task WriteAsync(MuxStream stream, int length)
    {
        foreach (var piece in new byte[length].Chunk(32 * 1024)) await stream.Output.SendAsync(piece);
    }

    private static async Task EchoAsync(MuxSession server, int streams)
    {
        var echoes = new List<Task>();
        for (var i = 0; i < streams; i++)
        {
            var stream = (await server.AcceptAsync(CancellationToken.None).AsTask().Soon())!;
            echoes.Add(EchoStreamAsync(stream));
        }
        await Task.WhenAll(echoes);
    }

    // Says its end when it has sent as many bytes back as the first four announce.
    private static async Task EchoStreamAsync(MuxStream stream)
    {
        var left = BitConverter.ToInt32(await stream.Input.ReadExactAsync(4));
        while (left > 0)
        {
            var read = await stream.Input.ReadAsync(CancellationToken.None);
            Assert.False(read.Buffer.IsEmpty);
            foreach (var part in read.Buffer) await stream.Output.SendAsync(part);
            left -= (int)read.Buffer.Length;
            stream.Input.AdvanceTo(read.Buffer.End);
        }
        await stream.DisposeAsync();
    }
}
