using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class LabClockTests
{
    private readonly FakeTimeProvider _real = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Advancing_moves_the_calendar_and_the_timestamps()
    {
        var clock = new LabClock(_real);
        var before = clock.GetTimestamp();
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(_real.GetUtcNow().AddHours(2), clock.GetUtcNow());
        Assert.Equal(TimeSpan.FromHours(2), clock.GetElapsedTime(before));
    }

    [Fact]
    public void A_skew_moves_the_calendar_alone()
    {
        var clock = new LabClock(_real);
        var before = clock.GetTimestamp();
        clock.Skew = TimeSpan.FromMinutes(-10);
        Assert.Equal(_real.GetUtcNow().AddMinutes(-10), clock.GetUtcNow());
        Assert.Equal(TimeSpan.Zero, clock.GetElapsedTime(before));
    }

    [Fact]
    public void A_timer_fires_when_its_time_has_come_by_waiting_or_by_advancing()
    {
        var clock = new LabClock(_real);
        var fired = 0;
        using var timer = clock.CreateTimer(_ => fired++, null, TimeSpan.FromMinutes(10), Timeout.InfiniteTimeSpan);
        clock.Advance(TimeSpan.FromMinutes(4));
        _real.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(0, fired);
        _real.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, fired);
        clock.Advance(TimeSpan.FromHours(1));
        _real.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1, fired);
    }

    [Fact]
    public void A_period_goes_on_after_advancing()
    {
        var clock = new LabClock(_real);
        var fired = 0;
        using var timer = clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(10));
        _real.Advance(TimeSpan.Zero);
        Assert.Equal(1, fired);
        _real.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(2, fired);
    }

    [Fact]
    public void A_disposed_timer_stays_silent()
    {
        var clock = new LabClock(_real);
        var fired = 0;
        clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(10), Timeout.InfiniteTimeSpan).Dispose();
        clock.Advance(TimeSpan.FromMinutes(1));
        _real.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, fired);
    }
}
