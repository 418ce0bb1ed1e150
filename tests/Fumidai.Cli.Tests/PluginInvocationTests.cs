using Fumidai.SessionManager;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary>The forms in which the AWS CLI calls session-manager-plugin (protocol §1.3).</summary>
public sealed class PluginInvocationTests
{
    private const string Response = """{"SessionId":"user-0abc@x+y","TokenValue":"secret-token","StreamUrl":"wss://h/v1/data-channel/x?role=publish_subscribe&a=%2B+b"}""";
    private const string Input = """{"Target":"i-0abc","DocumentName":"AWS-StartPortForwardingSession","Parameters":{"portNumber":["5432"],"localPortNumber":["15432"]}}""";

    [Fact]
    public void Three_probes_are_answered_with_exit_code_0()
    {
        Assert.Contains("installed successfully", Answered([], 0), StringComparison.Ordinal);
        var version = Answered(["--version"], 0);
        Assert.Matches(@"^\d+\.\d+\.\d+\.\d+\n$", version);
        Assert.True(Version.Parse(version.Trim()) >= new Version(1, 2, 764, 0), "AWS refuses clients before 1.2.764.0");
        Assert.StartsWith("Unknown operation", Answered(["x"], 0), StringComparison.Ordinal);
        Assert.StartsWith("Unknown operation", Answered(["x", "y"], 0), StringComparison.Ordinal);
    }

    [Fact]
    public void An_operation_other_than_StartSession_is_invalid() =>
        Assert.Equal("Invalid Operation\n", Answered([Response, "eu-west-1", "ResumeSession", "", Input, ""], 1));

    [Fact]
    public void The_session_may_come_in_the_argument_or_in_the_environment()
    {
        var direct = Session([Response, "eu-west-1", "StartSession", "prod", Input, "https://ssm.eu-west-1.amazonaws.com"]);
        var indirect = Session(["AWS_SSM_START_SESSION_RESPONSE", "eu-west-1", "StartSession", "prod", Input, "https://ssm.eu-west-1.amazonaws.com"], ("AWS_SSM_START_SESSION_RESPONSE", Response));
        var longer = Session(["AWS_SSM_START_SESSION_RESPONSE_7", "eu-west-1", "StartSession", "prod", Input, "https://ssm.eu-west-1.amazonaws.com"], ("AWS_SSM_START_SESSION_RESPONSE_7", Response));

        foreach (var session in (PluginInvocation.Session[])[direct, indirect, longer])
        {
            Assert.Equal("user-0abc@x+y", session.Ticket.SessionId);
            Assert.Equal("secret-token", session.Ticket.Token);
            Assert.Equal("wss://h/v1/data-channel/x?role=publish_subscribe&a=%2B+b", session.Ticket.StreamUrl);
            Assert.Equal(("eu-west-1", "prod", "i-0abc", "AWS-StartPortForwardingSession"), (session.Region, session.Profile, session.Target, session.DocumentName));
            Assert.Equal("https://ssm.eu-west-1.amazonaws.com", session.EndpointUrl);
            Assert.Equal("15432", session.Parameters["localPortNumber"]);
            Assert.False(session.IsLegacy);
            Assert.False(session.IsSsh);
        }
    }

    [Fact]
    public void An_empty_profile_means_that_the_environment_decides() =>
        Assert.Null(Session([Response, "eu-west-1", "StartSession", "", Input, ""]).Profile);

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Older_callers_pass_fewer_arguments(int count)
    {
        string[] all = [Response, "eu-west-1", "StartSession", "", Input, "https://ssm.eu-west-1.amazonaws.com"];

        var session = Session(all[..count]);

        Assert.Equal(count == 3, session.IsLegacy);
        Assert.Equal(count > 4 ? "i-0abc" : "", session.Target);
        Assert.Equal(count > 5, session.EndpointUrl is not null);
    }

