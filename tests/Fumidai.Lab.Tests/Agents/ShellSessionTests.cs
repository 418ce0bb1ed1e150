using System.Text;
using Fumidai.SessionManager;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class ShellSessionTests
{
    [Fact]
    public async Task A_shell_has_a_real_terminal_of_the_clients_size_and_no_rights_of_root()
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        var seed = SeedParts.Of(lab);
        var (status, answer) = await new SignedControl(lab).CallAsync("StartSession", $"{{\"Target\":\"{seed.Bastion.Id}\"}}");
        Assert.Equal(200, status);
        var ticket = new StreamTicket(answer.GetProperty("SessionId").GetString()!, answer.GetProperty("TokenValue").GetString()!, answer.GetProperty("StreamUrl").GetString()!);
        await using var client = await SessionClient.StartAsync(ticket, new SignedControl(lab), new SessionClientOptions { Target = seed.Bastion.Id, Port = Options(lab) }, ServerFixture.Limit);
        var shell = client.Shell!;
        await shell.ResizeAsync(new TerminalSize(97, 31), ServerFixture.Limit);
        await shell.SendAsync("echo answer=$((6*7)) uid=$(id -u)\r"u8.ToArray(), ServerFixture.Limit);
        var said = await UntilAsync(shell, "answer=42 uid=");
        Assert.DoesNotContain("uid=0\r", said, StringComparison.Ordinal);
        await shell.SendAsync("tty; stty size\r"u8.ToArray(), ServerFixture.Limit);
        said = await UntilAsync(shell, "31 97");
        Assert.Contains("/dev/pts/", said, StringComparison.Ordinal);
        // Said by the process that is to be interrupted: between two commands the shell itself would take the signal.
        await shell.SendAsync("sh -c 'echo be\"\"gun; exec sleep 300'\r"u8.ToArray(), ServerFixture.Limit);
        await UntilAsync(shell, "begun");
        await shell.SendAsync(new byte[] { 3 }, ServerFixture.Limit);
        await shell.SendAsync("exit\r"u8.ToArray(), ServerFixture.Limit);
        while (await shell.ReadAsync(ServerFixture.Limit) is not null)
        {
            // Until the session is over.
        }
        Assert.Equal(SessionEndKind.Closed, (await client.Ended.WaitAsync(ServerFixture.Limit)).Kind);
    }

    [Fact]
    public async Task A_non_interactive_command_tells_its_output_errors_and_exit_code_apart()
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        var seed = SeedParts.Of(lab);
        var ticket = await new SignedControl(lab).StartAsync(seed.Bastion.Id, "AWS-StartNonInteractiveCommand", """{"command":["echo out; echo err >&2; exit 7"]}""");
        await using var client = await SessionClient.StartAsync(ticket, new SignedControl(lab), new SessionClientOptions { Target = seed.Bastion.Id, Port = Options(lab) }, ServerFixture.Limit);
        var (output, error) = (new StringBuilder(), new StringBuilder());
        while (await client.Shell!.ReadAsync(ServerFixture.Limit) is { } piece)
            (piece.IsError ? error : output).Append(Encoding.UTF8.GetString(piece.Bytes.Span));
        Assert.Equal(("out\n", "err\n", 7), (output.ToString(), error.ToString(), client.Shell.ExitCode));
    }

    private static PortClientOptions Options(RelayFixture lab) => new() { Socket = new SocketSettings { Roots = [lab.Context.Authority.Certificate] } };

    private static async Task<string> UntilAsync(ShellClient shell, string wanted)
    {
        var said = new StringBuilder();
        while (!said.ToString().Contains(wanted, StringComparison.Ordinal))
        {
            var piece = await shell.ReadAsync(ServerFixture.Limit) ?? throw new InvalidOperationException($"the session ended after: {said}");
            said.Append(Encoding.UTF8.GetString(piece.Bytes.Span));
        }
        return said.ToString();
    }
}
