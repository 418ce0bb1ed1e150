using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>The whole mission on an empty account of the lab: build it, connect, take it down.</summary>
public sealed class StackJourneys
{
    [Fact]
    public async Task Up_builds_both_patterns_connect_reaches_the_database_by_both_routes_and_down_leaves_nothing()
    {
        await using var lab = new RunningLab { IsEmpty = true };
        await lab.InitializeAsync();
        var config = Path.Combine(lab.Environment["HOME"], "fumidai.yaml");
        await File.WriteAllTextAsync(config, "region: ap-northeast-1\n", TestContext.Current.CancellationToken);

        var up = await lab.FumidaiAsync("up", "--pattern", "both", "--yes", "--config", config);
        Assert.True(up.ExitCode == 0, up.ToString());
        foreach (var route in new[] { "ssm", "ssh" })
        {
            var connect = await lab.FumidaiAsync("connect", "fumidai", "--via", route, "--config", config, "--", "-XAtc", "select 40 + 2");
            Assert.True(connect.ExitCode == 0, connect.ToString());
            Assert.Equal("42\n", connect.Output);
        }
        var again = await lab.FumidaiAsync("up", "--pattern", "both", "--yes", "--config", config);
        Assert.True(again.ExitCode == 0, again.ToString());
        var down = await lab.FumidaiAsync("down", "--yes", "--config", config);
        Assert.True(down.ExitCode == 0, down.ToString());

        Assert.Equal("", await lab.AwsAsync("ec2", "describe-vpcs", "--query", "Vpcs[].VpcId", "--output", "text"));
        Assert.Equal("", await lab.AwsAsync("rds", "describe-db-clusters", "--query", "DBClusters[].DBClusterIdentifier", "--output", "text"));
        Assert.Equal("", await lab.AwsAsync("ec2", "describe-instances", "--query", "Reservations[].Instances[?State.Name!='terminated'][].InstanceId", "--output", "text"));
    }
}
