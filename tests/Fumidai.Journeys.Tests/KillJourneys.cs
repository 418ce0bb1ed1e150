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
        var files = lab.Files();
        var (tunnel, port) = await lab.TunnelAsync(route);
        await using var _ = tunnel;

        tunnel.Kill();
        await tunnel.FinishAsync();

        Assert.False(await Machine.ListensAsync(port));
        Assert.Equal(files, lab.Files());
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
        await connect.FinishAsync();

        foreach (var (pid, _) in children)
            await Machine.GoneAsync(pid);
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
    public async Task A_killed_lab_takes_its_servers_and_files_with_it()
    {
        await using var own = new RunningLab();
        await own.InitializeAsync();
        var servers = Machine.Descendants(own.Process.Id);
        Assert.Contains(servers, s => s.Name.StartsWith("postgres", StringComparison.Ordinal));
        Assert.Contains(servers, s => s.Name.StartsWith("sshd", StringComparison.Ordinal));

        own.Process.Kill();
        await own.Process.FinishAsync();
        foreach (var (pid, _) in servers)
            await Machine.GoneAsync(pid);

        Assert.Empty(own.Files());
    }
}
