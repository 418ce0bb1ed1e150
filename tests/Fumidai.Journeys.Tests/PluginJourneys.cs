using System.Globalization;
using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>Those who stay with the AWS CLI: our binary under the name session-manager-plugin, started by the real <c>aws ssm start-session</c>.</summary>
public sealed class PluginJourneys(RunningLab lab)
{
    [Fact]
    public async Task The_aws_CLI_forwards_a_port_to_the_database_through_our_plugin()
    {
        var environment = await WithPluginAsync();
        var host = await lab.AwsAsync("rds", "describe-db-clusters", "--db-cluster-identifier", "app", "--query", "DBClusters[0].Endpoint", "--output", "text");
        await using var session = Command.Start(environment, "aws", "ssm", "start-session", "--target", await PrivateBastionAsync(),
            "--document-name", "AWS-StartPortForwardingSessionToRemoteHost", "--parameters", $$"""{"host":["{{host}}"],"portNumber":["5432"],"localPortNumber":["0"]}""");
        var opened = await session.OutputLineAsync("opened for sessionId");
        var port = int.Parse(opened.Split(' ')[1], CultureInfo.InvariantCulture);
        await session.OutputLineAsync("Waiting for connections...");

        var psql = await Command.RunAsync(await lab.PgEnvironmentAsync(port), "psql", "-XAtc", "select 40 + 2");

        Assert.True(psql.ExitCode == 0, psql.ToString());
        Assert.Equal("42\n", psql.Output);
    }

    [Fact]
    public async Task A_shell_through_the_aws_CLI_has_a_terminal_and_passes_Ctrl_C()
    {
        var environment = await WithPluginAsync();
        await using var shell = Command.Start(environment, "script", "-qefc", "aws ssm start-session --target " + await PrivateBastionAsync(), "/dev/null");
        await shell.OutputLineAsync("Starting session with SessionId:");

        await shell.TypeAsync("test -t 0 && echo a-terminal-$((40 + 2))\r");
        await shell.OutputLineAsync("a-terminal-42");
        // Said by the process that is to be interrupted: between two commands the shell itself would take the signal.
        await shell.TypeAsync("sh -c 'echo sleeping-$((40 + 3)); exec sleep 1000'\r");
        await shell.OutputLineAsync("sleeping-43");
        await shell.TypeAsync("\x03");
        await shell.TypeAsync("echo awake-$((40 + 4))\r");
        await shell.OutputLineAsync("awake-44");
        await shell.TypeAsync("exit\r");

        Assert.Equal(0, (await shell.FinishAsync()).ExitCode);
    }

    [Fact]
    public async Task A_session_that_fails_ends_the_aws_CLI_with_an_error()
    {
        var environment = await WithPluginAsync();

        var finished = await Command.RunAsync(environment, "aws", "ssm", "start-session", "--target", await PrivateBastionAsync(),
            "--document-name", "AWS-StartPortForwardingSessionToRemoteHost", "--parameters", """{"host":["no.such.name.internal"],"portNumber":["5432"],"localPortNumber":["0"]}""");

        Assert.NotEqual(0, finished.ExitCode);
        Assert.Contains("no.such.name.internal", finished.ToString(), StringComparison.Ordinal);
    }

    private async Task<Dictionary<string, string>> WithPluginAsync()
    {
        var folder = Path.Combine(lab.Environment["HOME"], "bin");
        var installed = await lab.FumidaiAsync("plugin", "install", "--dir", folder);
        Assert.True(installed.ExitCode == 0, installed.ToString());
        return new(lab.Environment, StringComparer.Ordinal) { ["PATH"] = folder + ":" + Environment.GetEnvironmentVariable("PATH") };
    }

    private Task<string> PrivateBastionAsync() =>
        lab.AwsAsync("ec2", "describe-instances", "--query", "Reservations[].Instances[?PublicIpAddress==null].InstanceId[] | [0]", "--output", "text");
}
