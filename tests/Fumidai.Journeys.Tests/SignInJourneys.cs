using System.Globalization;
using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>The main job: one command from the laptop to psql, by both routes.</summary>
public sealed class SignInJourneys(RunningLab lab)
{
    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task One_command_ends_in_a_real_psql_with_verified_TLS(string route)
    {
        var finished = await lab.FumidaiAsync("connect", "cluster/app", "--via", route, "--", "-XAtc", "select version(), ssl from pg_stat_ssl where pid = pg_backend_pid()");

        Assert.True(finished.ExitCode == 0, finished.ToString());
        Assert.StartsWith("PostgreSQL ", finished.Output, StringComparison.Ordinal);
        Assert.EndsWith("|t\n", finished.Output, StringComparison.Ordinal);
        Assert.Matches($@"Listening on 127\.0\.0\.1:\d+ → cluster/app via {route} i-[0-9a-f]+ \(ap-northeast-1\)", finished.Error);
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task The_exit_code_of_connect_is_psql_s_own(string route)
    {
        var finished = await lab.FumidaiAsync("connect", "cluster/app", "--via", route, "--", "-XAt", "-v", "ON_ERROR_STOP=1", "-c", "select 1/0", "-c", "select 2");

        Assert.Equal(1, finished.ExitCode);
        Assert.Contains("division by zero", finished.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task Exec_gives_any_program_the_database_in_its_environment(string route)
    {
        var finished = await lab.FumidaiAsync("exec", "cluster/app", "--via", route, "--", "psql", "-XAtc", "select current_user");

        Assert.True(finished.ExitCode == 0, finished.ToString());
        Assert.NotEmpty(finished.Output.Trim());
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task Without_a_target_the_only_one_there_is_gets_connected(string route)
    {
        var finished = await lab.FumidaiAsync("connect", "--via", route, "--", "-XAtc", "select 40 + 2");

        Assert.True(finished.ExitCode == 0, finished.ToString());
        Assert.Equal("42\n", finished.Output);
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task A_wrong_password_is_told_with_the_database_s_words_and_leaves_the_tunnel_alone(string route)
    {
        var (tunnel, port) = await lab.TunnelAsync(route);
        await using var _ = tunnel;
        var environment = await lab.PgEnvironmentAsync(port);
        var right = environment["PGPASSWORD"];

        environment["PGPASSWORD"] = "wrong";
        var refused = await Command.RunAsync(environment, "psql", "-XAtc", "select 1");
        environment["PGPASSWORD"] = right;
        var accepted = await Command.RunAsync(environment, "psql", "-XAtc", "select 1");

        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("password authentication failed", refused.Error, StringComparison.Ordinal);
        Assert.True(accepted.ExitCode == 0, accepted.ToString());
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task A_wrong_secret_given_to_connect_ends_in_the_client_s_own_exit_code(string route)
    {
        var name = "wrong-" + route + Guid.NewGuid().ToString("N")[..8];
        await lab.AwsAsync("secretsmanager", "create-secret", "--name", name, "--secret-string", """{"username":"postgres","password":"not-it"}""");

        var finished = await lab.FumidaiAsync("connect", "cluster/app", "--via", route, "--secret", name, "--", "-XAtc", "select 1");

        Assert.Equal(2, finished.ExitCode);
        Assert.Contains("password authentication failed", finished.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("not-it", finished.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Targets_lists_the_cluster_with_both_routes_open()
    {
        var finished = await lab.FumidaiAsync("targets");

        Assert.True(finished.ExitCode == 0, finished.ToString());
        var row = finished.Output.Split('\n').Single(l => l.Contains("cluster/app", StringComparison.Ordinal));
        Assert.Contains("aurora-postgresql", row, StringComparison.Ordinal);
        Assert.Contains("available", row, StringComparison.Ordinal);
        Assert.Contains("ssm", row, StringComparison.Ordinal);
        Assert.Contains("ssh", row, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task Fifty_connections_at_once_all_get_their_own_answer(string route)
    {
        var (tunnel, port) = await lab.TunnelAsync(route);
        await using var _ = tunnel;
        var environment = await lab.PgEnvironmentAsync(port);

        var finished = await Command.RunAsync(environment, "bash", "-c",
            "for i in $(seq 50); do psql -XAtc \"select $i, count(*) from generate_series(1, 20000), pg_sleep(0.5)\" & done; wait");

        Assert.Equal(
            Enumerable.Range(1, 50).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i}|20000")).Order(StringComparer.Ordinal),
            finished.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }
}
