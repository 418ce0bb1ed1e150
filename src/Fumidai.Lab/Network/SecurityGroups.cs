using System.Net;

namespace Fumidai.Lab;

/// <summary>Stateful filters: a connection passes when a rule of any of the groups admits its first packet; answers pass by themselves.</summary>
internal static class SecurityGroups
{
    /// <summary>Whether a rule lets TCP out to this address, which belongs to these groups (empty: none of ours).</summary>
    public static bool LetOut(LabModel model, IEnumerable<string> groupIds, IPAddress to, IReadOnlyCollection<string> toGroups, int port) =>
        Admits(model, groupIds, RuleDirection.Egress, to, toGroups, port);

    /// <summary>Whether a rule lets TCP in from this address, which belongs to these groups.</summary>
    public static bool LetIn(LabModel model, IEnumerable<string> groupIds, IPAddress from, IReadOnlyCollection<string> fromGroups, int port) =>
        Admits(model, groupIds, RuleDirection.Ingress, from, fromGroups, port);

    private static bool Admits(LabModel model, IEnumerable<string> groupIds, RuleDirection direction, IPAddress other, IReadOnlyCollection<string> otherGroups, int port) =>
        groupIds.Select(id => model.SecurityGroups.GetValueOrDefault(id)).OfType<SecurityGroup>().SelectMany(g => g.Rules).Any(rule =>
            rule.Direction == direction
            && (rule.Protocol == "-1" || (rule.Protocol == "tcp" && rule.FromPort <= port && port <= rule.ToPort))
            && (rule.GroupId is { } group ? otherGroups.Contains(group) : IPNetwork.TryParse(rule.Cidr, out var range) && range.Contains(other)));
}
