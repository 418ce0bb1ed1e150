using System.Diagnostics;
using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>Ctrl-C, typed on a real terminal (util-linux <c>script</c> makes one).</summary>
public sealed class CancelJourneys(RunningLab lab)
{
    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task Ctrl_C_in_a_long_query_cancels_the_query_and_neither_psql_nor_the_tunnel(string route)
    {
        await using var terminal = OnTerminal($"connect cluster/app --via {route} -- -X");
        await terminal.OutputLineAsync("Type \"help\" for help.");

        await terminal.TypeAsync("\\echo started\nselect pg_sleep(100);\n");
        await terminal.OutputLineAsync("started");
        await UntilRunningAsync(terminal);
        await terminal.TypeAsync("\x03");
        await terminal.OutputLineAsync("canceling statement due to user request");
        await terminal.TypeAsync("select 'still ' || 'here';\n");
        await terminal.OutputLineAsync("still here");
        await terminal.TypeAsync("\\q\n");

        Assert.Equal(0, (await terminal.FinishAsync()).ExitCode);
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task Ctrl_C_ends_a_tunnel_with_130_and_leaves_nothing_listening(string route)
    {
        var before = await ActiveSessionsAsync();
        var (tunnel, port) = await lab.TunnelAsync(route);
        await using var _ = tunnel;

        tunnel.Signal("INT");
        var finished = await tunnel.FinishAsync();

        Assert.Equal(130, finished.ExitCode);
        Assert.False(await Machine.ListensAsync(port));
        Assert.Equal(before, await ActiveSessionsAsync());
    }

    private Task<string> ActiveSessionsAsync() => lab.AwsAsync("ssm", "describe-sessions", "--state", "Active", "--query", "Sessions[].SessionId", "--output", "text");

    // exec: a dash that stays between (SHELL unset) would answer the Ctrl-C with its own 130.
    private Command OnTerminal(string arguments) =>
        Command.Start(lab.Environment, "script", "-qefc", $"exec {Command.Fumidai} {arguments}", "/dev/null");

    // The cancel must meet a running query: another connection, over the same lab, watches for it.
    private async Task UntilRunningAsync(Command terminal)
    {
        Debug.Assert(terminal.Id != 0);
        var finished = await lab.FumidaiAsync("connect", "cluster/app", "--via", "ssm", "--", "-XAtc",
            "do $$ begin while not exists (select from pg_stat_activity where query like 'select pg_sleep(100)%' and state = 'active') loop perform pg_sleep(0.05); perform pg_stat_clear_snapshot(); end loop; end $$");
        Assert.True(finished.ExitCode == 0, finished.ToString());
    }
}
