using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>Fumidai signs in for clients that know nothing of TLS, IAM or secrets.</summary>
public sealed class ProxyJourneys(RunningLab lab)
{
    private async Task<(Command Tunnel, Dictionary<string, string> Environment, string Folder)> ProxyAsync(string route, params string[] more)
    {
        var tunnel = lab.Fumidai(["tunnel", "cluster/app", "--via", route, "--auth-proxy", .. more]);
        await tunnel.OutputLineAsync("Listening on ");
        var told = await tunnel.ErrorLineAsync("Sign in at ");
        var words = told.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        var file = Array.Find(words, w => w.StartsWith("PGPASSFILE=", StringComparison.Ordinal))!["PGPASSFILE=".Length..];
        var environment = new Dictionary<string, string>(lab.Environment, StringComparer.Ordinal)
        {
            ["PGHOST"] = "127.0.0.1",
            ["PGPORT"] = words[3].Split(':')[^1],
            ["PGPASSFILE"] = file,
            // What libpq would send for somebody who names nothing.
            ["PGUSER"] = "whoever",
        };
        return (tunnel, environment, Path.GetDirectoryName(file)!);
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task Any_client_signs_in_at_the_local_port_and_the_database_sees_verified_TLS(string route)
    {
        var (tunnel, environment, folder) = await ProxyAsync(route);
        await using var _ = tunnel;

        var first = await Command.RunAsync(environment, "psql", "-XAtc", "select current_user, current_database(), ssl from pg_stat_ssl where pid = pg_backend_pid()");
        environment["PGPASSWORD"] = "not-it";
        var wrong = await Command.RunAsync(environment, "psql", "-XAtc", "select 1");
        environment["PGHOST"] = folder;
        var socket = await Command.RunAsync(environment, "psql", "-XAtc", "select 40 + 2");

        Assert.Equal("postgres|app|t\n", first.Output);
        Assert.Contains("password authentication failed", wrong.Error, StringComparison.Ordinal);
        Assert.Equal("42\n", socket.Output);
        tunnel.Signal("INT");
        await tunnel.FinishAsync();
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task Another_user_of_this_machine_is_refused_at_the_socket_even_where_the_folder_lets_him_in()
    {
        Assert.SkipUnless(Environment.UserName == "root" && Machine.Finds("setpriv"), "only root can become somebody else");
        if (OperatingSystem.IsWindows())
            return;
        var (tunnel, environment, folder) = await ProxyAsync("ssm");
        await using var _ = tunnel;
        environment["PGHOST"] = folder;
        const string Query = "exec setpriv --reuid=65534 --clear-groups psql -XAtc 'select 1'";

        var shut = await Command.RunAsync(environment, "sh", "-c", Query);
        const UnixFileMode All = (UnixFileMode)511;
        // Everything on the way, as if somebody had opened it by mistake.
        for (var d = new DirectoryInfo(folder); d.FullName.StartsWith(lab.Environment["HOME"], StringComparison.Ordinal); d = d.Parent!)
            File.SetUnixFileMode(d.FullName, d.UnixFileMode | All);
        File.SetUnixFileMode(Directory.GetFiles(folder, ".s.PGSQL.*").Single(), All);
        var open = await Command.RunAsync(environment, "sh", "-c", Query);
        var root = await Command.RunAsync(environment, "psql", "-XAtc", "select 1");

        Assert.NotEqual(0, shut.ExitCode);
        Assert.Contains("for the user who runs fumidai only", open.Error, StringComparison.Ordinal);
        Assert.Equal("1\n", root.Output);
    }

    [Fact]
    public async Task A_cancel_ends_its_own_query_and_no_other()
    {
        var (tunnel, environment, _) = await ProxyAsync("ssm");
        await using var __ = tunnel;

        var finished = await Command.RunAsync(environment, "bash", "-c", """
            psql -XAtc "select 'other', pg_sleep(2)" > "$HOME/other" & other=$!
            psql -XAtc "select pg_sleep(60)" & mine=$!
            until [ "$(psql -XAtc "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'")" = 1 ]; do :; done
            kill -INT $mine; wait $mine; wait $other; cat "$HOME/other"
            """);

        Assert.Contains("canceling statement due to user request", finished.Error, StringComparison.Ordinal);
        Assert.Contains("other", finished.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rotated_secret_is_taken_up_unseen_and_an_IAM_token_needs_none()
    {
        var name = "rot" + Guid.NewGuid().ToString("N")[..8];
        await lab.AwsAsync("rds", "modify-db-cluster", "--db-cluster-identifier", "app", "--enable-iam-database-authentication", "--apply-immediately");
        await lab.AwsAsync("secretsmanager", "create-secret", "--name", name, "--secret-string", $$"""{"username":"{{name}}","password":"first"}""");
        var made = await lab.FumidaiAsync("exec", "cluster/app", "--", "psql", "-Xqc", $"create user {name} password 'first'; create user {name}i; grant rds_iam to {name}i");
        Assert.True(made.ExitCode == 0, made.ToString());
        var (tunnel, environment, _) = await ProxyAsync("ssm", "--secret", name);
        await using var __ = tunnel;

        var before = await Command.RunAsync(environment, "psql", "-XAtc", $"alter user {name} password 'second'", "-c", "select current_user");
        await lab.AwsAsync("secretsmanager", "put-secret-value", "--secret-id", name, "--secret-string", $$"""{"username":"{{name}}","password":"second"}""");
        var after = await Command.RunAsync(environment, "psql", "-XAtc", "select current_user");
        var token = await lab.FumidaiAsync("exec", "cluster/app", "--auth", "iam", "--user", name + "i", "--", "psql", "-XAtc", "select current_user");
        var ungranted = await lab.FumidaiAsync("exec", "cluster/app", "--auth", "iam", "--user", name, "--", "psql", "-XAtc", "select 1");

        Assert.EndsWith(name + "\n", before.Output, StringComparison.Ordinal);
        Assert.True(after.Output == name + "\n", after.ToString());
        Assert.True(token.Output == name + "i\n", token.ToString());
        Assert.Contains("GRANT rds_iam", ungranted.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_password_is_in_a_command_line_a_log_or_a_file_that_others_may_read()
    {
        var (tunnel, environment, folder) = await ProxyAsync("ssm", "--verbose");
        await using var _ = tunnel;
        var right = await lab.PgEnvironmentAsync(1);
        var local = (await File.ReadAllTextAsync(environment["PGPASSFILE"], TestContext.Current.CancellationToken)).Split('\n')[0].Split(':')[^1];
        Assert.Equal(32, local.Length);

        var finished = await Command.RunAsync(environment, "psql", "-XAtc", "select 1");
        var lines = string.Join('\n', Directory.GetDirectories("/proc").Select(d => Path.Combine(d, "cmdline")).Select(Machine.ReadIfThere));
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in Directory.GetFiles(lab.Environment["HOME"], "*", SearchOption.AllDirectories).Where(f => (File.GetUnixFileMode(f) & (UnixFileMode)63) != 0))
            {
                var text = Machine.ReadIfThere(file);
                Assert.DoesNotContain(local, text, StringComparison.Ordinal);
                Assert.DoesNotContain(right["PGPASSWORD"], text, StringComparison.Ordinal);
            }
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(environment["PGPASSFILE"]));
            Assert.Equal((UnixFileMode)448, File.GetUnixFileMode(folder));
        }
        tunnel.Signal("INT");
        var said = await tunnel.FinishAsync();

        Assert.Equal("1\n", finished.Output);
        foreach (var secret in (string[])[local, right["PGPASSWORD"]])
        {
            Assert.DoesNotContain(secret, lines, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, said.ToString(), StringComparison.Ordinal);
        }
    }
}
