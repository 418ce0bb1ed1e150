using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>From nothing to a database behind a jump box and back, by the real AWS CLI in a lab with real servers.</summary>
public sealed class StackJourneyTests
{
    private static readonly string? s_aws = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(d => Path.Combine(d, "aws")).FirstOrDefault(File.Exists);

    [Fact]
    public async Task The_aws_cli_deploys_a_foreign_template_a_session_reaches_its_database_and_deletion_leaves_nothing()
    {
        Assert.SkipWhen(s_aws is null, "The aws CLI is not on PATH.");
        await using var lab = await RelayFixture.StartAsync(empty: true);
        var file = Path.Combine(lab.Context.Directory, "foreign.yaml");
        await File.WriteAllTextAsync(file, ForeignTemplate.Whole, TestContext.Current.CancellationToken);
        var before = lab.Context.Model.Read(Count);
        string[] deploy = ["cloudformation", "deploy", "--template-file", file, "--stack-name", "depot", "--capabilities", "CAPABILITY_IAM", "--tags", "team=blue", "--parameter-overrides", "Block=10.77.0.0/16", "--no-fail-on-empty-changeset"];
        var planned = await CliAsync(lab, [.. deploy, "--no-execute-changeset"]);
        await CliAsync(lab, "cloudformation", "execute-change-set", "--change-set-name", planned.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[^1]);
        await SettledAsync(lab, "depot");
        Assert.Contains("No changes to deploy", await CliAsync(lab, deploy), StringComparison.Ordinal);
        var stack = JsonDocument.Parse(await CliAsync(lab, "cloudformation", "describe-stacks", "--stack-name", "depot")).RootElement.GetProperty("Stacks")[0];
        var outputs = stack.GetProperty("Outputs").EnumerateArray().ToDictionary(o => o.GetProperty("OutputKey").GetString()!, o => o.GetProperty("OutputValue").GetString()!);
        Assert.StartsWith("10.77.0.", outputs["BoxAddress"], StringComparison.Ordinal);
        var events = JsonDocument.Parse(await CliAsync(lab, "cloudformation", "describe-stack-events", "--stack-name", "depot")).RootElement.GetProperty("StackEvents");
        Assert.Equal("CREATE_COMPLETE", events[0].GetProperty("ResourceStatus").GetString());

        var control = new SignedControl(lab);
        var ticket = await control.StartAsync(outputs["BoxId"], "AWS-StartPortForwardingSessionToRemoteHost", $$"""{"host":["{{outputs["Host"]}}"],"portNumber":["5432"]}""");
        await using (var client = await PortSessionTests.StartAsync(lab, ticket))
        await using (var stream = await client.OpenStreamAsync(ServerFixture.Limit))
        {
            await stream.Output.WriteAsync(PortSessionTests.SslRequest, ServerFixture.Limit);
            Assert.Equal((byte)'S', await PortSessionTests.ReadByteAsync(stream));
        }

        await CliAsync(lab, "cloudformation", "delete-stack", "--stack-name", "depot");
        var id = stack.GetProperty("StackId").GetString()!;
        await SettledAsync(lab, id);
        await CliAsync(lab, "cloudformation", "wait", "stack-delete-complete", "--stack-name", id);
        Assert.Equal(before, lab.Context.Model.Read(Count));
        Assert.Empty(JsonDocument.Parse(await CliAsync(lab, "resourcegroupstaggingapi", "get-resources", "--tag-filters", "Key=team,Values=blue")).RootElement.GetProperty("ResourceTagMappingList").EnumerateArray());
        Assert.DoesNotContain(lab.Plane.Describe(), l => l.StartsWith("PostgreSQL", StringComparison.Ordinal) || l.StartsWith("agent", StringComparison.Ordinal));
    }

    private static int Count(LabModel m) => m.Vpcs.Count + m.Subnets.Count + m.SecurityGroups.Count + m.RouteTables.Count + m.Endpoints.Count + m.DbClusters.Count + m.DbInstances.Count + m.DbSubnetGroups.Count
        + m.Roles.Values.Count(r => r.Path == "/") + m.InstanceProfiles.Count + m.Secrets.Count + m.Instances.Values.Count(i => i.State != "terminated");

    // The cli's own waiters look every 30 s; one of its calls takes long enough to be a pace of its own.
    private static async Task SettledAsync(RelayFixture lab, string stack)
    {
        while ((await CliAsync(lab, "cloudformation", "describe-stacks", "--stack-name", stack, "--query", "Stacks[0].StackStatus")).Contains("IN_PROGRESS", StringComparison.Ordinal))
        {
        }
    }

    private static async Task<string> CliAsync(RelayFixture lab, params string[] arguments)
    {
        var start = new ProcessStartInfo(s_aws!) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in (string[])["--output", "json", .. arguments])
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in lab.Host.Environment)
            start.Environment[name] = value;
        start.Environment["AWS_CONFIG_FILE"] = start.Environment["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(lab.Context.Directory, "none");
        start.Environment.Remove("AWS_PROFILE");
        start.Environment.Remove("AWS_SESSION_TOKEN");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"aws {string.Join(' ', arguments)}: {await error}{await output}");
        return await output;
    }
}
