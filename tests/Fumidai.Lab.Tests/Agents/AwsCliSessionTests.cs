using System.Text.Json;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>Session Manager and EC2 Instance Connect as the real AWS CLI reads them.</summary>
public sealed class AwsCliSessionTests
{
    [Fact]
    public async Task The_aws_cli_lists_managed_instances_asks_for_sessions_and_pushes_keys()
    {
        Assert.SkipWhen(Programs.Find("aws") is null, "the AWS CLI is not installed");
        await using var lab = await RelayFixture.StartAsync(empty: false);
        var seed = SeedParts.Of(lab);

        var listed = await AwsAsync(lab, "ssm", "describe-instance-information", "--filters", $"Key=InstanceIds,Values={seed.Bastion.Id}", "--max-items", "5");
        var one = listed.GetProperty("InstanceInformationList").EnumerateArray().Single();
        Assert.Equal((seed.Bastion.Id, "Online", seed.Bastion.AgentVersion), (one.GetProperty("InstanceId").GetString(), one.GetProperty("PingStatus").GetString(), one.GetProperty("AgentVersion").GetString()));
        Assert.Equal("connected", (await AwsAsync(lab, "ssm", "get-connection-status", "--target", seed.Bastion.Id)).GetProperty("Status").GetString());
        Assert.Equal("notconnected", (await AwsAsync(lab, "ssm", "get-connection-status", "--target", "i-00000000000000000")).GetProperty("Status").GetString());
        var ticket = await new SignedControl(lab).StartAsync(seed.Bastion.Id, "AWS-StartSSHSession", """{"portNumber":["22"]}""");
        var active = (await AwsAsync(lab, "ssm", "describe-sessions", "--state", "Active", "--filters", $"key=Target,value={seed.Bastion.Id}")).GetProperty("Sessions").EnumerateArray().Single();
        Assert.Equal((ticket.SessionId, "AWS-StartSSHSession"), (active.GetProperty("SessionId").GetString(), active.GetProperty("DocumentName").GetString()));
        await AwsAsync(lab, "ssm", "terminate-session", "--session-id", ticket.SessionId);
        Assert.Equal("Terminated", (await AwsAsync(lab, "ssm", "describe-sessions", "--state", "History")).GetProperty("Sessions")[0].GetProperty("Status").GetString());
        var document = await AwsAsync(lab, "ssm", "get-document", "--name", "AWS-StartPortForwardingSessionToRemoteHost");
        using (var content = JsonDocument.Parse(document.GetProperty("Content").GetString()!))
            Assert.Equal("Port", content.RootElement.GetProperty("sessionType").GetString());
        Assert.StartsWith("ami-", (await AwsAsync(lab, "ssm", "get-parameter", "--name", "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64")).GetProperty("Parameter").GetProperty("Value").GetString(), StringComparison.Ordinal);

        foreach (var (code, arguments) in (IEnumerable<(string, string[])>)
        [
            ("TargetNotConnected", ["ssm", "start-session", "--target", "i-00000000000000000"]),
            ("InvalidDocument", ["ssm", "start-session", "--target", seed.Bastion.Id, "--document-name", "No-Such-Document"]),
            ("ValidationException", ["ssm", "start-session", "--target", seed.Bastion.Id, "--document-name", "AWS-StartPortForwardingSession", "--parameters", "portNumber=99999"]),
            ("ValidationException", ["ssm", "start-session", "--target", seed.Bastion.Id, "--document-name", "AWS-StartPortForwardingSession", "--parameters", "host=db"]),
            ("DoesNotExistException", ["ssm", "resume-session", "--session-id", ticket.SessionId]),
            ("InvalidDocument", ["ssm", "get-document", "--name", "SSM-SessionManagerRunShell"]),
            ("ParameterNotFound", ["ssm", "get-parameter", "--name", "/none"]),
            ("InvalidFilterKey", ["ssm", "describe-instance-information", "--filters", "Key=Nonsense,Values=x"]),
            ("EC2InstanceNotFoundException", ["ec2-instance-connect", "send-ssh-public-key", "--instance-id", "i-00000000000000000", "--instance-os-user", "ec2-user", "--ssh-public-key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"]),
        ])
        {
            var (exit, _, error) = await RunAsync(lab, arguments);
            Assert.NotEqual(0, exit);
            Assert.Contains($"({code})", error, StringComparison.Ordinal);
        }
    }

    private static async Task<JsonElement> AwsAsync(RelayFixture lab, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(lab, arguments);
        Assert.True(code == 0, error);
        if (output.Length == 0)
            return default;
        using var json = JsonDocument.Parse(output);
        return json.RootElement.Clone();
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(RelayFixture lab, string[] arguments) =>
        ForeignProgram.RunAsync(Programs.Find("aws")!, ["--output", "json", .. arguments], lab.Host.Environment.Append(new("AWS_EC2_METADATA_DISABLED", "true")).Append(new("AWS_PAGER", "")).ToDictionary());
}
