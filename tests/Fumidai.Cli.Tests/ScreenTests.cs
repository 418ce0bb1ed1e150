using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class ScreenTests : IDisposable
{
    private static readonly TunnelEvent Ready = new("ready", "Listening on 127.0.0.1:1 → cluster/app via ssm i-1 (eu-west-1)", new Dictionary<string, string> { ["port"] = "1" });
    private static readonly TunnelEvent Degraded = new("degraded", "Session lost its connection", new Dictionary<string, string>());
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public void The_ready_line_is_a_tunnel_s_result_and_a_client_s_side_note()
    {
        using (var tunnel = Screen(default, eventsOnOutput: true))
            tunnel.Report(Ready);
        Assert.Equal((Ready.Text + "\n", ""), (_output.ToString(), _error.ToString()));

        using (var connect = Screen(default, eventsOnOutput: false))
            connect.Report(Ready);
        Assert.Equal((Ready.Text + "\n", Ready.Text + "\n"), (_output.ToString(), _error.ToString()));
    }

    [Fact]
    public void Quiet_leaves_results_and_errors()
    {
        using var screen = Screen(new OutputMode(Json: false, Quiet: true, Verbose: false), eventsOnOutput: true);

        screen.Report(Degraded);
        screen.Note("note");
        screen.Report(Ready);
        screen.Fail(new Failure("broken", 1, ["cause"]));

        Assert.Equal(Ready.Text + "\n", _output.ToString());
        Assert.Equal("fumidai: broken\n", _error.ToString());
    }

    [Fact]
    public void Verbose_adds_the_causes()
    {
        using var screen = Screen(new OutputMode(Json: false, Quiet: false, Verbose: true), eventsOnOutput: true);

        screen.Fail(new Failure("broken", 1, ["IOException: a", "SocketException: b"]));

        Assert.Equal("fumidai: broken\n  caused by IOException: a\n  caused by SocketException: b\n", _error.ToString());
    }

    [Fact]
    public void Json_of_a_client_is_on_stderr_alone_and_every_line_of_it_is_JSON()
    {
        using var screen = Screen(new OutputMode(Json: true, Quiet: false, Verbose: false), eventsOnOutput: false);

        screen.Report(Degraded);
        screen.Note("note");
        screen.Fail(new Failure("broken", 6, []));

        Assert.Equal("", _output.ToString());
        var lines = _error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Contains("\"event\":\"degraded\"", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("\"event\":\"failed\",\"exit_code\":6,\"text\":\"broken\"}", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Json_of_a_tunnel_is_on_stdout_and_a_failure_is_told_to_people_too()
    {
        using var screen = Screen(new OutputMode(Json: true, Quiet: false, Verbose: false), eventsOnOutput: true);

        screen.Fail(new Failure("broken", 6, []));

        Assert.Contains("\"event\":\"failed\"", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal("fumidai: broken\n", _error.ToString());
    }

    [Fact]
    public void Ready_is_held_back_until_it_is_true_and_nothing_else_is()
    {
        using var screen = Screen(default, eventsOnOutput: true);

        screen.HoldReady();
        screen.Report(Ready);
        screen.Report(Degraded);
        Assert.Equal("", _output.ToString());
        Assert.Equal(Degraded.Text + "\n", _error.ToString());

        screen.Release();
        Assert.Equal(Ready.Text + "\n", _output.ToString());
    }

    [Theory]
    [InlineData(null, "xterm", true)]
    [InlineData("", "xterm", true)]
    [InlineData("1", "xterm", false)]
    [InlineData(null, "dumb", false)]
    public void Colour_is_for_terminals_that_have_it_and_users_who_want_it(string? noColor, string terminal, bool colored)
    {
        var surroundings = InProcess.Surroundings(_output, _error) with
        {
            IsErrorTerminal = true,
            Environment = name => name switch { "NO_COLOR" => noColor, "TERM" => terminal, _ => null },
        };
        using var screen = new Screen(surroundings, default, eventsOnOutput: false);

        screen.Fail(new Failure("broken", 1, []));

        Assert.Equal(colored ? "\x1b[31mfumidai:\x1b[0m broken\n" : "fumidai: broken\n", _error.ToString());
    }

    [Fact]
    public void A_step_shows_progress_on_a_terminal_only_after_a_second()
    {
        var time = new FakeTimeProvider();
        var surroundings = InProcess.Surroundings(_output, _error) with { IsErrorTerminal = true, Time = time };
        using var screen = new Screen(surroundings, default, eventsOnOutput: false);

        screen.Waiting("Looking for app");
        Assert.Equal("", _error.ToString());
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Contains("Looking for app … 1 s", _error.ToString(), StringComparison.Ordinal);
    }

    private Screen Screen(OutputMode mode, bool eventsOnOutput) => new(InProcess.Surroundings(_output, _error), mode, eventsOnOutput);
}
