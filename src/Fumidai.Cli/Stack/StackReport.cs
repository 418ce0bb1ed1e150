using System.Globalization;
using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>A bastion as <c>fumidai status</c> shows it.</summary>
/// <param name="Kind">private or public.</param>
/// <param name="Id">Instance id.</param>
/// <param name="Instance">As EC2 and Session Manager tell; null: it is not there any more.</param>
/// <param name="Sessions">Open sessions; null: they could not be asked for.</param>
internal sealed record ReportedBastion(string Kind, string Id, BastionInstance? Instance, IReadOnlyList<OpenSession>? Sessions);

/// <summary>One stack as it is now.</summary>
internal sealed record StackReport
{
    internal required StackStatus Status { get; init; }
    internal required string Region { get; init; }
    internal required DateTimeOffset Now { get; init; }
    /// <summary>What differs from the template; null: not looked at.</summary>
    internal IReadOnlyList<DriftedResource>? Drift { get; init; }
    /// <summary>Why that could not be looked at; null: it was, or was not wanted.</summary>
    internal string? DriftUnknown { get; init; }
    internal required IReadOnlyList<ReportedBastion> Bastions { get; init; }

    /// <summary>The bill of an hour as it runs now, without what is stored in the database.</summary>
    internal MonthlyCost Hour => MonthlyCost.OfHour(
        StackQuantities.Of(Status.Stack, Status.Resources), PriceTable.Shipped, Region, Runs("private"), Runs("public"), acu: null, storageGb: 0);

    /// <summary>Hours of today (UTC) in which the stack has existed.</summary>
    internal decimal HoursToday
    {
        get
        {
            var midnight = new DateTimeOffset(Now.UtcDateTime.Date, TimeSpan.Zero);
            var since = Status.Stack.Created is { } created && created > midnight ? created : midnight;
            return Math.Max(0, (decimal)(Now - since).TotalHours);
        }
    }

    internal static async Task<StackReport> AskAsync(StackRun stack, string name, bool withDrift)
    {
        stack.Screen.Waiting("Reading the stack");
        var status = await StackStatus.ReadAsync(stack.Access, name, stack.Token);
        var bastions = new List<ReportedBastion>();
        foreach (var (kind, id) in new[] { ("private", status.PrivateBastionId), ("public", status.PublicBastionId) })
        {
            if (id is not null)
                bastions.Add(await AskBastionAsync(stack, kind, id));
        }
        var (drift, unknown) = withDrift ? await AskDriftAsync(stack, status) : (null, null);
        return new StackReport { Status = status, Region = stack.Region, Now = stack.Time.GetUtcNow(), Drift = drift, DriftUnknown = unknown, Bastions = bastions };
    }

