using System.Text.RegularExpressions;
using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>Ssh inside an EC2 Instance Connect Endpoint, and inside a Session Manager session, to a bastion with no rule for us.</summary>
public sealed partial class EiceJourneys : IAsyncLifetime
{
    private readonly RunningLab _lab = new();
    private string _bastionGroup = "";
    private string _group = "";
    private string _subnet = "";

    public async ValueTask InitializeAsync()
    {
        await _lab.InitializeAsync();
        Assert.SkipUnless(Machine.Finds("aws"), "the aws CLI is not on PATH");
        var printed = await _lab.AwsAsync("ec2", "describe-instances", "--query", "Reservations[0].Instances[0].[SubnetId,SecurityGroups[0].GroupId,VpcId]", "--output", "text");
        if (printed.Split('\t') is not [var subnet, var group, var vpc])
            throw new InvalidOperationException(printed);
        (_subnet, _bastionGroup) = (subnet, group);
        _group = await _lab.AwsAsync("ec2", "create-security-group", "--group-name", "eice", "--description", "endpoint", "--vpc-id", vpc, "--query", "GroupId", "--output", "text");
        await _lab.AwsAsync("ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "22", "--source-group", _group);
    }

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    private async Task<string> EndpointAsync()
    {
        var id = await _lab.AwsAsync(
            "ec2", "create-instance-connect-endpoint", "--subnet-id", _subnet, "--security-group-ids", _group, "--no-preserve-client-ip",
            "--query", "InstanceConnectEndpoint.InstanceConnectEndpointId", "--output", "text");
        await _lab.UntilAsync("create-complete", "ec2", "describe-instance-connect-endpoints", "--query", "InstanceConnectEndpoints[0].State", "--output", "text");
        return id;
    }

    [Fact]
    public async Task Psql_and_fifty_connections_go_through_an_endpoint_which_auto_prefers_and_a_killed_sshd_is_survived()
    {
        await EndpointAsync();
        var one = await _lab.FumidaiAsync("connect", "cluster/app", "--", "-XAtc", "select 'through'");
        Assert.True(one.ExitCode == 0, one.ToString());
        Assert.Equal("through", one.Output.Trim());
        Assert.Matches(ReadyByEndpoint(), one.Error);

        var (tunnel, port) = await _lab.TunnelAsync("eice");
        await using var _ = tunnel;
        var environment = await _lab.PgEnvironmentAsync(port);
        var many = await Command.RunAsync(
            environment, "sh", "-c", "for i in $(seq 1 50); do psql -XAtc \"select pg_sleep(0.2), $i\" & done; wait");
        Assert.Equal(50, many.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count());

        foreach (var (pid, _) in Machine.Descendants(_lab.Process.Id).Where(p => p.Name == "sshd" && Machine.CommandLine(p.Pid).Contains("ec2-user", StringComparison.Ordinal)))
            Machine.Kill(pid);
        var again = await Command.RunAsync(environment, "psql", "-XAtc", "select 'again'");
        if (again.ExitCode != 0)
            again = await Command.RunAsync(environment, "psql", "-XAtc", "select 'again'"); // the first may have met the dying connection
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Fact]
    public async Task A_deleted_endpoint_makes_a_running_tunnel_switch_to_a_session_and_the_port_stays()
    {
        var endpoint = await EndpointAsync();
        var (tunnel, port) = await _lab.TunnelAsync("auto");
        await using var _ = tunnel;
        var environment = await _lab.PgEnvironmentAsync(port);

        await _lab.AwsAsync("ec2", "delete-instance-connect-endpoint", "--instance-connect-endpoint-id", endpoint);
        await tunnel.ErrorLineAsync("New connections to cluster/app go through ssm");
        var next = await Command.RunAsync(environment, "psql", "-XAtc", "select 'still'");

        Assert.True(next.ExitCode == 0, next.ToString());
        Assert.Equal("still", next.Output.Trim());
    }

    [Fact]
    public async Task After_the_endpoint_s_hour_its_connections_are_cut_with_the_reason_and_new_ones_go_on()
    {
        await EndpointAsync();
        var (tunnel, port) = await _lab.TunnelAsync("eice");
        await using var _ = tunnel;
        var environment = await _lab.PgEnvironmentAsync(port);
        await using var open = Command.Start(environment, "psql", "-XAt");
        await open.TypeAsync("select 'running';\n");
        await open.OutputLineAsync("running");

        using (var http = new HttpClient())
            (await http.PostAsync(new Uri($"{_lab.Environment["AWS_ENDPOINT_URL"]}/lab/clock?advance=3601"), null, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();

        await tunnel.ErrorLineAsync("maximum duration was reached");
        var next = await Command.RunAsync(environment, "psql", "-XAtc", "select 'next'");
        Assert.True(next.ExitCode == 0, next.ToString());
        await open.TypeAsync("select 'cut';\n");
        Assert.Equal(2, (await open.FinishAsync()).ExitCode);
    }

    [Fact]
    public async Task Ssh_with_no_rule_for_us_goes_inside_a_session_and_leaves_none()
    {
        var rules = await _lab.AwsAsync("ec2", "describe-security-groups", "--group-ids", _bastionGroup, "--query", "SecurityGroups[0].IpPermissions", "--output", "json");
        await _lab.AwsAsync("ec2", "revoke-security-group-ingress", "--group-id", _bastionGroup, "--ip-permissions", rules);

        var one = await _lab.FumidaiAsync("connect", "cluster/app", "--via", "ssh", "--", "-XAtc", "select 'inside'");

        Assert.True(one.ExitCode == 0, one.ToString());
        Assert.Equal("inside", one.Output.Trim());
        Assert.Contains("does not let", one.Error, StringComparison.Ordinal);
        await _lab.UntilAsync("[]", "ssm", "describe-sessions", "--state", "Active", "--query", "Sessions", "--output", "json");
    }

    [Fact]
    public async Task Without_an_endpoint_eice_says_what_is_missing_and_a_forbidden_route_is_not_opened()
    {
        var refused = await _lab.FumidaiAsync("connect", "cluster/app", "--via", "eice", "--", "-XAtc", "select 1");
        Assert.Equal(6, refused.ExitCode);
        Assert.Contains("has no EC2 Instance Connect Endpoint", refused.Error, StringComparison.Ordinal);

        var file = Path.Combine(_lab.Environment["HOME"], "forbid.yaml");
        await File.WriteAllTextAsync(file, "routes: {forbid: [ssm, eice]}\n", TestContext.Current.CancellationToken);
        var forbidden = await _lab.FumidaiAsync("connect", "cluster/app", "--via", "ssm", "--config", file, "--", "-XAtc", "select 1");
        Assert.Equal(6, forbidden.ExitCode);
        Assert.Contains("forbids it", forbidden.Error, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"via eice i-[0-9a-f]+ \([a-z0-9-]+\), the best way: private")]
    private static partial Regex ReadyByEndpoint();
}
