using System.Globalization;
using System.Net;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>
/// Which routes stand open, from what AWS tells: one look at the region's instances, then an answer per database. What we may not ask
/// counts as open: the route itself will tell, and a missing read permission must not hide a way that works.
/// </summary>
internal sealed class ReachableRoutes
{
    /// <summary>Looks at security groups per listing; beyond it groups count as open.</summary>
    internal const int MaxGroupCalls = 40;

    private readonly IReadOnlyList<BastionInstance> _instances;
    private readonly IPAddress? _ownAddress;
    private readonly Func<IReadOnlyList<string>, int, IPAddress?, IReadOnlyList<string>, CancellationToken, Task<bool>> _admit;
    private readonly string? _blind;
    private readonly Dictionary<string, bool> _answers = new(StringComparer.Ordinal);
    private readonly int? _sshPort;

    internal ReachableRoutes(
        IReadOnlyList<BastionInstance> instances,
        IPAddress? ownAddress,
        int? sshPort,
        Func<IReadOnlyList<string>, int, IPAddress?, IReadOnlyList<string>, CancellationToken, Task<bool>> admit,
        string? blind = null)
    {
        _instances = instances;
        _ownAddress = ownAddress;
        _sshPort = sshPort;
        _admit = admit;
        _blind = blind;
    }

    internal static async Task<ReachableRoutes> LookAsync(AwsAccess access, Settings settings, CancellationToken cancellationToken)
    {
        IReadOnlyList<BastionInstance> instances = [];
        string? blind = null;
        try
        {
            instances = await FindBastions.ListAsync(access, null, cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure e) when (e.Kind is AwsFailureKind.Permission)
        {
            blind = $"routes are unknown: not allowed to call {e.Operation}";
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot list the instances of {access.Region}");
        }
        var own = instances.Any(i => i.PublicAddress is not null) ? await OwnAddressAsync(access, settings, cancellationToken).ConfigureAwait(false) : null;
        return new ReachableRoutes(
            instances, own, settings.Defaults?.BastionPort,
            (groups, port, source, sourceGroups, token) => ReadSecurityGroups.AdmitAsync(access, groups, port, source, sourceGroups, token),
            blind);
    }

    internal static async Task<IPAddress?> OwnAddressAsync(AwsAccess access, Settings settings, CancellationToken cancellationToken)
    {
        try
        {
            return await AskOwnAddress.AskAsync(access, settings.MyIpUrl, cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure)
        {
            return null;
        }
    }

    internal async Task<(IReadOnlyList<string> Open, string? Note)> ToAsync(Database database, CancellationToken cancellationToken)
    {
        if (_blind is not null)
            return ([], _blind);
        if (database.Endpoint is null)
            return ([], $"it has no endpoint (status {database.Status})");
        if (database.VpcId is null)
            return ([], "its VPC is unknown: name a bastion with --bastion");
        var inside = _instances.Where(i => i.VpcId == database.VpcId).OrderBy(i => i.Id, StringComparer.Ordinal).ToArray();
        if (inside.Length == 0)
            return ([], $"no instance in {database.VpcId} to go through");

        var open = new List<string>();
        string? note = null;
        foreach (var bastion in inside.Where(i => i.IsOnline))
        {
            if (await AdmitsAsync(database.SecurityGroupIds, database.Port, bastion.PrivateAddress, bastion.SecurityGroupIds, cancellationToken).ConfigureAwait(false))
                open.Add($"ssm {bastion.Id}");
            else
                note ??= DatabaseShut(database, bastion);
        }
        foreach (var bastion in inside.Where(i => i.State == "running" && i.PublicAddress is not null))
        {
            var port = BastionChoice.SshPort(bastion, _sshPort);
            var admitted = false;
            foreach (var guarded in BastionChoice.GuardedSshPorts(bastion, _sshPort))
                admitted = admitted || await AdmitsAsync(bastion.SecurityGroupIds, guarded, _ownAddress, [], cancellationToken).ConfigureAwait(false);
            if (!admitted)
                note ??= string.Create(CultureInfo.InvariantCulture, $"the security groups of {bastion.Id} do not admit {_ownAddress} to port {port}");
            else if (await AdmitsAsync(database.SecurityGroupIds, database.Port, bastion.PrivateAddress, bastion.SecurityGroupIds, cancellationToken).ConfigureAwait(false))
                open.Add($"ssh {bastion.Id}");
            else
                note ??= DatabaseShut(database, bastion);
        }
        return open.Count > 0 ? (open, null) : (open, note ?? NoneRuns(inside));
    }

    private static string DatabaseShut(Database database, BastionInstance bastion) =>
        string.Create(CultureInfo.InvariantCulture, $"the database's security groups do not admit {bastion.Id} to port {database.Port}");

    private static string NoneRuns(BastionInstance[] inside) =>
        string.Join("; ", inside.Take(3).Select(i => i.State == "running"
            ? $"{i.Id} runs, but its Session Manager agent is {(i.PingStatus is null ? "not registered" : i.PingStatus)} and it has no public address"
            : $"{i.Id} is {i.State}"));

    private async Task<bool> AdmitsAsync(IReadOnlyList<string> groups, int port, IPAddress? source, IReadOnlyList<string> sourceGroups, CancellationToken cancellationToken)
    {
        if (source is null && sourceGroups.Count == 0)
            return true;
        var key = string.Create(CultureInfo.InvariantCulture, $"{string.Join(',', groups.Order(StringComparer.Ordinal))}|{port}|{source}|{string.Join(',', sourceGroups.Order(StringComparer.Ordinal))}");
        if (_answers.TryGetValue(key, out var known))
            return known;
        if (_answers.Count >= MaxGroupCalls)
            return true;
        bool answer;
        try
        {
            answer = await _admit(groups, port, source, sourceGroups, cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure)
        {
            answer = true;
        }
        _answers.Add(key, answer);
        return answer;
    }
}
