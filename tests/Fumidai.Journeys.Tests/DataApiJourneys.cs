using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>The real psql, pg_dump and pgbench with no network path: over the lab's Data API.</summary>
public sealed class DataApiJourneys(RunningLab lab)
{
    private const string Schema = """
        create schema dapi; set search_path = dapi;
        create type mood as enum ('sad', 'so so'); create type pair as (a int, b text); create domain pos as int check (value > 0);
        create table p (id int generated always as identity, at date, m mood, c pair, r int4range, arr text[], j jsonb, d pos, mo money) partition by range (at);
        create table p1 partition of p default;
        insert into p(at, m, c, r, arr, j, d, mo) select date '2020-01-01' + g, 'so so', row(g, E'q"\\t,' || g)::pair, int4range(g, g + 5), array['a\b', null, ''], '{"u":"é"}', g + 1, g::int::money from generate_series(0, 99) g;
        create table "Odd ""name" ("a b" int, bt bit(4), v varchar(5), t text); insert into "Odd ""name" values (1, '1010', '', E'l\nb\\ \t'), (2, null, null, '\N');
        create view v as select id, m from p; comment on table p is 'it''s'; grant select on p to public;
        """;

    [Fact]
    public async Task Psql_and_pg_dump_see_what_they_see_over_a_tunnel_and_a_transaction_is_one()
    {
        var arn = await lab.AwsAsync("rds", "describe-db-clusters", "--query", "DBClusters[?DBClusterIdentifier=='app'].DBClusterArn", "--output", "text");
        await lab.AwsAsync("rds", "enable-http-endpoint", "--resource-arn", arn);
        var tunnel = lab.Fumidai("tunnel", "cluster/app", "--via", "data-api", "--trust-loopback");
        var port = (await tunnel.OutputLineAsync("Listening on ")).Split(' ')[2].Split(':')[^1];
        var here = new Dictionary<string, string>(lab.Environment, StringComparer.Ordinal) { ["PGHOST"] = "127.0.0.1", ["PGPORT"] = port, ["PGUSER"] = "postgres", ["PGDATABASE"] = "app" };
        var direct = lab.Direct(await lab.PgEnvironmentAsync(0));
        var made = await Command.RunAsync(here, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", Schema);
        Assert.True(made.ExitCode == 0, made.ToString());

        string[][] runs =
        [
            ["psql", "-X", "-c", "\\d dapi.*", "-c", "\\dT+ dapi.*", "-c", "\\dp dapi.*", "-c", "\\l", "-c", "\\du", "-c", "\\dd dapi.*", "-c", "select * from dapi.p order by id limit 3", "-c", "select nope"],
            ["pg_dump", "--restrict-key=same", "-n", "dapi"],
            ["psql", "-X", "-A", "-c", "begin", "-c", "delete from dapi.p", "-c", "savepoint s", "-c", "select 1/0", "-c", "select 1", "-c", "rollback to s", "-c", "select count(*) from dapi.p", "-c", "rollback", "-c", "select count(*) from dapi.p"],
        ];
        foreach (var run in runs)
        {
            var (through, beside) = (await Command.RunAsync(here, run[0], run[1..]), await Command.RunAsync(direct, run[0], run[1..]));
            Assert.Equal(beside.Output, through.Output);
            Assert.Equal(beside.Error, through.Error);
        }
        var file = Path.Combine(here["HOME"], "dapi.csv");
        var copied = await Command.RunAsync(here, "psql", "-X", "-At", "-c", "create table dapi.copied (like dapi.p)", "-c", $"\\copy (select * from dapi.p) to '{file}' csv header", "-c", $"\\copy dapi.copied from '{file}' csv header",
            "-c", "select count(*) from (table dapi.p except table dapi.copied) x", "-c", "select length(repeat('é', 100000)), repeat('w', 100000) like 'www%'", "-c", "listen x");
        Assert.Equal("CREATE TABLE\nCOPY 100\nCOPY 100\n0\n100000|t\n", copied.Output);
        Assert.Contains("LISTEN is not possible over the Data API", copied.Error, StringComparison.Ordinal);
        Assert.Equal("", (await Command.RunAsync(here, "psql", "-X", "-q", "-c", "drop schema dapi cascade")).Error);
        await tunnel.DisposeAsync();
    }
}
