using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

public sealed class UploadControlTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly UploadLimits _limits = new();

    private UploadControl Control(int largest = 32 * 1024) => new(_time, _limits, 900, 1024, largest);

    /// <summary>Sends at the allowed rate, always with more to send; a service that answers all.</summary>
    private void Load(UploadControl control, double seconds, Func<UploadControl, bool>? stop = null)
    {
        for (var until = _time.GetUtcNow().AddSeconds(seconds); _time.GetUtcNow() < until && stop?.Invoke(control) != true;)
        {
            control.OnLoad();
            for (var i = 0; i < Math.Max(1, (control.Rate == 0 ? 100_000 : control.Rate) / 100); i++)
            {
                control.OnSent();
                control.OnAcknowledged();
            }
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }
    }

    [Fact]
    public void It_starts_with_what_is_certain_and_tries_nothing_without_load()
    {
        var control = Control();
        for (var i = 0; i < 10_000; i++)
        {
            control.OnSent();
            control.OnAcknowledged();
            _time.Advance(TimeSpan.FromMilliseconds(2));
        }
        Assert.Equal((900, 1024, 0), (control.Rate, control.Payload, control.WantedProbe));
    }

    [Fact]
    public void Under_load_payloads_grow_one_acknowledged_probe_at_a_time()
    {
        var control = Control(largest: 8192);
        foreach (var size in (int[])[1536, 4096, 8192])
        {
            Load(control, 0.1);
            Assert.Equal(size, control.WantedProbe);
            control.OnProbeSent(size);
            Assert.Equal(0, control.WantedProbe);
            Assert.NotEqual(size, control.Payload);
            control.OnProbeAcknowledged();
            Assert.Equal(size, control.Payload);
        }
        Load(control, 0.1);
        Assert.Equal(0, control.WantedProbe);
        Assert.False(_limits.RateDenied);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_probe_that_fails_is_the_last_one_of_all_sessions_of_the_route(bool pause)
    {
        var control = Control();
        Load(control, 0.1);
        control.OnProbeSent(1536);
        control.OnProbeAcknowledged();
        Load(control, 0.5);
        Assert.Equal(4096, control.WantedProbe);
        control.OnProbeSent(4096);
        Assert.True(control.OnSign(pause));
        Load(control, 1);
        Assert.Equal((1536, 0), (control.Payload, control.WantedProbe));
        var another = Control();
        Load(another, 0.1);
        another.OnProbeSent(another.WantedProbe);
        another.OnProbeAcknowledged();
        Load(another, 1);
        Assert.Equal((1536, 0), (another.Payload, another.WantedProbe));
    }

    [Fact]
    public void A_pause_just_after_a_larger_payload_takes_it_back()
    {
        var control = Control();
        Load(control, 0.1);
        control.OnProbeSent(1536);
        control.OnProbeAcknowledged();
        Assert.False(control.OnSign(pause: true));
        Assert.Equal(1024, control.Payload);
        Load(control, 1);
        Assert.Equal(0, control.WantedProbe);
    }

    [Fact]
    public void A_pause_while_a_higher_rate_is_tried_ends_the_trial_for_all_sessions()
    {
        var control = Control(largest: 1024);
        Load(control, 10, stop: c => c.Rate == UploadControl.TrialRate);
        Assert.Equal(UploadControl.TrialRate, control.Rate);
        control.OnSign(pause: true);
        Load(control, 60);
        Assert.Equal(900, control.Rate);
        var another = Control(largest: 1024);
        Load(another, 60);
        Assert.Equal(900, another.Rate);
    }

    [Fact]
    public void A_service_that_bears_the_trial_is_asked_for_more_until_nothing_limits()
    {
        var control = Control(largest: 1024);
        Load(control, 10, stop: c => c.Rate == UploadControl.TrialRate);
        var began = _time.GetUtcNow();
        Load(control, 30, stop: c => c.Rate == 0);
        Assert.Equal(0, control.Rate);
        Assert.InRange(_time.GetUtcNow() - began, UploadControl.TrialTime, UploadControl.TrialTime * 2.5);
    }

    [Fact]
    public void A_pause_at_full_speed_leads_back_to_what_was_borne_for_long()
    {
        var control = Control(largest: 1024);
        Load(control, 30, stop: c => c.Rate == 0);
        control.OnSign(pause: true);
        Load(control, 60);
        Assert.Equal(UploadControl.TrialRate, control.Rate);
    }

    [Fact]
    public void The_window_grows_while_the_path_stays_short_and_shrinks_when_a_queue_builds_up()
    {
        var window = new WindowControl(_time, 1 << 20);
        void Rounds(double milliseconds, int count)
        {
            for (var i = 0; i < count; i++)
            {
                window.OnFull();
                for (var j = 0; j < 16; j++) window.Add(TimeSpan.FromMilliseconds(milliseconds));
                _time.Advance(TimeSpan.FromMilliseconds(5));
            }
        }
        Rounds(0.5, 20);
        Assert.Equal(1 << 20, window.Bytes);
        Rounds(8, 20);
        Assert.Equal(WindowControl.Smallest, window.Bytes);
    }
}
