using System.Net;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Security groups as VPCs apply them: stateful, a connection passes when any rule of any group admits it (aws-facts §8.1).</summary>
internal static class GroupReading
{
    /// <summary>Whether TCP to a port passes; true where a group of theirs could not be read, or a rule names a prefix list, which is not resolved.</summary>
    internal static bool Admit(this Topology topology, IReadOnlyList<string> groupIds, bool egress, int port, IPAddress? other, IReadOnlyList<string> otherGroups)
    {
        if (!topology.Knows(TopologyQuestions.Groups) || groupIds.Count == 0)
            return true;
        var groups = topology.Groups.Where(g => groupIds.Contains(g.Id, StringComparer.Ordinal)).ToList();
        if (groups.Count < groupIds.Distinct(StringComparer.Ordinal).Count())
            return true;
        return groups.SelectMany(g => g.Rules).Any(rule => rule.IsEgress == egress && IsPort(rule, port)
            && (rule.GroupIds.Any(g => otherGroups.Contains(g, StringComparer.Ordinal)) || rule.PrefixListIds.Count > 0
                || (other is not null && rule.Cidrs.Any(c => Ranges.Hold(c, other)))
                || (other is null && otherGroups.Count == 0 && rule.Cidrs.Count > 0)));
    }

    /// <summary>Ranges that rules of these groups admit to a port.</summary>
    internal static IReadOnlyList<string> CidrsFor(this Topology topology, IReadOnlyList<string> groupIds, int port) =>
        [.. topology.Groups.Where(g => groupIds.Contains(g.Id, StringComparer.Ordinal)).SelectMany(g => g.Rules).Where(r => !r.IsEgress && IsPort(r, port)).SelectMany(r => r.Cidrs).Distinct(StringComparer.Ordinal)];

    private static bool IsPort(GroupRuleFacts rule, int port) => rule.Protocol == "-1" || (rule.Protocol is "tcp" or "6" && rule.FromPort <= port && port <= rule.ToPort);
}
