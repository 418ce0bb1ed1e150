using System.Security.Cryptography;
using Fumidai.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

public sealed class SeededFaultTests
{
    private const int Payload = 8 * 1024;
    private const int Messages = 16 * 1024;      // 128 MiB each way

    [Fact]
    public async Task Through_fifty_faults_of_all_kinds_256_MiB_arrive_once_in_order_and_whole()
    {
        const int seed = 9_2026;
        var link = FaultyLink.Seeded(seed, faults: 50, messages: Messages);
        await using var pair = await ChannelPair.OpenAsync(link, new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50)),
            client: o => o with { MaxPayload = Payload }, agent: o => o with { MaxPayload = Payload });
        var up = (Sending: SendAsync(pair.Client, 1), Receiving: HashAsync(pair.Agent));
        var down = (Sending: SendAsync(pair.Agent, 2), Receiving: HashAsync(pair.Client));
        await DriveAsync(pair, Task.WhenAll(up.Sending, up.Receiving, down.Sending, down.Receiving));
        Assert.Equal(await up.Sending, await up.Receiving);
        Assert.Equal(await down.Sending, await down.Receiving);
        Assert.Equal(50, link.FaultsDone);
        Assert.False(pair.Client.Ended.IsCompleted);
    }

    private static async Task<string> SendAsync(DataChannel channel, int seed)
    {
        var payload = ChannelPair.Pattern(Payload, (uint)seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < Messages; i++)
        {
            BitConverter.TryWriteBytes(payload, i);
            hash.AppendData(payload);
            await channel.SendAsync(PayloadType.Output, payload, CancellationToken.None);
        }
        await channel.FlushAsync(CancellationToken.None);
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static async Task<string> HashAsync(DataChannel channel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long left = (long)Messages * Payload; left > 0 && await channel.ReadAsync(CancellationToken.None); left -= channel.Current.Payload.Length)
            hash.AppendData(channel.Current.Payload.Span);
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    // As ChannelPair's, but patient: it moves the clock only when nothing else moves, and what is measured here is not speed.
    private static async Task DriveAsync(ChannelPair pair, Task until)
    {
        for (var quiet = 0; !until.IsCompleted;)
        {
            var before = pair.Link.Activity;
            for (var i = 0; i < 50 && !until.IsCompleted; i++) await Task.Yield();
            quiet = before == pair.Link.Activity ? quiet + 1 : 0;
            if (quiet == 0) continue;
            pair.FakeTime!.Advance(TimeSpan.FromMilliseconds(50));
            Assert.True(quiet < 1_000_000, "nothing more happens");
        }
        await until;
    }
}
