using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class ProgressTests : IDisposable
{
    private readonly StringWriter _terminal = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _terminal.Dispose();

    [Fact]
    public void A_quick_step_shows_nothing()
    {
        using var progress = new Progress(_terminal, _time, color: false);

        progress.Step("Looking");
        _time.Advance(TimeSpan.FromMilliseconds(999));
        progress.Step(null);
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal("", _terminal.ToString());
    }

    [Fact]
    public void A_step_of_more_than_a_second_says_what_it_waits_for_and_for_how_long()
    {
        using var progress = new Progress(_terminal, _time, color: false);

        progress.Step("Looking");
        _time.Advance(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("\r\x1b[KLooking … 1 s\r\x1b[KLooking … 2 s", _terminal.ToString());
    }

    [Fact]
    public void The_line_is_gone_when_the_step_is_over_and_while_others_write()
    {
        using var progress = new Progress(_terminal, _time, color: false);
        progress.Step("Looking");
        _time.Advance(TimeSpan.FromSeconds(1));

        progress.Around(() => _terminal.Write("note\n"));
        _time.Advance(TimeSpan.FromSeconds(1));
        progress.Step(null);

        Assert.Equal("\r\x1b[KLooking … 1 s\r\x1b[Knote\n\r\x1b[KLooking … 2 s\r\x1b[K", _terminal.ToString());
    }
}
