using System.Text.Json;
using Fumidai.Aws;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class JsonEventsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void An_event_is_one_line_with_version_time_name_members_and_text() =>
        Assert.Equal(
            """{"version":1,"time":"2026-11-24T12:00:00.000Z","event":"ready","target":"cluster/app","port":15432,"bastion":"i-0abc","text":"Listening on 127.0.0.1:15432 → cluster/app"}""",
            JsonEvents.Event(Noon, new TunnelEvent("ready", "Listening on 127.0.0.1:15432 → cluster/app", new Dictionary<string, string>
            {
                ["target"] = "cluster/app",
                ["port"] = "15432",
                ["bastion"] = "i-0abc",
            })));

    [Fact]
    public void Whatever_is_in_a_text_stays_one_line_and_valid_JSON()
    {
        const string Nasty = "a\nb\"\\\u0000\u001b</script>";

        var line = JsonEvents.Event(Noon, new TunnelEvent("degraded", Nasty, new Dictionary<string, string> { ["reason"] = Nasty }));

        Assert.DoesNotContain('\n', line);
        using var json = JsonDocument.Parse(line);
        Assert.Equal(Nasty, json.RootElement.GetProperty("text").GetString());
        Assert.Equal(Nasty, json.RootElement.GetProperty("reason").GetString());
    }

    [Fact]
    public void Targets_are_one_array_with_nulls_for_what_is_unknown()
    {
        var database = new Database { Kind = DatabaseKind.Cluster, Id = "app", Arn = "arn:x", Engine = "aurora-postgresql", Status = "creating" };

        Assert.Equal(
            """[{"name":"cluster/app","arn":"arn:x","engine":"aurora-postgresql","engine_version":null,"status":"creating","endpoint":null,"reader_endpoint":null,"port":null,"vpc":null,"database":null,"routes":[{"route":"ssm","bastion":"i-0abc"}],"note":null}]""",
            JsonEvents.Targets([new TargetRow("cluster/app", database, ["ssm i-0abc"], null)]));
        Assert.Equal("[]", JsonEvents.Targets([]));
    }

    [Fact]
    public void Variables_are_one_object_in_their_order() =>
        Assert.Equal("""{"B":"1","A":"x y"}""", JsonEvents.Variables([KeyValuePair.Create("B", "1"), KeyValuePair.Create("A", "x y")]));

    [Fact]
    public void The_documentation_names_every_event_of_a_command()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "events.md"));

        foreach (var kind in (string[])["lost", "child_exit", "failed", "lab_ready", "call", "installed"])
            Assert.Contains($"\n| `{kind}` |", page, StringComparison.Ordinal);
        Assert.Contains($"`version` is {JsonEvents.SchemaVersion};", page, StringComparison.Ordinal);
    }
}
