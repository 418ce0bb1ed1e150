using Xunit;

namespace Fumidai.Tests;

public sealed class TargetTests
{
    [Theory]
    [InlineData("cluster/app", "cluster app")]
    [InlineData("cluster/App-1", "cluster app-1")]
    [InlineData("instance/db", "instance db")]
    [InlineData("host/redis.local:6379", "host redis.local:6379")]
    [InlineData("host/[fd00::1]:5432", "host [fd00::1]:5432")]
    public void A_target_is_read_in_its_three_forms(string text, string meaning) => Assert.Equal(meaning, TargetName.Parse(text) switch
    {
        TargetName.Cluster c => $"cluster {c.Id}",
        TargetName.Instance i => $"instance {i.Id}",
        TargetName.Host h => $"host {h.Address}",
        _ => "?",
    });

    [Theory]
    [InlineData("app")]
    [InlineData("cluster/")]
    [InlineData("cluster/-x")]
    [InlineData("cluster/a b")]
    [InlineData("host/x")]
    [InlineData("host/:1")]
    [InlineData("host/x:0")]
    [InlineData("host/x:99999")]
    [InlineData("host/fd00::1:5432")]
    [InlineData("host/a/b:1")]
    [InlineData("bucket/x")]
    public void Anything_else_is_refused(string text) => Assert.Throws<FormatException>(() => TargetName.Parse(text));

    private static Settings With(params (string Name, string Target)[] targets) => Requests.Settings() with
    {
        File = "/x/fumidai.yaml",
        Targets = targets.ToDictionary(t => t.Name, t => new TargetSettings { Name = t.Name, Target = t.Target }),
    };

    private static Task<Target> Find(Settings settings, string? name) =>
        TargetCatalog.FindAsync(null!, settings, name, TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_host_needs_no_question_to_AWS_and_is_PostgreSQL_by_its_port()
    {
        var target = await Find(With(), "host/db.internal:5432");
        Assert.Equal(("host/db.internal:5432", new HostPort("db.internal", 5432), true), (target.Name, target.Address, target.IsPostgres));
        Assert.False((await Find(With(), "host/redis:6379")).IsPostgres);
    }

    [Fact]
    public async Task A_name_of_the_file_wins_and_carries_its_entry()
    {
        var target = await Find(With(("db", "host/h:5432")), "db");
        Assert.Equal(("db", "db"), (target.Name, target.Settings?.Name));
    }

    [Fact]
    public async Task Without_a_name_the_only_target_of_the_file_is_meant() =>
        Assert.Equal("db", (await Find(With(("db", "host/h:5432")), null)).Name);

    [Fact]
    public async Task Without_a_name_several_targets_are_listed()
    {
        var e = await Assert.ThrowsAsync<FumidaiException>(() => Find(With(("a", "host/h:1"), ("b", "host/h:2")), ""));
        Assert.Equal(Reason.Usage, e.Reason);
        Assert.Contains("a, b", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_name_is_not_found_and_a_malformed_one_is_usage()
    {
        var unknown = await Assert.ThrowsAsync<FumidaiException>(() => Find(With(("a", "host/h:1")), "app"));
        Assert.Equal(Reason.NotFound, unknown.Reason);
        Assert.Contains("cluster/app", unknown.Message, StringComparison.Ordinal);
        Assert.Equal(Reason.Usage, (await Assert.ThrowsAsync<FumidaiException>(() => Find(With(), "host/h"))).Reason);
    }
}
