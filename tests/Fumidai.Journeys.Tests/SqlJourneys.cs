using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>SQL with no network path at all: over the lab's Data API.</summary>
public sealed class SqlJourneys(RunningLab lab)
{
    [Fact]
    public async Task A_script_needs_neither_bastion_nor_client_and_only_results_are_on_stdout()
    {
        var arn = (await lab.AwsAsync("rds", "describe-db-clusters", "--query", "DBClusters[?DBClusterIdentifier=='app'].DBClusterArn", "--output", "text")).Trim();
        await lab.AwsAsync("rds", "disable-http-endpoint", "--resource-arn", arn);
        var off = await lab.FumidaiAsync("sql", "cluster/app", "-c", "select 1");
        Assert.Equal(6, off.ExitCode);
        Assert.Contains("aws rds enable-http-endpoint", off.Error, StringComparison.Ordinal);

        await lab.AwsAsync("rds", "enable-http-endpoint", "--resource-arn", arn);
        var rows = await lab.FumidaiAsync("sql", "cluster/app", "--format", "csv", "--param", "m=12:money", "-c",
            "create table sql_journey(a int); insert into sql_journey values (1), (2) returning *; select :m as m, point(1,2) p, '{{1},{2}}'::int[] a, null n, '' e, (7, 'x')::text r");
        Assert.True(rows.ExitCode == 0, rows.ToString());
        Assert.Equal("a\n1\n2\nm,p,a,n,e,r\n$12.00,\"(1,2)\",\"{{1},{2}}\",,\"\",\"(7,x)\"\n", rows.Output);

        var large = await lab.FumidaiAsync("sql", "cluster/app", "--format", "ndjson", "-c", "select g, repeat('é', 1000) t from generate_series(1, 3000) g");
        Assert.True(large.ExitCode == 0, large.Error);
        Assert.Equal(3000, large.Output.Count(c => c == '\n'));
        Assert.EndsWith("}\n", large.Output, StringComparison.Ordinal);

        var failed = await lab.FumidaiAsync("sql", "cluster/app", "--single-transaction", "-c", "delete from sql_journey; select nope");
        Assert.Equal(1, failed.ExitCode);
        Assert.Equal("", failed.Output);
        Assert.Contains("ERROR 42703: column \"nope\" does not exist (at character 8)", failed.Error, StringComparison.Ordinal);
        Assert.Equal("[{\"count\":2}]\n", (await lab.FumidaiAsync("sql", "cluster/app", "--format", "json", "-c", "select count(*) from sql_journey")).Output);
    }
}
