using Fumidai.Aws;

namespace Fumidai;

/// <summary>
/// Opens the best route there is now. The first time a route counts as open when the far end has answered through it, and one is tried after the
/// other; later, clients wait, so the next one is tried beside one that takes long, and nobody is asked anything but the bastion.
/// </summary>
internal sealed class RouteChoice(TunnelRequest request, TunnelSettings settings)
{
    /// <summary>How long a route may take to reopen before the next one is tried beside it.</summary>
    internal static readonly TimeSpan Head = TimeSpan.FromSeconds(1.5);

    /// <summary>Bastions tried for one kind of route.</summary>
    private const int MostOfAKind = 3;

    /// <summary>Why the route that was opened last was the best; null: it was asked for by name.</summary>
    internal string? Merit { get; private set; }

    internal async Task<IRoute> OpenAsync(RouteSearch search, CancellationToken cancellationToken)
    {
        if (request.Target.Database is { } database && search.IsFirst)
            RefuseShut(request.Target.Name, database);
        var find = new FindBastion(request, settings);
        var survey = new RouteSurvey(request, settings, find);
        var ranking = await survey.RankAsync(cancellationToken).ConfigureAwait(false);
        var logger = request.LoggerFactory?.CreateLogger("Fumidai.Tunnel");
        var open = new RouteOpening(request, settings, find);
        var candidates = Candidates(ranking, survey, search, open);
        for (var i = 0; i < candidates.Count; i++)
            logger?.RouteRanked(i + 1, candidates[i].Name, candidates[i].Bastion, candidates[i].Merit);
        foreach (var rejected in ranking.Rejected)
            logger?.RouteRejected(rejected.Name, rejected.Bastion ?? "", rejected.Reason);
        return search.IsFirst
            ? await OpenFirstAsync(request, candidates, cancellationToken).ConfigureAwait(false)
            : await OpenSoonestAsync(request, candidates, cancellationToken).ConfigureAwait(false);
    }

    private List<Candidate> Candidates(RouteRanking ranking, RouteSurvey survey, RouteSearch search, RouteOpening open)
    {
        if (survey.OnlyOne && search.IsFirst && ranking.Possible is [var best, ..])
        {
            RouteCarrier[] alike = best.Carrier is RouteCarrier.Endpoint or RouteCarrier.Session ? [RouteCarrier.Endpoint, RouteCarrier.Session] : [best.Carrier];
            var several = ranking.Possible.Where(r => alike.Contains(r.Carrier)).Select(r => r.Bastion.Id).Distinct(StringComparer.Ordinal).ToArray();
            if (several.Length > 1)
                throw new FumidaiException(Reason.Usage, $"several bastions could serve in {survey.Where}", string.Join(", ", several.Take(10)), "Name one with --bastion");
        }
        var candidates = new List<Candidate>();
        foreach (var kind in ranking.Possible.GroupBy(r => r.Carrier))
        {
            foreach (var route in kind.Take(MostOfAKind))
            {
                if (route.Bastion.State == "stopped" && !search.IsAwaited)
                    continue; // started only for somebody
                candidates.Add(new Candidate(route.Name, token => OpenAsync(open, route, token))
                {
                    Bastion = route.Bastion.Id,
                    Merit = route.Reason,
                    Groups = string.Join(',', route.Bastion.SecurityGroupIds.Order(StringComparer.Ordinal)),
                    IsSecondBest = route.Carrier == RouteCarrier.SessionToSshd && settings.Via == "auto",
                });
            }
        }
        // What is not possible at all says why, in its place.
        foreach (var name in (string[])["eice", "ssm", "ssh"])
        {
            if ((settings.Via == name || (settings.Via == "auto" && name != "eice")) && !candidates.Exists(c => c.Name == name && !c.IsSecondBest) && WhyNot(name, ranking, survey) is { } why)
                candidates.Add(new Candidate(name, _ => throw why) { Merit = why.Cause ?? why.What });
        }
        return candidates;
    }

    private async Task<IRoute> OpenAsync(RouteOpening open, RankedRoute ranked, CancellationToken cancellationToken)
    {
        var route = await open.OpenAsync(ranked, cancellationToken).ConfigureAwait(false);
        Merit = settings.Via == "auto" ? ranked.Reason : null;
        return route;
    }

