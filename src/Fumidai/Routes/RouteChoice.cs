using Fumidai.Aws;

namespace Fumidai;

/// <summary>Opens the route that was asked for; for <c>auto</c> tries ssm, then ssh, and says so. A route counts as open when the far end has answered through it.</summary>
internal sealed class RouteChoice(TunnelRequest request, TunnelSettings settings)
{
    internal Task<IRoute> OpenAsync(CancellationToken cancellationToken)
    {
        if (request.Target.Database is { } database)
            RefuseShut(request.Target.Name, database);
        var find = new FindBastion(request, settings);
        var ssm = new Candidate("ssm", token => SsmRoute.OpenAsync(request, find, token));
        var ssh = new Candidate("ssh", token => SshRoute.OpenAsync(request, settings, find, token));
        return OpenFirstAsync(
            request,
            settings.Via switch
            {
                "ssm" => [ssm],
                "ssh" => [ssh],
                _ => [ssm, ssh],
            },
            cancellationToken);
    }

    /// <summary>A database whose status alone says that nobody answers needs no session to find out.</summary>
    /// <exception cref="FumidaiException">NoRoute.</exception>
    internal static void RefuseShut(string name, Database database)
    {
        var start = database.Kind == DatabaseKind.Cluster
            ? $"Start it: aws rds start-db-cluster --db-cluster-identifier {database.Id}"
            : $"Start it: aws rds start-db-instance --db-instance-identifier {database.Id}";
        var (next, soon) = database.Status switch
        {
            "stopped" => (start, false),
            "stopping" => ("Wait until it is stopped, then start it again", false),
            "starting" or "creating" => ("Wait until it is available: fumidai targets shows its status", true),
            "deleting" or "failed" => ((string?)null, false),
            var status when status.StartsWith("inaccessible-encryption-credentials", StringComparison.Ordinal) => ("Enable the KMS key it is encrypted with", false),
            _ => ("", false),
        };
        if (next != "")
            throw new FumidaiException(Reason.NoRoute, $"{name} does not take connections", $"its status is {database.Status}", next, retry: soon);
    }

    internal static async Task<IRoute> OpenFirstAsync(TunnelRequest request, IReadOnlyList<Candidate> candidates, CancellationToken cancellationToken)
    {
        var failures = new List<(string Route, FumidaiException Why)>();
        for (var i = 0; i < candidates.Count; i++)
        {
            try
            {
                return await ProvenAsync(request, candidates[i], cancellationToken).ConfigureAwait(false);
            }
            catch (FumidaiException e) when (candidates.Count > 1 && AnotherMayDo(e))
            {
                failures.Add((candidates[i].Name, e));
                if (i + 1 < candidates.Count)
                {
                    request.Tell(
                        "switched", $"{candidates[i].Name} is not possible ({Short(e)}); trying {candidates[i + 1].Name}",
                        ("from", candidates[i].Name), ("to", candidates[i + 1].Name), ("reason", e.Message));
                }
            }
        }
        throw new FumidaiException(
            failures.All(f => f.Why.Reason == Reason.AwsAccess) ? Reason.AwsAccess : Reason.NoRoute,
            $"no route to {request.Target.Name} could be opened",
            string.Join("; ", failures.Select(f => $"{f.Route}: {Short(f.Why)}")),
            failures.Select(f => f.Why.Next).FirstOrDefault(n => n is not null),
            failures.Any(f => f.Why.IsTransient),
            new AggregateException(failures.Select(f => f.Why)));
    }

    private static async Task<IRoute> ProvenAsync(TunnelRequest request, Candidate candidate, CancellationToken cancellationToken)
    {
        var route = await candidate.Open(cancellationToken).ConfigureAwait(false);
        try
        {
            await new Readiness(route, request.Target, request.Time).ProveAsync(cancellationToken).ConfigureAwait(false);
            return route;
        }
        catch
        {
            await route.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static string Short(FumidaiException e) => e.Cause is null ? e.What : $"{e.What}: {e.Cause}";

    /// <summary>Wrong credentials or settings, or a bastion named that does not exist, would fail the other route as well; a missing permission need not.</summary>
    private static bool AnotherMayDo(FumidaiException e) =>
        e.Reason is Reason.NoRoute or Reason.Failed
        || (e.Reason == Reason.AwsAccess && e.InnerException is not AwsFailure { Kind: AwsFailureKind.Credentials });

    internal sealed record Candidate(string Name, Func<CancellationToken, Task<IRoute>> Open);
}
