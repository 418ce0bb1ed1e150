using System.Text;
using Fumidai.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

public sealed class ShellTests
{
    [Theory]
    [InlineData("shell_plain", SessionTypes.Shell)]
    [InlineData("interactive_command", SessionTypes.InteractiveCommand)]
    public async Task Typing_leaves_as_the_official_client_sends_it_and_output_arrives(string name, string sessionType)
    {
        var transcript = Transcript.Load(name);
        var channel = new ReplayChannel();
        await using var shell = Client(channel, sessionType);
        var heard = new List<byte>();
        foreach (var payload in transcript.PayloadsFrom("agent")) channel.Play(payload);
        channel.End(new SessionEnd(SessionEndKind.Closed, ""));
        while (await shell.ReadAsync(TestContext.Current.CancellationToken) is { } said)
        {
            Assert.False(said.IsError);
            heard.AddRange(said.Bytes.ToArray());
        }
        Assert.Equal(Joined(transcript.PayloadsFrom("agent")), heard);
        Assert.Null(shell.ExitCode);

        foreach (var payload in transcript.PayloadsFrom("client"))
        {
            if (payload.Type == PayloadType.Size)
            {
                Assert.True(TerminalSize.TryRead(payload.Payload, out var size));
                await shell.ResizeAsync(size, TestContext.Current.CancellationToken);
            }
            else
            {
                // The terminal hands Enter over as a line feed; the recording has what became of it.
                var typed = payload.Payload.ToArray();
                await shell.SendAsync(typed is [(byte)'\r'] ? "\n"u8.ToArray() : typed, TestContext.Current.CancellationToken);
            }
        }
        Assert.Equal(transcript.PayloadsFrom("client").Select(Text), channel.Sent.Select(Text));
    }

    [Fact]
    public async Task A_commands_output_error_and_exit_code_come_apart()
    {
        var transcript = Transcript.Load("noninteractive_separate_output");
        var channel = new ReplayChannel();
        await using var command = Client(channel, SessionTypes.NonInteractiveCommand);
        foreach (var payload in transcript.PayloadsFrom("agent")) channel.Play(payload);
        channel.End(new SessionEnd(SessionEndKind.Closed, ""));
        var said = new List<(string, bool)>();
        while (await command.ReadAsync(TestContext.Current.CancellationToken) is { } piece) said.Add((Encoding.UTF8.GetString(piece.Bytes.Span), piece.IsError));
        Assert.Equal([("to stdout\n", false), ("to stderr\n", true)], said);
        Assert.Equal(3, command.ExitCode);

        await command.ResizeAsync(TerminalSize.WithoutTerminal, TestContext.Current.CancellationToken);
        Assert.Equal(Text(transcript.PayloadsFrom("client").Single()), Text(channel.Sent.Single()));
        await command.SendAsync("\n"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal("\n"u8.ToArray(), channel.Sent[^1].Payload.ToArray());
    }

    [Fact]
    public async Task Our_agent_runs_a_command_as_the_official_one()
    {
        var transcript = Transcript.Load("noninteractive_separate_output");
        var channel = new ReplayChannel();
        var process = new FakeProcess(separateError: true);
        var serving = ShellAgent.ServeAsync(channel, Options(process, SessionTypes.NonInteractiveCommand, "sh -c …", separate: true), CancellationToken.None);
        foreach (var payload in transcript.PayloadsFrom("client")) channel.Play(payload);
        await process.Says.SendAsync("to stdout\n"u8.ToArray());
        await channel.UntilSentAsync("output", sent => sent.Count == 1);
        await process.Complains.SendAsync("to stderr\n"u8.ToArray());
        await channel.UntilSentAsync("error", sent => sent.Count == 2);
        Assert.Equal(TerminalSize.WithoutTerminal, await process.Sizes.Reader.ReadAsync(TestContext.Current.CancellationToken));
        process.Exit(3);
        Assert.Equal(new SessionEnd(SessionEndKind.Local, ""), await serving.Soon());
        Assert.Equal(transcript.PayloadsFrom("agent").Select(Text), channel.Sent.Select(Text));
        Assert.Equal(new AgentCommand(SessionTypes.NonInteractiveCommand, "sh -c …", HasTerminal: false, SeparateError: true), process.Command);
        Assert.True(process.IsDisposed);
    }

    [Fact]
    public async Task A_whole_shell_session_runs_without_a_handshake_and_ends_with_its_process()
    {
        using var link = new FaultyLink();
        var control = new FakeSessionControl();
        var process = new FakeProcess();
        var agent = ShellAgent.RunAsync(Options(process, SessionTypes.Shell, null) with { Connect = link.ConnectAgentAsync }, CancellationToken.None);
        await process.Says.SendAsync("# "u8.ToArray());
        await using var session = await SessionClient.StartAsync(control.Ticket, control,
            new SessionClientOptions { Port = new PortClientOptions { Connect = (_, token) => link.ConnectClientAsync(token) } }, CancellationToken.None).Soon();
        Assert.Null(session.Port);
        var shell = session.Shell!;
        Assert.Equal(SessionTypes.Shell, shell.SessionType);
        Assert.Equal("# ", Encoding.UTF8.GetString((await shell.ReadAsync(TestContext.Current.CancellationToken))!.Value.Bytes.Span));

        await shell.ResizeAsync(new TerminalSize(120, 40), TestContext.Current.CancellationToken);
        Assert.Equal(new TerminalSize(120, 40), await process.Sizes.Reader.ReadAsync(TestContext.Current.CancellationToken));
        await shell.SendAsync("\n"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal("\r"u8.ToArray(), await process.Typed.ReadExactAsync(1));
        var pasted = new byte[5000];
        await shell.SendAsync(pasted, TestContext.Current.CancellationToken);
        Assert.Equal(pasted, await process.Typed.ReadExactAsync(5000));

        process.Exit(0, terminal: true);
        Assert.Equal(SessionEndKind.Local, (await agent.Soon()).Kind);
    }

    [Theory]
    [InlineData("""{"cols":80,"rows":24}""", true)]
    [InlineData("""{"rows":24,"cols":80,"more":[1]}""", true)]
    [InlineData("""{"cols":0,"rows":24}""", false)]
    [InlineData("""{"cols":"80","rows":24}""", false)]
    [InlineData("""{"cols":99999999999,"rows":24}""", false)]
    [InlineData("""[80,24]""", false)]
    [InlineData("""{"cols":80""", false)]
    [InlineData("", false)]
    public void A_size_is_read_or_ignored(string json, bool isSize)
        => Assert.Equal(isSize, TerminalSize.TryRead(Encoding.UTF8.GetBytes(json), out _));

    private static ShellClient Client(ReplayChannel channel, string sessionType)
        => new(channel, "session", new Handshake("3.3.1142.0", "1.2.835.0", sessionType, default, ""), () => ValueTask.CompletedTask);

    private static AgentShellOptions Options(FakeProcess process, string sessionType, string? command, bool separate = false) => new()
    {
        SessionId = "alice-0a1b2c3d4e5f60718",
        InstanceId = "i-0123456789abcdef0",
        SessionType = sessionType,
        Command = command,
        SeparateOutput = separate,
        Shell = process,
        Connect = _ => throw new NotSupportedException(),
    };

    private static byte[] Joined(IEnumerable<ReceivedPayload> payloads)
        => [.. payloads.Where(payload => payload.Type == PayloadType.Output).SelectMany(payload => payload.Payload.ToArray())];

    private static string Text(ReceivedPayload payload) => $"{payload.Type} {Encoding.UTF8.GetString(payload.Payload.Span)}";
}