    internal IEnumerable<string> Lines()
    {
        var stack = Status.Stack;
        yield return $"{stack.Name}: {stack.Status}, {Status.Standing.Sentence} ({Region})";
        if (Status.Why is { } why)
            yield return $"  because of {why}";
        if (Status.Standing.Next is { } next)
            yield return $"  {next}";
        yield return "";
        foreach (var line in Table())
            yield return "  " + line;
        yield return "";
        yield return $"  drift      {DriftText()}";
        foreach (var one in (Drift ?? []).SelectMany(DriftLines))
            yield return "             " + one;
        foreach (var bastion in Bastions)
        {
            yield return $"  {bastion.Kind,-10} {BastionText(bastion)}";
            foreach (var session in bastion.Sessions ?? [])
                yield return $"             {session.Owner.Split('/')[^1]}{(session.Started is { } at ? $" since {at.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture)}" : "")}, session {session.Id}";
        }
        if (Status.ClusterId is { } cluster)
            yield return $"  database   cluster/{cluster}{(Status.ClusterEndpoint is { } endpoint ? $", {endpoint}" : "")}";
        if (Status.SecretArn is { } secret)
            yield return $"  password   {secret}";
        yield return $"  cost       {CostText()}";
    }

    private IEnumerable<string> Table()
    {
        string[][] rows = [["RESOURCE", "TYPE", "STATUS", "ID"], .. Status.Resources.Select(r => new[] { r.LogicalId, r.Type.Replace("AWS::", "", StringComparison.Ordinal), r.Status, r.PhysicalId ?? "-" })];
        var widths = Enumerable.Range(0, 3).Select(column => rows.Max(row => row[column].Length)).ToArray();
        return rows.Select(row => string.Join("  ", row.Select((cell, column) => column < widths.Length ? cell.PadRight(widths[column]) : cell)).TrimEnd());
    }

    private string DriftText() => (Drift, DriftUnknown) switch
    {
        (_, { } why) => $"not known: {why}",
        (null, _) => "not looked at",
        ({ Count: 0 }, _) => "none: everything is as the template says",
        ({ Count: var count }, _) => string.Create(CultureInfo.InvariantCulture, $"{count} of {Status.Resources.Count} resources are not as the template says"),
    };

    private static IEnumerable<string> DriftLines(DriftedResource one) => one.Differences.Count == 0
        ? [$"{one.LogicalId} ({one.PhysicalId}): {one.Status.ToLowerInvariant()}"]
        : one.Differences.Select(d => $"{one.LogicalId} ({one.PhysicalId}) {d.Path}: {d.Expected ?? "nothing"} in the template, {d.Actual ?? "nothing"} in fact");

    private string BastionText(ReportedBastion bastion)
    {
        if (bastion.Instance is not { } instance)
            return $"{bastion.Id} is not there any more";
        var agent = instance.State == "running" ? $", agent {instance.PingStatus ?? "not registered"}" : "";
        var door = bastion.Kind == "public" ? $", {instance.PublicAddress?.ToString() ?? "no address"}, SSH from {Status.CallerCidr ?? "nowhere"} (who uses SSH is not known to AWS)" : "";
        var who = bastion.Sessions switch { null => ", who is connected is not known", { Count: 0 } => ", nobody is connected", { Count: var n } => string.Create(CultureInfo.InvariantCulture, $", {n} connected") };
        return $"{instance.Id} {instance.State}{agent}{door}{who}";
    }

    private string CostText()
    {
        var hour = Hour;
        var unknown = hour.Unknown.Select(l => l.What).Distinct(StringComparer.Ordinal).ToList();
        var cluster = StackQuantities.Of(Status.Stack, Status.Resources).HasCluster ? ", the cluster at its least capacity, its storage not counted" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{hour.KnownUsd:0.0000} USD an hour as it runs now, {hour.KnownUsd * HoursToday:0.00} USD today at that rate ({Region}, prices of {hour.OldestPrice ?? "no known date"} or later{cluster}{(unknown.Count > 0 ? $"; not known: {string.Join(", ", unknown)}" : "")})");
    }

    private bool Runs(string kind) => Bastions.Any(b => b.Kind == kind && b.Instance?.State is "running" or "pending");

    private static async Task<ReportedBastion> AskBastionAsync(StackRun stack, string kind, string id)
    {
        stack.Screen.Waiting($"Looking at {id}");
        BastionInstance? instance = null;
        try
        {
            instance = await FindBastions.GetAsync(stack.Access, id, stack.Token);
        }
        catch (AwsFailure f) when (f.Kind == AwsFailureKind.NotFound)
        {
        }
        IReadOnlyList<OpenSession>? sessions = null;
        try
        {
            sessions = await ReadSessions.OnAsync(stack.Access, id, stack.Token);
        }
        catch (AwsFailure f) when (f.Kind is AwsFailureKind.Permission or AwsFailureKind.Refused)
        {
        }
        return new ReportedBastion(kind, id, instance, sessions);
    }

    private static async Task<(IReadOnlyList<DriftedResource>? Drift, string? Unknown)> AskDriftAsync(StackRun stack, StackStatus status)
    {
        if (status.Standing.Phase != StackPhase.Settled)
            return (null, $"the stack is {status.Stack.Status}");
        stack.Screen.Waiting("Comparing with the template");
        try
        {
            return (await status.DriftAsync(stack.Access, stack.Token), null);
        }
        catch (AwsFailure f) when (f.Kind is not (AwsFailureKind.Credentials or AwsFailureKind.Configuration))
        {
            return (null, f.Message);
        }
    }
}
