using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>The cheapest architecture: no public address, no NAT, no paid endpoint.</summary>
public sealed class EiceStackJourneys
{
    [Fact]
    public async Task A_stack_behind_an_endpoint_is_built_used_and_taken_down()
    {
        await using var lab = new RunningLab { IsEmpty = true };
        await lab.InitializeAsync();
        var config = Path.Combine(lab.Environment["HOME"], "fumidai.yaml");
        await File.WriteAllTextAsync(config, "", TestContext.Current.CancellationToken);

        var up = await lab.FumidaiAsync("up", "--pattern", "eice", "--yes", "--config", config);
        Assert.True(up.ExitCode == 0, up.ToString());
        var connect = await lab.FumidaiAsync("connect", "fumidai", "--config", config, "--", "-XAtc", "select 40 + 2");
        Assert.True(connect.ExitCode == 0, connect.ToString());
        Assert.Equal("42", connect.Output.Trim());
        Assert.Contains("via eice i-", connect.Error, StringComparison.Ordinal);

        var down = await lab.FumidaiAsync("down", "--yes", "--config", config);
        Assert.True(down.ExitCode == 0, down.ToString());
    }
}
