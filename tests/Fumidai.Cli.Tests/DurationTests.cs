using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class DurationTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("0s", 0)]
    [InlineData("250ms", 250)]
    [InlineData("30s", 30_000)]
    [InlineData("2m", 120_000)]
    [InlineData("24h", 86_400_000)]
    public void Times_are_read_as_people_write_them(string text, int milliseconds) => Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Duration.Read(text));

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1.5s")]
    [InlineData("25h")]
    [InlineData("30 s")]
    [InlineData("30S")]
    [InlineData("99999999999999s")]
    [InlineData("٣s")]
    public void What_is_no_time_is_none(string text) => Assert.Null(Duration.Read(text));

    [Fact]
    public async Task A_wrong_drain_and_an_address_without_a_port_are_usage()
    {
        var drain = await InProcess.RunAsync(["tunnel", "app", "--drain", "soon"]);
        var address = await InProcess.RunAsync(["tunnel", "app", "--health-address", "0.0.0.0"]);

        Assert.Equal((2, 2), (drain.ExitCode, address.ExitCode));
        Assert.Contains("--drain must be a time such as 30s", drain.Error, StringComparison.Ordinal);
        Assert.Contains("--health-port", address.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_signal_ends_the_wait_once()
    {
        using var stop = new StopSignals();
        Assert.False(stop.StopWaiting());
        Assert.True(stop.Stop(ExitCodes.Terminated));
        stop.LetFinish();
        Assert.False(stop.Stop(ExitCodes.Interrupted));
        Assert.False(stop.Hurry.IsCancellationRequested);
        Assert.True(stop.StopWaiting());
        Assert.True(stop.Hurry.WaitHandle.WaitOne(TimeSpan.FromSeconds(20)));
        Assert.False(stop.StopWaiting());
        Assert.Equal(ExitCodes.Terminated, stop.ExitCode);
    }
}
