using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class PostgresServerTests
{
    private const string Password = "Open:Sesame\\1";

    [Fact]
    public async Task Psql_signs_in_with_tls_verified_for_both_names_and_is_no_superuser()
    {
        await using var fixture = new ServerFixture();
        await using var server = await fixture.PostgresAsync(new(ServerFixture.FreshAddress(), 5432));
        Assert.Equal(5432, server.Listening!.Port);

        var (code, output, error) = await fixture.PsqlAsync(server.Listening, "SELECT current_database(), rolsuper, version() FROM pg_roles WHERE rolname = current_user", Password);
        Assert.True(code == 0, error);
        Assert.StartsWith("appdb|f|PostgreSQL", output, StringComparison.Ordinal);
        (code, output, error) = await fixture.PsqlAsync(server.Listening, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", Password, host: "app.cluster-ro-lab.ap-northeast-1.rds.amazonaws.com");
        Assert.True(code == 0, error);
        Assert.Equal("t\n", output);

        (code, _, error) = await fixture.PsqlAsync(server.Listening, "SELECT 1", Password, host: "localhost");
        Assert.Equal(2, code);
        Assert.Contains("does not match host name", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_connection_a_wrong_password_and_the_superuser_are_refused()
    {
        await using var fixture = new ServerFixture();
        await using var server = await fixture.PostgresAsync(new(ServerFixture.FreshAddress(), 5432));

        var (code, _, error) = await fixture.PsqlAsync(server.Listening!, "SELECT 1", Password, mode: "disable");
        Assert.Equal(2, code);
        Assert.Contains("no pg_hba.conf entry", error, StringComparison.Ordinal);
        Assert.EndsWith("no encryption", error.Trim(), StringComparison.Ordinal);
        (code, _, error) = await fixture.PsqlAsync(server.Listening!, "SELECT 1", "wrong");
        Assert.Equal(2, code);
        Assert.Contains("password authentication failed", error, StringComparison.Ordinal);
        var (rejected, _, words) = await ForeignProgram.RunAsync("psql", ["-X", "-w", "-c", "SELECT 1", $"host={server.Listening!.Address} port=5432 user=rdsadmin dbname=postgres sslmode=require"]);
        Assert.Equal(2, rejected);
        Assert.Contains("rejects connection", words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_password_replaces_the_old_one_and_a_stopped_server_refuses_until_it_is_started()
    {
        await using var fixture = new ServerFixture();
        await using var server = await fixture.PostgresAsync(new(ServerFixture.FreshAddress(), 5432));
        var at = server.Listening!;

        await server.SetPasswordAsync("postgres_admin", "it's new", ServerFixture.Limit);
        Assert.Equal(2, (await fixture.PsqlAsync(at, "SELECT 1", Password)).Code);
        Assert.Equal(0, (await fixture.PsqlAsync(at, "CREATE TABLE kept AS SELECT 41 + 1 AS answer", "it's new")).Code);

        await server.StopAsync();
        Assert.Null(server.Listening);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var refused = await Assert.ThrowsAsync<SocketException>(() => socket.ConnectAsync(at, ServerFixture.Limit).AsTask());
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);

        await server.StartAsync(ServerFixture.Limit);
        Assert.Equal(at, server.Listening);
        Assert.Equal("42\n", (await fixture.PsqlAsync(at, "SELECT answer FROM kept", "it's new")).Output);
    }

    [Fact]
    public async Task A_second_lab_on_the_machine_gets_another_port_of_the_same_address()
    {
        await using var fixture = new ServerFixture();
        var address = ServerFixture.FreshAddress();
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(address, 5432));
        holder.Listen();
        await using var server = await fixture.PostgresAsync(new(address, 5432));
        Assert.Equal(address, server.Listening!.Address);
        Assert.NotEqual(5432, server.Listening.Port);
        Assert.Equal(0, (await fixture.PsqlAsync(server.Listening, "SELECT 1", Password)).Code);
    }
}
