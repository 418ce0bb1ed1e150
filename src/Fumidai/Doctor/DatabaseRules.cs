namespace Fumidai;

/// <summary>The database itself (rows 34, 35, 36).</summary>
internal static class DatabaseRules
{
    internal static readonly Rule[] All =
    [
        new("database-not-available", Hop.Database, v =>
        {
            if (v.Database is not { } d)
                return null;
            var kind = d.Kind == Aws.DatabaseKind.Cluster ? "cluster" : "instance";
            var (fix, isDown) = d.Status switch
            {
                "stopped" => ($"aws rds start-db-{kind} --db-{kind}-identifier {d.Id}", true),
                "stopping" => ($"wait until it is stopped, then aws rds start-db-{kind} --db-{kind}-identifier {d.Id}", true),
                "starting" or "creating" or "rebooting" => ($"aws rds wait db-{kind}-available --db-{kind}-identifier {d.Id}", true),
                "deleting" or "failed" => ("restore it from a snapshot, or name another target", true),
                var s when s.StartsWith("inaccessible-encryption-credentials", StringComparison.Ordinal) => ("enable the KMS key that it is encrypted with", true),
                _ => ("", false),
            };
            return isDown ? new("database-not-available", Hop.Database, "the database takes no connections", $"{v.Topology.Target.Name} is {d.Status}", Fixes.Sentence(fix)) : null;
        }),
        new("database-without-instance", Hop.Database, v => v.Database is { Kind: Aws.DatabaseKind.Cluster, Status: "available" } d && v.Topology.State is { Members.Count: 0 }
            ? new("database-without-instance", Hop.Database, "the cluster has no instance", $"{d.Id} is storage only: nothing answers behind its endpoint", Fixes.Sentence($"aws rds create-db-instance --db-instance-identifier {d.Id}-1 --db-cluster-identifier {d.Id} --engine {d.Engine} --db-instance-class db.serverless")) : null),
        new("database-without-writer", Hop.Database, v => v.Database is { Kind: Aws.DatabaseKind.Cluster, Status: "available" } d && v.Topology.State is { Members: { Count: > 0 } members } && !members.Any(m => m.IsWriter && m.Status is null or "available" or "modifying" or "backing-up" or "upgrading" or "configuring-enhanced-monitoring" or "storage-optimization")
            ? new("database-without-writer", Hop.Database, "no instance of the cluster takes connections", $"{d.Id}: {string.Join(", ", members.Select(m => $"{m.Id} is {m.Status ?? "not told"}"))}", Fixes.Sentence($"aws rds wait db-instance-available --db-instance-identifier {members[0].Id}")) : null),
        new("database-busy", Hop.Database, v => v.Database is { Status: "upgrading" or "modifying" or "maintenance" or "failing-over" or "resetting-master-credentials" or "renaming" } d
            ? new("database-busy", Hop.Database, "the database is being changed", $"{d.Id} is {d.Status}: connections may be refused or cut until it is available", Fixes.Sentence($"aws rds wait db-{(d.Kind == Aws.DatabaseKind.Cluster ? "cluster" : "instance")}-available --db-{(d.Kind == Aws.DatabaseKind.Cluster ? "cluster" : "instance")}-identifier {d.Id}")) { IsNote = true } : null),
        new("database-may-be-paused", Hop.Database, v => v.Database is { MinCapacity: 0, Status: "available" } d
            ? new("database-may-be-paused", Hop.Database, "the database pauses when idle", $"{d.Id} has a least capacity of 0: the first connection after a pause takes about 15 s, 30 s or more after a day", Fixes.Sentence("nothing: fumidai waits for it")) { IsNote = true } : null),
    ];
}
