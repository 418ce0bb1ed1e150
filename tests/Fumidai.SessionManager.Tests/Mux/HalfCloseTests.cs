using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

public sealed class HalfCloseTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Our_FIN_waits_for_the_peers_so_that_the_replys_tail_arrives()
    {
        await using var pair = new MuxPair(Limit, _time);
        var (client, server) = await pair.OpenAsync();
        await client.Output.SendAsync("request"u8.ToArray());
        await client.Output.CompleteAsync();
        Assert.Equal("request"u8.ToArray(), await server.Input.ReadExactAsync(7));
        Assert.False(client.IsClosing);

        await server.Output.SendAsync("reply, "u8.ToArray());
        await server.Output.SendAsync("tail"u8.ToArray());
        await server.DisposeAsync();

        Assert.Equal("reply, tail"u8.ToArray(), await client.Input.ReadAllAsync());
        Assert.Null(await client.Ended.Soon());
        while (pair.Client.KnownStreams > 0 || pair.Server.KnownStreams > 0) await Task.Yield();
    }

    [Fact]
    public async Task After_the_limit_of_silence_our_FIN_goes_out()
    {
        await using var pair = new MuxPair(Limit, _time);
        var (client, server) = await pair.OpenAsync();
        await client.Output.CompleteAsync();
        _time.Advance(Limit - TimeSpan.FromMilliseconds(1));
        Assert.False(client.IsClosing);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Empty(await server.Input.ReadAllAsync());
    }

    [Fact]
    public async Task Each_byte_from_the_peer_starts_the_silence_anew()
    {
        await using var pair = new MuxPair(Limit, _time);
        var (client, server) = await pair.OpenAsync();
        await client.Output.CompleteAsync();
        for (var i = 0; i < 3; i++)
        {
            _time.Advance(Limit - TimeSpan.FromSeconds(1));
            await server.Output.SendAsync(new byte[] { 1 });
            await client.Input.ReadExactAsync(1);
        }
        Assert.False(client.IsClosing);
        _time.Advance(Limit);
        Assert.True(client.IsClosing);
    }

    [Fact]
    public async Task Bytes_that_our_own_reader_has_not_taken_are_no_silence()
    {
        await using var pair = new MuxPair(Limit, _time);
        var (client, server) = await pair.OpenAsync();
        await server.Output.SendAsync("slow reader"u8.ToArray());
        while (!client.HasReceived) await Task.Yield();
        await client.Output.CompleteAsync();
        _time.Advance(10 * Limit);
        Assert.False(client.IsClosing);
        await client.Input.ReadExactAsync(11);
        _time.Advance(Limit);
        Assert.True(client.IsClosing);
    }

    [Fact]
    public async Task What_arrives_after_our_FIN_is_still_delivered()
    {
        var session = new MuxSession(new ReplayChannel(), MuxRole.Client, Limit, _time);
        var client = session.Open();
        await client.Output.CompleteAsync();
        _time.Advance(Limit);
        Assert.True(client.IsClosing);
        // What was on its way before the peer heard of it.
        session.Receive(TestBytes.Frame(MuxCommand.Psh, client.Id, "tail"u8));
        session.Receive(TestBytes.Frame(MuxCommand.Fin, client.Id));
        Assert.Equal("tail"u8.ToArray(), await client.Input.ReadAllAsync());
    }

    [Fact]
    public async Task A_user_done_with_both_directions_waits_for_nobody()
    {
        await using var pair = new MuxPair(Limit, _time);
        var (client, server) = await pair.OpenAsync();
        await client.Output.SendAsync("bye"u8.ToArray());
        await client.Output.CompleteAsync();
        await client.Input.CompleteAsync();
        Assert.Equal("bye"u8.ToArray(), await server.Input.ReadAllAsync());
        Assert.Null(await client.Ended.Soon());
    }

    [Fact]
    public async Task The_peers_FIN_ends_writing_too_and_is_answered()
    {
        await using var pair = new MuxPair(Limit, _time);
        var (client, server) = await pair.OpenAsync();
        await server.DisposeAsync();
        Assert.Empty(await client.Input.ReadAllAsync());
        var flush = await client.Output.WriteAsync(new byte[1], CancellationToken.None);
        Assert.True(flush.IsCompleted);
        Assert.Null(await client.Ended.Soon());
        while (pair.Client.KnownStreams > 0 || pair.Server.KnownStreams > 0) await Task.Yield();
    }
}
