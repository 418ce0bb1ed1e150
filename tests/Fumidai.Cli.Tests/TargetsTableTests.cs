using Fumidai.Aws;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class TargetsTableTests
{
    [Fact]
    public void Columns_line_up_and_a_row_without_a_route_says_why()
    {
        Database[] databases =
        [
            new() { Kind = DatabaseKind.Cluster, Id = "app", Arn = "a", Engine = "aurora-postgresql", EngineVersion = "16.6", Status = "available", Endpoint = "app.x", Port = 5432 },
            new() { Kind = DatabaseKind.Instance, Id = "old", Arn = "b", Engine = "mysql", Status = "stopped\u001b[0m" },
        ];

        Assert.Equal(
            [
                "NAME          ENGINE                  STATUS            ENDPOINT    ROUTES",
                "cluster/app   aurora-postgresql 16.6  available         app.x:5432  ssm i-1, ssh i-2",
                @"instance/old  mysql                   stopped\u001b[0m  -           none: it has no endpoint",
            ],
            TargetsCommand.Table([new("cluster/app", databases[0], ["ssm i-1", "ssh i-2"], null), new("instance/old", databases[1], [], "it has no endpoint")]));
    }
}
