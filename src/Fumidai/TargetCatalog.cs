using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Finds targets.</summary>
public static class TargetCatalog
{
    /// <summary>All of the region, each with the routes open to us.</summary>
    /// <remarks>A bounded number of calls whatever there is: the databases, the instances, one's own address, and at most <see cref="ReachableRoutes.MaxGroupCalls"/> looks at security groups.</remarks>
    public static async Task<IReadOnlyList<TargetRow>> ListAsync(AwsAccess access, Settings settings, CancellationToken cancellationToken)
    {
        var databases = await DatabasesAsync(access, cancellationToken).ConfigureAwait(false);
        var routes = await ReachableRoutes.LookAsync(access, settings, cancellationToken).ConfigureAwait(false);
        var rows = new List<TargetRow>(databases.Count);
        foreach (var database in databases)
        {
            var (open, note) = await routes.ToAsync(database, cancellationToken).ConfigureAwait(false);
            rows.Add(new TargetRow(NameOf(database), database, open, note));
        }
        return rows;
    }

    /// <summary>
    /// The one the user means: a name from fumidai.yaml, <c>cluster/ID</c>, <c>instance/ID</c>, <c>host/NAME:PORT</c>; null or empty: the only one there is.
    /// </summary>
    /// <exception cref="FumidaiException">Usage for a malformed name or several candidates (listed in the text), NotFound for none.</exception>
    public static async Task<Target> FindAsync(AwsAccess access, Settings settings, string? name, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(name))
            return await OnlyOneAsync(access, settings, cancellationToken).ConfigureAwait(false);
        if (settings.Targets.TryGetValue(name, out var entry))
            return await ResolveAsync(access, name, TargetName.Parse(entry.Target), entry, cancellationToken).ConfigureAwait(false);
        return await ResolveAsync(access, name, Parse(settings, name), null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Refuses a name that <see cref="FindAsync"/> would refuse without asking AWS.</summary>
    /// <exception cref="FumidaiException">Usage for a malformed name, NotFound for a plain word that fumidai.yaml does not know.</exception>
    public static void CheckName(Settings settings, string name)
    {
        if (!settings.Targets.ContainsKey(name))
            Parse(settings, name);
    }

    internal static string NameOf(Database database) =>
        $"{(database.Kind == DatabaseKind.Cluster ? "cluster" : "instance")}/{database.Id}";

    private static TargetName Parse(Settings settings, string name)
    {
        try
        {
            return TargetName.Parse(name);
        }
        catch (FormatException e)
        {
            if (name.Contains('/', StringComparison.Ordinal))
                throw new FumidaiException(Reason.Usage, "the target is not clear", e.Message, "fumidai targets lists what there is");
            throw new FumidaiException(
                Reason.NotFound,
                $"there is no target “{name}”",
                settings.File is { } file
                    ? $"{file} names {(settings.Targets.Count == 0 ? "none" : string.Join(", ", settings.Targets.Keys))}"
                    : "no fumidai.yaml was found",
                $"Say cluster/{name} if you mean the cluster; fumidai targets lists what there is");
        }
    }

    private static async Task<Target> OnlyOneAsync(AwsAccess access, Settings settings, CancellationToken cancellationToken)
    {
        if (settings.Targets.Count == 1)
        {
            var (name, entry) = settings.Targets.First();
            return await ResolveAsync(access, name, TargetName.Parse(entry.Target), entry, cancellationToken).ConfigureAwait(false);
        }
        if (settings.Targets.Count > 1)
            throw Several(settings.Targets.Keys, $"{settings.File} names");
        var databases = await DatabasesAsync(access, cancellationToken).ConfigureAwait(false);
        return databases switch
        {
            [] => throw new FumidaiException(Reason.NotFound, $"there is no database in {access.Region}", null, "Choose another region with --region, or name a host: host/NAME:PORT"),
            [var only] => Complete(NameOf(only), only, null),
            _ => throw Several(databases.Select(NameOf), $"{access.Region} has"),
        };
    }

    private static FumidaiException Several(IEnumerable<string> names, string whose)
    {
        var all = names.ToArray();
        var shown = string.Join(", ", all.Take(20));
        var more = all.Length > 20 ? string.Create(CultureInfo.InvariantCulture, $" and {all.Length - 20} more") : "";
        return new FumidaiException(Reason.Usage, "no target was named", $"{whose} {shown}{more}", "Name one");
    }

    private static async Task<Target> ResolveAsync(AwsAccess access, string name, TargetName target, TargetSettings? entry, CancellationToken cancellationToken)
    {
        if (target is TargetName.Host host)
            return new Target { Name = name, Address = host.Address, Settings = entry };
        var (kind, id) = target is TargetName.Cluster cluster
            ? (DatabaseKind.Cluster, cluster.Id)
            : (DatabaseKind.Instance, ((TargetName.Instance)target).Id);
        try
        {
            return Complete(name, await FindTargets.GetAsync(access, kind, id, cancellationToken).ConfigureAwait(false), entry);
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot find {name} in {access.Region}", next: "fumidai targets lists what there is; --region and --profile choose where to look");
        }
    }

    private static Target Complete(string name, Database database, TargetSettings? entry) =>
        database.Endpoint is { Length: > 0 } endpoint && database.Port > 0
            ? new Target { Name = name, Address = new HostPort(endpoint, database.Port), Database = database, Settings = entry }
            : throw new FumidaiException(Reason.NotFound, $"{name} has no endpoint", $"its status is {database.Status}", "Wait until it is available", retry: true);

    private static async Task<IReadOnlyList<Database>> DatabasesAsync(AwsAccess access, CancellationToken cancellationToken)
    {
        try
        {
            return await FindTargets.ListAsync(access, cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot list the databases of {access.Region}");
        }
    }
}
