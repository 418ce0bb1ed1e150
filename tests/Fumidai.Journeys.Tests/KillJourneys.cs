using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>SIGKILL to each process in turn, and a look at processes, sockets and files afterwards.</summary>
public sealed class KillJourneys(RunningLab lab)
{
    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task A_killed_tunnel_leaves_no_listener_and_no_file(string route)
    {
        var files = Files();
        var (tunnel, port) = await lab.TunnelAsync(route);
        await using var _ = tunnel;

        tunnel.Kill();
        await tunnel.FinishAsync();

        Assert.False(await Machine.ListensAsync(port));
        Assert.Equal(files, Files());
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task A_killed_connect_takes_psql_with_it(string route)
    {
        await using var connect = lab.Fumidai("connect", "cluster/app", "--via", route, "--", "-XAt");
        await connect.TypeAsync("select 'running';\n");
        await connect.OutputLineAsync("running");
        var children = Machine.Descendants(connect.Id);
        Assert.Contains(children, c => c.Name == "psql");

        connect.Kill();
        // Both ends of its pipes close only when the last of the family is gone.
        await connect.FinishAsync();

        Assert.DoesNotContain(children, c => Machine.Lives(c.Pid));
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task A_killed_client_ends_only_its_own_connection(string route)
    {
        var (tunnel, port) = await lab.TunnelAsync(route);
        await using var _ = tunnel;
        var environment = await lab.PgEnvironmentAsync(port);
        await using var client = Command.Start(environment, "psql", "-XAt");
        await client.TypeAsync("select 'running';\n");
        await client.OutputLineAsync("running");

        client.Kill();
        await client.FinishAsync();

        var again = await Command.RunAsync(environment, "psql", "-XAtc", "select 1");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Fact]
    public async Task A_killed_lab_takes_its_servers_and_files_with_it_and_a_tunnel_through_it_ends_with_7()
    {
        var before = Labs();
        await using var own = new OwnLab();
        await own.StartAsync();
        await using var tunnel = Command.Start(own.Environment, Command.Fumidai, "tunnel", "cluster/app", "--via", "ssh");
        await tunnel.OutputLineAsync("Listening on ");
        var servers = Machine.Descendants(own.Lab!.Id);
        Assert.Contains(servers, s => s.Name.StartsWith("postgres", StringComparison.Ordinal));
        Assert.Contains(servers, s => s.Name.StartsWith("sshd", StringComparison.Ordinal));

        own.Lab.Kill();
        await own.Lab.FinishAsync();
        await own.GoneAsync(servers);

        Assert.Equal(before, Labs());
        tunnel.Signal("INT");
        await tunnel.FinishAsync();
    }

    private static string[] Files() => [.. Directory.EnumerateFileSystemEntries(Path.GetTempPath()).Where(p => Path.GetFileName(p).StartsWith("fumidai", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static string[] Labs() => Files();
}
