using Fumidai.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>Larger payloads found, or not, by a client under load.</summary>
public sealed class ProbeTests
{
    private const int Bytes = 600_000;

    /// <summary>More than the window holds: a payload grows with what is acknowledged, and more must be left to send then.</summary>
    private const int ManyBytes = 3_000_000;

    public enum Answer
    {
        Passes,
        Drops,
        Cuts,
    }

    [Theory]
    [InlineData(Answer.Passes, 0, 32_768)]
    [InlineData(Answer.Drops, 1024, 1024)]
    [InlineData(Answer.Drops, 8192, 8192)]
    [InlineData(Answer.Cuts, 1536, 1536)]
    public async Task The_largest_payload_that_passes_is_found_and_no_byte_is_lost_on_the_way(Answer answer, int limit, int expected)
    {
        var link = new FaultyLink();
        if (answer != Answer.Passes) link.Refuses = (way, bytes) => way == Way.ToAgent && bytes.Length > 120 + limit;
        link.RefusalCuts = answer == Answer.Cuts;
        await using var pair = await ChannelPair.OpenAsync(link, new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50)), client: o => o with { MessagesPerSecond = 900 });
        var client = new MuxedTraffic(pair.Client, "3.3.1142.0", TimeSpan.Zero, pair.FakeTime!);
        var agent = new MuxSession(pair.Agent, MuxRole.Server, TimeSpan.Zero, pair.FakeTime!);
        var running = client.RunAsync(TestContext.Current.CancellationToken);
        var receiving = ReceiveAsync(pair.Agent, agent);
        var stream = await client.OpenStreamAsync(TestContext.Current.CancellationToken);
        var bytes = ChannelPair.Pattern(answer == Answer.Passes ? ManyBytes : Bytes, 5);
        var sending = stream.Output.WriteAsync(bytes, TestContext.Current.CancellationToken).AsTask();
        var accepted = await agent.AcceptAsync(TestContext.Current.CancellationToken);
        var received = accepted!.Input.ReadAtLeastAsync(bytes.Length, TestContext.Current.CancellationToken).AsTask();
        // In small steps and only after a long quiet: a probe that is merely slow here must not look lost.
        for (var all = Task.WhenAll(sending, received); !all.IsCompleted;)
        {
            var before = link.Activity;
            for (var i = 0; i < 300 && !all.IsCompleted; i++) await Task.Yield();
            if (before == link.Activity) pair.FakeTime!.Advance(TimeSpan.FromMilliseconds(2));
        }
        await sending;
        Assert.Equal(bytes, System.Buffers.BuffersExtensions.ToArray((await received).Buffer));
        Assert.Equal(expected, pair.Client.MaxPayload);
        await pair.Client.DisposeAsync();
        await pair.Agent.DisposeAsync();
        await running.Guarded();
        await receiving.Guarded();
    }

    private static async Task ReceiveAsync(DataChannel channel, MuxSession mux)
    {
        while (await channel.ReadAsync(CancellationToken.None))
            mux.Receive(channel.Current.Payload.Span);
    }
}
