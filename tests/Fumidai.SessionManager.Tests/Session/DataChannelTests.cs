using Fumidai.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

public sealed class DataChannelTests
{
    [Fact]
    public async Task Both_ends_agree_and_bytes_cross_in_both_directions()
    {
        await using var pair = await ChannelPair.OpenAsync(new FaultyLink());
        Assert.Equal("3.3.1142.0", pair.Client.Handshake.AgentVersion);
        Assert.Equal("1.2.835.0", pair.Agent.Handshake.ClientVersion);
        Assert.Equal("Port", pair.Client.Handshake.SessionType);
        Assert.Equal("5432", pair.Client.Handshake.Property("portNumber"));

        var up = ChannelPair.Pattern(3_000_000, 1);
        var down = ChannelPair.Pattern(2_000_000, 2);
        var sending = Task.WhenAll(ChannelPair.SendAsync(pair.Client, up, 1024), ChannelPair.SendAsync(pair.Agent, down, 1024, 7, 300));
        Assert.Equal(down, await ChannelPair.ReceiveAsync(pair.Client, down.Length).Guarded());
        Assert.Equal(up, await ChannelPair.ReceiveAsync(pair.Agent, up.Length).Guarded());
        await sending.Guarded();
        Assert.True(await pair.Client.DrainAsync(ChannelPair.Guard, CancellationToken.None));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Whatever_the_link_loses_doubles_swaps_or_cuts_every_byte_arrives_once_and_in_order(int seed)
    {
        await using var pair = await ChannelPair.OpenAsync(FaultyLink.Random(seed), new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50)), window: 50);
        var up = ChannelPair.Pattern(200_000, 1);
        var down = ChannelPair.Pattern(200_000, 2);
        var sending = Task.WhenAll(ChannelPair.SendAsync(pair.Client, up, 1024, 1, 77), ChannelPair.SendAsync(pair.Agent, down, 1024, 7, 300));
        var atClient = ChannelPair.ReceiveAsync(pair.Client, down.Length);
        var atAgent = ChannelPair.ReceiveAsync(pair.Agent, up.Length);
        await pair.DriveAsync(Task.WhenAll(sending, atClient, atAgent));
        Assert.Equal(down, await atClient);
        Assert.Equal(up, await atAgent);
    }
}
