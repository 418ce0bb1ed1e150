using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

public sealed class KeepAliveTests
{
    private const string NewAgent = "3.3.1142.0";

    [Theory]
    [InlineData(true, nameof(MuxCommand.Nop))]
    [InlineData(false, nameof(MuxCommand.Syn))]
    public async Task A_session_is_kept_from_its_idle_timeout_only_by_choice(bool keepAlive, string first)
    {
        var time = new FakeTimeProvider();
        var pair = new PayloadPair();
        var traffic = new MuxedTraffic(pair.Client, NewAgent, TimeSpan.Zero, time, keepAlive);
        using var stop = new CancellationTokenSource();
        var running = traffic.RunAsync(stop.Token);
        time.Advance(MuxedTraffic.KeepAliveInterval);
        if (!keepAlive) await traffic.OpenStreamAsync(CancellationToken.None);
        Assert.True(await pair.Agent.ReadAsync(CancellationToken.None).AsTask().Soon());
        Assert.True(MuxFrameHeader.TryRead(pair.Agent.Current.Payload.Span, out var header));
        Assert.Equal(first, header.Command.ToString());
        await stop.CancelAsync();
        await running.Soon();
    }
}
