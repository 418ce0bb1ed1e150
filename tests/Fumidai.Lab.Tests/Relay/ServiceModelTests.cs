using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class ServiceModelTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));

    private List<MeterVerdict> Send(MessageMeter meter, int perSecond, double seconds, int payload = 1024)
    {
        var verdicts = new List<MeterVerdict>();
        for (var i = 0; i < perSecond * seconds; i++)
        {
            verdicts.Add(meter.Count(payload));
            _time.Advance(TimeSpan.FromSeconds(1.0 / perSecond));
        }
        return verdicts;
    }

    [Fact]
    public void Nine_hundred_messages_a_second_pass_for_an_hour()
        => Assert.All(Send(new(ServiceModel.Stock, _time), 900, 3600), verdict => Assert.Equal(MeterVerdict.Pass, verdict));

    [Fact]
    public void Who_stays_above_the_rate_is_paused_and_then_cut()
    {
        var verdicts = Send(new(ServiceModel.Stock, _time), 1500, 5);
        var paused = verdicts.IndexOf(MeterVerdict.Pause);
        Assert.InRange(paused, 1900, 2400);
        Assert.InRange(verdicts.IndexOf(MeterVerdict.Cut) - paused, 1400, 1800);
    }

    [Fact]
    public void Who_obeys_the_pause_is_not_cut()
    {
        var meter = new MessageMeter(ServiceModel.Stock, _time);
        Assert.Contains(MeterVerdict.Pause, Send(meter, 1500, 2));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.DoesNotContain(MeterVerdict.Cut, Send(meter, 900, 60));
    }

    [Fact]
    public void A_payload_that_is_too_large_is_cut() =>
        Assert.Equal([MeterVerdict.Pass, MeterVerdict.Cut], [.. Send(new(ServiceModel.Stock, _time), 1, 1, 1536), .. Send(new(ServiceModel.Stock, _time), 1, 1, 1537)]);

    [Fact]
    public void The_open_service_takes_everything()
        => Assert.All(Send(new(ServiceModel.Open, _time), 100_000, 1, 1 << 20), verdict => Assert.Equal(MeterVerdict.Pass, verdict));

    [Fact]
    public void StartSession_is_throttled_by_account_and_recovers()
    {
        var throttle = new StartThrottle(ServiceModel.Stock, _time);
        for (var i = 0; i < 5; i++) throttle.Take("1");
        Assert.Equal("ThrottlingException", Assert.Throws<AwsError>(() => throttle.Take("1")).Code);
        throttle.Take("2");
        _time.Advance(TimeSpan.FromSeconds(0.5));
        throttle.Take("1");
    }

    [Theory]
    [InlineData("stock,payload=8192,rate=2000,over=1,grace=3,starts=4,burst=9")]
    public void All_numbers_can_be_changed(string text)
        => Assert.Equal(new ServiceModel { LargestPayload = 8192, MessagesPerSecond = 2000, Over = TimeSpan.FromSeconds(1), Grace = TimeSpan.FromSeconds(3), StartsPerSecond = 4, StartsAtOnce = 9 }, ServiceModel.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("closed")]
    [InlineData("stock,payload")]
    [InlineData("stock,burst=0")]
    [InlineData("open,speed=1")]
    public void What_is_not_understood_is_said(string text) => Assert.Null(ServiceModel.Parse(text));

    [Theory]
    [InlineData("open", 0)]
    [InlineData("stock", 680)]
    [InlineData("stock,rate=900", 900)]
    public void An_agent_s_pace_is_read(string text, int rate) => Assert.Equal(rate, AgentPace.Parse(text)!.MessagesPerSecond);
}
