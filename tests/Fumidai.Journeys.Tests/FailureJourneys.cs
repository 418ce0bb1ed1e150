using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>Things broken with the aws CLI, as a person would break them, and mended again.</summary>
public sealed class FailureJourneys(RunningLab lab)
{
    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task A_stopped_database_is_named_and_comes_back_without_touching_the_tunnel(string route)
    {
        var (tunnel, port) = await lab.TunnelAsync(route);
        await using var _ = tunnel;
        var environment = await lab.PgEnvironmentAsync(port);
        await lab.AwsAsync("rds", "stop-db-cluster", "--db-cluster-identifier", "app");
        try
        {
            await lab.UntilAsync("stopped", "rds", "describe-db-clusters", "--db-cluster-identifier", "app", "--query", "DBClusters[0].Status", "--output", "text");
            var connect = await lab.FumidaiAsync("connect", "cluster/app", "--via", route, "--", "-XAtc", "select 1");
            Assert.Equal(6, connect.ExitCode);
            AssertOneLine(connect, "stopped");
            var through = await Command.RunAsync(environment, "psql", "-XAtc", "select 1");
            Assert.Equal(2, through.ExitCode);
        }
        finally
        {
            await lab.AwsAsync("rds", "start-db-cluster", "--db-cluster-identifier", "app");
            await lab.UntilAsync("available", "rds", "describe-db-clusters", "--db-cluster-identifier", "app", "--query", "DBClusters[0].Status", "--output", "text");
        }
        var again = await Command.RunAsync(environment, "psql", "-XAtc", "select 1");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task A_removed_security_group_rule_hangs_new_connections_and_spares_the_open_ones(string route)
    {
        var (tunnel, port) = await lab.TunnelAsync(route);
        await using var _ = tunnel;
        var environment = await lab.PgEnvironmentAsync(port);
        await using var open = Command.Start(environment, "psql", "-XAt");
        await open.TypeAsync("select 'before';\n");
        await open.OutputLineAsync("before");

        var group = await lab.AwsAsync("rds", "describe-db-clusters", "--db-cluster-identifier", "app", "--query", "DBClusters[0].VpcSecurityGroups[0].VpcSecurityGroupId", "--output", "text");
        var permissions = await lab.AwsAsync("ec2", "describe-security-groups", "--group-ids", group, "--query", "SecurityGroups[0].IpPermissions", "--output", "json");
        await lab.AwsAsync("ec2", "revoke-security-group-ingress", "--group-id", group, "--ip-permissions", permissions);
        try
        {
            var connect = await lab.FumidaiAsync("connect", "cluster/app", "--via", route, "--", "-XAtc", "select 1");
            Assert.Equal(6, connect.ExitCode);
            AssertOneLine(connect, "does not answer");
            await open.TypeAsync("select 'after';\n");
            await open.OutputLineAsync("after");
        }
        finally
        {
            await lab.AwsAsync("ec2", "authorize-security-group-ingress", "--group-id", group, "--ip-permissions", permissions);
        }
        var again = await Command.RunAsync(environment, "psql", "-XAtc", "select 1");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Theory]
    [InlineData("ssm", 6)]
    [InlineData("ssh", 0)]
    public async Task A_removed_endpoint_takes_the_private_bastion_away_and_not_the_public_one(string route, int expected)
    {
        var endpoint = await lab.AwsAsync("ec2", "describe-vpc-endpoints", "--filters", "Name=service-name,Values=com.amazonaws.ap-northeast-1.ssmmessages",
            "--query", "VpcEndpoints[0].[VpcEndpointId,VpcId,join(' ',SubnetIds),join(' ',Groups[].GroupId)]", "--output", "text");
        var parts = endpoint.Split('\t');
        await lab.AwsAsync("ec2", "delete-vpc-endpoints", "--vpc-endpoint-ids", parts[0]);
        try
        {
            var connect = await lab.FumidaiAsync("connect", "cluster/app", "--via", route, "--", "-XAtc", "select 1");
            Assert.True(connect.ExitCode == expected, connect.ToString());
            if (expected != 0)
                AssertOneLine(connect, "i-");
        }
        finally
        {
            await lab.AwsAsync(["ec2", "create-vpc-endpoint", "--vpc-endpoint-type", "Interface", "--service-name", "com.amazonaws.ap-northeast-1.ssmmessages", "--private-dns-enabled",
                "--vpc-id", parts[1], "--subnet-ids", .. parts[2].Split(' '), "--security-group-ids", .. parts[3].Split(' ')]);
            // An agent that lost its way out sleeps; a reboot wakes it, in the lab as on AWS.
            var instances = await lab.AwsAsync("ec2", "describe-instances", "--query", "Reservations[].Instances[?PublicIpAddress==null].InstanceId[]", "--output", "text");
            await lab.AwsAsync(["ec2", "reboot-instances", "--instance-ids", .. instances.Split('\t')]);
            await lab.UntilAsync("connected", "ssm", "get-connection-status", "--target", instances.Split('\t')[0], "--query", "Status", "--output", "text");
        }
        var again = await lab.FumidaiAsync("connect", "cluster/app", "--via", route, "--", "-XAtc", "select 1");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task A_taken_local_port_is_an_error_that_names_its_holder(string route)
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        var connect = await lab.FumidaiAsync("connect", "cluster/app", "--via", route, "--port", port, "--", "-XAtc", "select 1");

        Assert.Equal(1, connect.ExitCode);
        AssertOneLine(connect, port);
        Assert.Contains(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), connect.Error, StringComparison.Ordinal);
    }

    private static void AssertOneLine(Finished finished, string text)
    {
        Assert.Empty(finished.Output);
        var line = Assert.Single(finished.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), l => l.StartsWith("fumidai: ", StringComparison.Ordinal));
        Assert.Contains(text, line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", finished.Error, StringComparison.Ordinal);
    }
}
