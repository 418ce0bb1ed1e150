using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class CommandLineTests
{
    [Fact]
    public void Connect_takes_a_target_every_option_and_the_client_s_words_untouched()
    {
        var command = Parse<ConnectCommand>(
            "connect", "cluster/app", "--via", "ssm", "--bastion", "tag:Name=jump", "--identity", "~/.ssh/id", "--port", "15432", "--secret", "s", "--user", "u", "--database", "d",
            "--ca-file", "ca.pem", "--profile", "p", "--region", "ap-northeast-1", "--endpoint-url", "http://127.0.0.1:1", "--config", "f.yaml", "--json", "--quiet", "--verbose", "--yes",
            "--", "-c", "select 1", "--", "--port", "@x", "");

        Assert.Equal("cluster/app", command.Target);
        Assert.Equal(
            new CommandLineSettings
            {
                Via = "ssm",
                Bastion = "tag:Name=jump",
                Identity = "~/.ssh/id",
                Port = 15432,
                Secret = "s",
                User = "u",
                Database = "d",
                CaFile = "ca.pem",
                Profile = "p",
                Region = "ap-northeast-1",
                EndpointUrl = "http://127.0.0.1:1",
                Config = "f.yaml",
            },
            command.Settings);
        Assert.Equal(new OutputMode(Json: true, Quiet: true, Verbose: true), command.Output);
        Assert.True(command.Yes);
        Assert.Equal(["-c", "select 1", "--", "--port", "@x", ""], command.ClientArguments);
    }

    [Fact]
    public void Without_options_nothing_is_said_and_the_environment_and_the_file_decide()
    {
        var command = Parse<ConnectCommand>("connect");

        Assert.Null(command.Target);
        Assert.Equal(new CommandLineSettings(), command.Settings);
        Assert.Equal(default, command.Output);
        Assert.Empty(command.ClientArguments);
    }

    [Fact]
    public void Words_after_two_dashes_are_never_the_target()
    {
        var command = Parse<ConnectCommand>("connect", "--", "-c", "select 1");

        Assert.Null(command.Target);
        Assert.Equal(["-c", "select 1"], command.ClientArguments);
    }

    [Theory]
    [InlineData("connect", "--port", "1", "app")]
    [InlineData("connect", "app", "--port", "1")]
    [InlineData("connect", "app", "--port=1")]
    [InlineData("connect", "--port:1", "app")]
    public void Options_may_stand_before_or_after_the_target_and_hold_their_value_by_an_equals_sign(params string[] words)
    {
        var command = Parse<ConnectCommand>(words);

        Assert.Equal("app", command.Target);
        Assert.Equal(1, command.Settings.Port);
    }

    [Theory]
    [InlineData("connect")]
    [InlineData("fumidai")]
    [InlineData("verb")]
    [InlineData("TARGET")]
    [InlineData("Fumidai.Cli")]
    [InlineData("@app")]
    [InlineData("[suggest]")]
    public void A_target_may_be_called_like_anything_of_ours(string name) =>
        Assert.Equal(name, Parse<ConnectCommand>("connect", name).Target);

    [Fact]
    public void Tunnel_takes_several_targets()
    {
        var command = Parse<TunnelCommand>("tunnel", "app", "host/10.0.1.7:6379", "cluster/reports", "--json");

        Assert.Equal(["app", "host/10.0.1.7:6379", "cluster/reports"], command.Targets);
        Assert.True(command.Output.Json);
    }

    [Fact]
    public void Exec_takes_one_target_and_a_command()
    {
        var command = Parse<ExecCommand>("exec", "app", "--", "pg_dump", "-Fc");

        Assert.Equal("app", command.Target);
        Assert.Equal(["pg_dump", "-Fc"], command.Client);
    }

    [Fact]
    public void Lab_takes_its_options_and_perhaps_a_command()
    {
        var alone = Parse<LabCommand>("lab", "--port", "4566", "--directory", "d", "--accept-unsigned-channel", "--empty");
        var around = Parse<LabCommand>("lab", "--", "sh", "-c", "x");

        Assert.Equal(new LabCommand(default, PrintEnv: false, 4566, "d", AcceptUnsignedChannel: true, Empty: true, Lab.ServiceModel.Open, Lab.AgentPace.Open, null), alone);
        Assert.Equal(["sh", "-c", "x"], around.Client!);
        Assert.True(Parse<LabCommand>("lab", "--print-env").PrintEnv);
    }

    [Fact]
    public void Targets_and_plugin_install_take_theirs()
    {
        Assert.Equal("eu-west-1", Parse<TargetsCommand>("targets", "--region", "eu-west-1").Settings.Region);
        Assert.Equal(new PluginInstallCommand(default, "/x", Force: true), Parse<PluginInstallCommand>("plugin", "install", "--dir", "/x", "--force"));
    }

    [Theory]
    [InlineData("targets", true)]
    [InlineData("tunnel a", true)]
    [InlineData("connect a", false)]
    [InlineData("exec a -- ls", false)]
    [InlineData("lab", true)]
    [InlineData("lab -- sh", false)]
    public void Events_are_the_result_on_stdout_unless_a_client_owns_it(string line, bool onOutput) =>
        Assert.Equal(onOutput, Parse<ICommand>(line.Split(' ')).EventsOnOutput);

    [Fact]
    public void Alone_it_says_what_it_is_and_ends_well()
    {
        var text = Assert.IsType<Parsed.Text>(CommandLine.Parse([])).Content;

        Assert.Contains("fumidai connect TARGET", text, StringComparison.Ordinal);
        Assert.True(text.Split('\n').Length <= 8);
    }

    [Fact]
    public void The_version_is_one_line() =>
        Assert.Matches(@"^fumidai \d+\.\d+\.\d+$", Assert.IsType<Parsed.Text>(CommandLine.Parse(["--version"])).Content);

    private static T Parse<T>(params string[] words) where T : ICommand =>
        Assert.IsType<T>(Assert.IsType<Parsed.Command>(CommandLine.Parse(words)).Verb, exactMatch: false);
}
