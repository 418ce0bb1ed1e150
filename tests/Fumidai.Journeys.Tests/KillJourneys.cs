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

    [Fact]
    public async Task A_killed_auth_proxy_leaves_no_socket_and_no_passfile()
    {
        await using var tunnel = lab.Fumidai("tunnel", "cluster/app", "--auth-proxy");
        await tunnel.OutputLineAsync("Listening on ");
        var told = await tunnel.ErrorLineAsync("Sign in at ");
        var folder = told[(told.LastIndexOf('=') + 1)..].Trim();
        Assert.True(File.Exists(Path.Combine(folder, "pgpass")), told);
        var (watch, _) = Assert.Single(Machine.Descendants(tunnel.Id));

        tunnel.Kill();
        await tunnel.FinishAsync();

        await Machine.GoneAsync(watch);
        Assert.False(Directory.Exists(folder));
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
    public async Task A_killed_sshd_session_is_replaced_for_the_next_connection()
    {
        var (tunnel, port) = await lab.TunnelAsync("ssh");
        await using var _ = tunnel;
        var environment = await lab.PgEnvironmentAsync(port);
        var sessions = Machine.Descendants(lab.Process.Id).Where(p => p.Name == "sshd" && Machine.CommandLine(p.Pid).Contains("ec2-user", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(sessions);

        foreach (var (pid, _) in sessions)
            Machine.Kill(pid);
        var again = await Command.RunAsync(environment, "psql", "-XAtc", "select 1");
        if (again.ExitCode != 0)
            again = await Command.RunAsync(environment, "psql", "-XAtc", "select 1"); // the first may have met the dying connection

        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task A_killed_PostgreSQL_ends_its_clients_and_is_told_to_the_next_one(string route)
    {
        await using var own = new RunningLab();
        await own.InitializeAsync();
        var (tunnel, port) = await own.TunnelAsync(route);
        await using var _ = tunnel;
        var environment = await own.PgEnvironmentAsync(port);
        await using var client = Command.Start(environment, "psql", "-XAt");
        await client.TypeAsync("select 'running';\n");
        await client.OutputLineAsync("running");

        foreach (var (pid, _) in Machine.Descendants(own.Process.Id).Where(p => p.Name.StartsWith("postgres", StringComparison.Ordinal)))
            Machine.Kill(pid);
        await client.TypeAsync("select 'still';\n\\q\n");
        var ended = await client.FinishAsync();
        var next = await own.FumidaiAsync("connect", "cluster/app", "--via", route, "--", "-XAtc", "select 1");

        Assert.Equal(2, ended.ExitCode);
        Assert.Equal(6, next.ExitCode);
        Assert.True(Machine.Lives(tunnel.Id));
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