    [Theory]
    [InlineData("https://ecs.eu-west-1.amazonaws.com", null)]
    [InlineData("https://ecs-fips.us-east-1.amazonaws.com", null)]
    [InlineData("https://ecs.eu-west-1.api.aws", null)]
    [InlineData("https://vpce-0a-b.ecs.eu-west-1.vpce.amazonaws.com", null)]
    [InlineData("http://127.0.0.1:4566", "http://127.0.0.1:4566")]
    [InlineData("", null)]
    [InlineData("nonsense", null)]
    public void Ecs_spells_names_small_and_passes_its_own_endpoint_which_is_not_where_sessions_are_resumed(string endpoint, string? used)
    {
        var session = Session(
            ["""{"sessionId":"ecs-execute-command-0abc","streamUrl":"wss://h/x","tokenValue":"t"}""", "eu-west-1", "StartSession", "", """{"Target":"ecs:c_t_r"}""", endpoint]);

        Assert.Equal("ecs-execute-command-0abc", session.Ticket.SessionId);
        Assert.Equal("ecs:c_t_r", session.Target);
        Assert.Null(session.DocumentName);
        Assert.Equal(used, session.EndpointUrl);
    }

    [Fact]
    public void An_SSH_document_is_known_by_its_name() =>
        Assert.True(Session([Response, "eu-west-1", "StartSession", "", """{"Target":"i-1","DocumentName":"AWS-StartSSHSession","Parameters":{"portNumber":["22"]}}""", ""]).IsSsh);

    [Theory]
    [InlineData("AWS_SSM_START_SESSION_RESPONSE", Input)]
    [InlineData("", Input)]
    [InlineData("{", Input)]
    [InlineData("[]", Input)]
    [InlineData("{}", Input)]
    [InlineData("secret-token", Input)]
    [InlineData("""{"SessionId":"s","TokenValue":"secret-token"}""", Input)]
    [InlineData("""{"SessionId":1,"TokenValue":"secret-token","StreamUrl":"u"}""", Input)]
    [InlineData(Response, "{")]
    [InlineData(Response, "[]")]
    [InlineData(Response, "7")]
    public void What_cannot_be_used_fails_with_exit_code_1_and_without_the_token(string response, string input)
    {
        var text = Answered([response, "eu-west-1", "StartSession", "", input, ""], 1);

        Assert.StartsWith("Cannot perform start session: ", text, StringComparison.Ordinal);
        if (response != "secret-token")
            Assert.DoesNotContain("secret-token", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SessionEndKind.Local, "", "Exiting session with sessionId: s-1.", 0)]
    [InlineData(SessionEndKind.Closed, "", "Exiting session with sessionId: s-1.", 0)]
    [InlineData(SessionEndKind.Closed, "Unable to connect to specified port", "SessionId: s-1 : Unable to connect to specified port", 1)]
    [InlineData(SessionEndKind.Lost, "", "Session: s-1 timed out.", 1)]
    [InlineData(SessionEndKind.Failed, "bad handshake", "Cannot perform start session: bad handshake", 1)]
    public void The_last_words_are_those_that_others_look_for_and_a_failure_is_not_exit_code_0(SessionEndKind kind, string words, string line, int code)
    {
        using var output = new StringWriter { NewLine = "\n" };

        Assert.Equal(code, PluginProgram.Finish("s-1", new SessionEnd(kind, words), output));

        Assert.Contains($"\n{line}\n", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("session-manager-plugin", true)]
    [InlineData("/usr/local/bin/session-manager-plugin", true)]
    [InlineData("./session-manager-plugin", true)]
    [InlineData("session-manager-plugin.exe", true)]
    [InlineData(@"C:\bin\session-manager-plugin.exe", true)]
    [InlineData("fumidai", false)]
    [InlineData("/opt/session-manager-plugin/fumidai", false)]
    [InlineData("session-manager-plugin2", false)]
    [InlineData("", false)]
    public void The_name_it_is_called_by_decides(string name, bool plugin) => Assert.Equal(plugin, CalledAs.IsPluginName(name));

    private static PluginInvocation.Session Session(string[] arguments, params (string Name, string Value)[] environment) =>
        Assert.IsType<PluginInvocation.Session>(PluginInvocation.Read(arguments, name => environment.FirstOrDefault(v => v.Name == name).Value));

    private static string Answered(string[] arguments, int code)
    {
        using var output = new StringWriter { NewLine = "\n" };
        Assert.Equal(code, PluginProgram.Answer(PluginInvocation.Read(arguments, _ => null), output));
        return output.ToString();
    }
}