    private FumidaiException? WhyNot(string name, RouteRanking ranking, RouteSurvey survey)
    {
        if (request.Settings.ForbiddenRoutes.Contains(name))
            return new FumidaiException(Reason.NoRoute, $"the route {name} may not be used", $"{request.Settings.File} forbids it (routes: forbid:)");
        try
        {
            switch (name)
            {
                case "ssm":
                    if (settings.Bastion is not null && survey.Bastions is [{ IsOnline: false } one] && !(one.State == "stopped" && BastionChoice.MayBeStarted(one)))
                        return BastionChoice.NotOnline(one);
                    BastionChoice.ForSsm(survey.Bastions, survey.Where, onlyOne: false);
                    return new FumidaiException(Reason.NoRoute, $"no bastion for ssm in {survey.Where}", "it is stopped and nobody waits for it", retry: true);
                case "ssh":
                    BastionChoice.ForSsh(survey.Bastions, survey.Where);
                    return null;
                default:
                    var rejected = ranking.Rejected.FirstOrDefault(r => r.Name == name);
                    return new FumidaiException(
                        Reason.NoRoute, $"no way by {name} in {survey.Where}",
                        rejected is null ? "there is no instance" : rejected.Bastion is null ? rejected.Reason : $"{rejected.Bastion}: {rejected.Reason}",
                        "fumidai up --pattern eice makes an endpoint; --via auto takes what there is", retry: rejected is not null);
            }
        }
        catch (FumidaiException e)
        {
            return e;
        }
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

    /// <summary>One after the other, each given its time; the far end must answer.</summary>
    internal static async Task<IRoute> OpenFirstAsync(TunnelRequest request, IReadOnlyList<Candidate> candidates, CancellationToken cancellationToken)
    {
        var failures = new Failures(request);
        for (var i = 0; i < candidates.Count; i++)
        {
            var candidate = candidates[i];
            if (failures.IsNeedless(candidate))
                continue;
            var opened = false;
            try
            {
                var route = await candidate.Open(cancellationToken).ConfigureAwait(false);
                opened = true;
                return await ProvenAsync(request, route, cancellationToken).ConfigureAwait(false);
            }
            catch (FumidaiException e) when (candidates.Count > 1 && AnotherMayDo(e))
            {
                failures.Add(candidate, e, opened);
                if (candidates.Skip(i + 1).FirstOrDefault(c => !failures.IsNeedless(c)) is { } next)
                {
                    request.Tell(
                        "switched", $"{candidate.Called} is not possible ({Short(e)}); trying {next.Called}",
                        ("from", candidate.Name), ("from_bastion", candidate.Bastion), ("to", next.Name), ("bastion", next.Bastion), ("reason", e.Message));
                }
            }
        }
        throw failures.Sum();
    }

    /// <summary>The next one is tried beside one that takes long; the first to open serves, the others are closed.</summary>
    internal static async Task<IRoute> OpenSoonestAsync(TunnelRequest request, IReadOnlyList<Candidate> candidates, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var failures = new Failures(request);
        var opening = new Dictionary<Task<IRoute>, Candidate>();
        IRoute? served = null;
        var next = 0;
        try
        {
            while (served is null && (next < candidates.Count || opening.Count > 0))
            {
                while (next < candidates.Count && failures.IsNeedless(candidates[next]))
                    next++;
                if (next < candidates.Count)
                    opening.Add(candidates[next].Open(enough.Token), candidates[next++]);
                else if (opening.Count == 0)
                    break;
                var any = Task.WhenAny(opening.Keys);
                Task waited = any;
                if (next < candidates.Count)
                    await waited.WaitAsync(Head, request.Time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                else
                    await any.ConfigureAwait(false);
                if (!any.IsCompleted)
                    continue;
                var first = await any.ConfigureAwait(false);
                opening.Remove(first, out var candidate);
                try
                {
                    served = await first.ConfigureAwait(false);
                }
                catch (FumidaiException e) when (candidates.Count > 1 && AnotherMayDo(e))
                {
                    failures.Add(candidate!, e, opened: false);
                }
            }
            return served ?? throw failures.Sum();
        }
        finally
        {
            await enough.CancelAsync().ConfigureAwait(false);
            foreach (var late in opening.Keys)
                _ = CloseAsync(late);
        }
    }

    private static async Task CloseAsync(Task<IRoute> late)
    {
        await ((Task)late).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (late.IsCompletedSuccessfully)
            await late.Result.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<IRoute> ProvenAsync(TunnelRequest request, IRoute route, CancellationToken cancellationToken)
    {
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
        !e.IsAlarm && (e.Reason is Reason.NoRoute or Reason.Failed or Reason.RouteLost || IsPermission(e));

    private static bool IsPermission(FumidaiException e) => e.Reason == Reason.AwsAccess && e.InnerException is not AwsFailure { Kind: AwsFailureKind.Credentials };

    /// <summary>One way to try.</summary>
    internal sealed record Candidate(string Name, Func<CancellationToken, Task<IRoute>> Open)
    {
        /// <summary>Its bastion; empty: none.</summary>
        internal string Bastion { get; init; } = "";

        /// <summary>Why it stands where it stands.</summary>
        internal string Merit { get; init; } = "";

        /// <summary>Its bastion's security groups: a target silent through one member is silent through all.</summary>
        internal string Groups { get; init; } = "";

        /// <summary>Tried only when the policy refused the route it stands in for.</summary>
        internal bool IsSecondBest { get; init; }

        internal string Called => Bastion.Length > 0 ? $"{Name} {Bastion}" : Name;
    }

    private sealed class Failures(TunnelRequest request)
    {
        private readonly List<(Candidate Way, FumidaiException Why, bool WasOpened)> _all = [];

        internal void Add(Candidate way, FumidaiException why, bool opened) => _all.Add((way, why, opened));

        /// <summary>Whether what went wrong before says that this one would go wrong as well, or that it is not called for.</summary>
        internal bool IsNeedless(Candidate way) =>
            (way.IsSecondBest && !_all.Exists(f => f.Way.Name == "ssm" && IsPermission(f.Why)))
            || (way.Groups.Length > 0 && _all.Exists(f => f.WasOpened && f.Way.Name == way.Name && f.Way.Groups == way.Groups));

        internal FumidaiException Sum() => new(
            _all.Count > 0 && _all.TrueForAll(f => f.Why.Reason == Reason.AwsAccess) ? Reason.AwsAccess : Reason.NoRoute,
            $"no route to {request.Target.Name} could be opened",
            _all.Count == 0 ? "none is possible" : string.Join("; ", _all.Select(f => $"{f.Way.Name}: {Short(f.Why)}")),
            _all.Select(f => f.Why.Next).FirstOrDefault(n => n is not null),
            _all.Exists(f => f.Why.IsTransient),
            new AggregateException(_all.Select(f => f.Why)));
    }
}
