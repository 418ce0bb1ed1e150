using System.Globalization;

namespace Fumidai;

/// <summary>The Session Manager agent (rows 8, 12, 13; §2.6). Its silence is a consequence wherever something else explains it.</summary>
internal static class AgentRules
{
    private static readonly Version s_remoteHost = new(3, 1, 1374, 0);

    internal static readonly Rule[] All =
    [
        new("agent-too-old", Hop.Agent, v => v.IsSsm && Version.TryParse(v.Bastion?.AgentVersion, out var version) && version < s_remoteHost
            ? new("agent-too-old", Hop.Agent, "the bastion's agent cannot forward to another host", $"{v.Bastion!.Id} has agent {version}, forwarding came with 3.1.1374.0", Fixes.Sentence($"aws ssm send-command --document-name AWS-UpdateSSMAgent --instance-ids {v.Bastion.Id}")) : null),
        new("dns-of-its-own", Hop.Agent, v => v.IsAgentCut && v.Topology.Vpc is { OwnNameServers: { Count: > 0 } servers } vpc
            ? new("dns-of-its-own", Hop.Agent, "the VPC's own name servers may not know the endpoints' private names", $"the DHCP options of {vpc.Id} name {string.Join(", ", servers)} instead of AmazonProvidedDNS", Fixes.Sentence("let those servers forward amazonaws.com to the VPC's resolver (the second address of its range)")) { IsConsequence = true } : null),
        new("agent-asleep", Hop.Agent, v => v.IsSsm && v.Bastion is { State: "running", PingStatus: null, Launched: { } launched } b && v.Topology.Endpoints.Where(e => e.Service is "ssm" or "ssmmessages").Any(e => e.Created > launched)
            ? new("agent-asleep", Hop.Agent, "the bastion's agent sleeps before it tries again", string.Create(CultureInfo.InvariantCulture, $"{b.Id} booted {launched.UtcDateTime:HH:mm}Z, before its endpoints were there, and an agent that failed to register waits up to an hour"), Fixes.Reboot(b)) { IsConsequence = true } : null),
        new("agent-unregistered", Hop.Agent, v => v.IsSsm && v.Bastion is { State: "running", PingStatus: null } b && v.Topology.Knows(TopologyQuestions.Instances)
            ? new("agent-unregistered", Hop.Agent, "the bastion's agent has never registered", $"Session Manager does not know {b.Id}; its image may have no agent, or it has just booted", Fixes.Reboot(b)) { IsConsequence = true } : null),
        new("agent-offline", Hop.Agent, v => v.IsSsm && v.Bastion is { State: "running", PingStatus: { } ping } b && ping != "Online"
            ? new("agent-offline", Hop.Agent, "the bastion's agent is offline", $"Session Manager says {ping} of {b.Id}; disk or memory may be full (aws ec2 get-console-output --instance-id {b.Id})", Fixes.Reboot(b)) { IsConsequence = true } : null),
        new("agent-not-connected", Hop.Agent, v => v.IsAgentCut && v.Bastion is { PingStatus: "Online" } b
            ? new("agent-not-connected", Hop.Agent, "the bastion's agent is not connected now", $"ssm:GetConnectionStatus says notconnected of {b.Id}, though its last ping is fresh; it tries again by itself within minutes, a reboot wakes it at once", Fixes.Reboot(b)) { IsConsequence = true } : null),
    ];
}
