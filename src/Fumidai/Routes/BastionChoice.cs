using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Which instance to go through. The rules here are pure; <see cref="FindBastion"/> asks AWS.</summary>
internal static class BastionChoice
{
    /// <summary>Put on an instance whose start is ours to order: <c>fumidai:start=auto</c>, or any instance that <c>fumidai up</c> made.</summary>
    internal const string StartTag = "fumidai:start";
    internal const string StackTag = "fumidai:stack";
    internal const string SshUserTag = "fumidai:ssh-user";
    internal const string SshPortTag = "fumidai:ssh-port";

    internal static bool MayBeStarted(BastionInstance bastion) =>
        bastion.Tags.ContainsKey(StackTag) || bastion.Tags.GetValueOrDefault(StartTag) == "auto";

    internal static int SshPort(BastionInstance bastion, int? setting) =>
        setting ?? (bastion.Tags.TryGetValue(SshPortTag, out var tag) && int.TryParse(tag, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 ? port : 22);

    /// <summary>
    /// Ports of which the groups must admit one: the port dialled, and 22 where only a tag names another one, because the tag then tells of a
    /// translation on the way (the lab of an ordinary user cannot bind 22) and the rule is that of the port behind it.
    /// </summary>
    internal static IReadOnlyList<int> GuardedSshPorts(BastionInstance bastion, int? setting) =>
        SshPort(bastion, setting) is var port && setting is null && port != 22 ? [port, 22] : [port];

    internal static string SshUser(BastionInstance bastion, string? setting) =>
        setting ?? (bastion.Tags.TryGetValue(SshUserTag, out var user) && user.Length > 0 ? user : "ec2-user");

    /// <summary>Ours before others', private before public, then by id, so that the same machine is taken every time.</summary>
    internal static IOrderedEnumerable<BastionInstance> InOrder(IEnumerable<BastionInstance> bastions) =>
        bastions.OrderByDescending(b => b.Tags.ContainsKey(StackTag))
            .ThenByDescending(b => b.Tags.Keys.Any(k => k.StartsWith("fumidai:", StringComparison.Ordinal)))
            .ThenBy(b => b.PublicAddress is not null)
            .ThenBy(b => b.Id, StringComparer.Ordinal);

    /// <summary>The instance for a Session Manager session, which may have to be started first.</summary>
    /// <exception cref="FumidaiException">NoRoute with what to do; Usage when several fit and nothing says which.</exception>
    internal static BastionInstance ForSsm(IReadOnlyList<BastionInstance> bastions, string where, bool onlyOne)
    {
        var online = InOrder(bastions.Where(b => b.IsOnline)).ToArray();
        if (online.Length > 1 && onlyOne)
            throw Several(online, where);
        if (online.Length > 0)
            return online[0];
        if (InOrder(bastions.Where(b => b.State is "stopped" && MayBeStarted(b))).FirstOrDefault() is { } startable)
            return startable;
        throw NoneOnline(bastions, where);
    }

    /// <summary>Instances an ssh client could reach: running, with a public address.</summary>
    /// <exception cref="FumidaiException">NoRoute when there is none.</exception>
    internal static IReadOnlyList<BastionInstance> ForSsh(IReadOnlyList<BastionInstance> bastions, string where)
    {
        var reachable = InOrder(bastions.Where(b => b.State == "running" && b.PublicAddress is not null)).ToArray();
        if (reachable.Length > 0)
            return reachable;
        if (bastions is [{ State: "running" } only])
            throw new FumidaiException(Reason.NoRoute, $"{only.Id} cannot be reached by ssh", "it has no public address", "The ssm route needs none: --via ssm");
        var stopped = bastions.FirstOrDefault(b => b.State == "stopped");
        throw new FumidaiException(
            Reason.NoRoute,
            $"no bastion for ssh in {where}",
            bastions.Count == 0 ? "there is no instance" : "no running instance has a public address",
            stopped is null ? "The ssm route needs no public address: --via ssm" : StartCommand(stopped));
    }

    internal static FumidaiException NotOnline(BastionInstance bastion) => bastion.State switch
    {
        "running" when bastion.PingStatus is null => new FumidaiException(
            Reason.NoRoute, $"{bastion.Id} cannot be reached through Session Manager",
            "it runs, but its agent has never registered",
            "Its role must allow Session Manager, and it needs a way to the ssm and ssmmessages endpoints; a machine that has just booted needs a minute", retry: true),
        "running" => new FumidaiException(
            Reason.NoRoute, $"{bastion.Id} cannot be reached through Session Manager",
            $"it runs, but its agent is {bastion.PingStatus}",
            $"Check the endpoints of its VPC, or restart it: aws ec2 reboot-instances --instance-ids {bastion.Id}", retry: true),
        _ => new FumidaiException(Reason.NoRoute, $"{bastion.Id} cannot be used", $"it is {bastion.State}", StartCommand(bastion)),
    };

    internal static string StartCommand(BastionInstance bastion) => $"Start it: aws ec2 start-instances --instance-ids {bastion.Id}";

    private static FumidaiException NoneOnline(IReadOnlyList<BastionInstance> bastions, string where)
    {
        var best = InOrder(bastions.Where(b => b.State == "running")).FirstOrDefault() ?? InOrder(bastions).FirstOrDefault();
        if (best is null)
            return new FumidaiException(Reason.NoRoute, $"no bastion for ssm in {where}", "there is no instance", "Name one elsewhere with --bastion, or create one");
        var one = NotOnline(best);
        return new FumidaiException(Reason.NoRoute, $"no bastion for ssm in {where}", $"{best.Id}: {one.Cause}", one.Next, one.IsTransient);
    }

    private static FumidaiException Several(BastionInstance[] online, string where) =>
        new(Reason.Usage, $"several bastions are online in {where}",
            string.Join(", ", online.Take(10).Select(b => b.Name is null ? b.Id : $"{b.Id} ({b.Name})")),
            "Name one with --bastion");
}
