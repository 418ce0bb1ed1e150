using System.Net;

namespace Fumidai.Lab;

/// <summary>What happens to a TCP connection attempt.</summary>
internal enum Verdict
{
    /// <summary>It arrives; whether something listens there is the listener's business.</summary>
    Open,
    /// <summary>The SYN is dropped: the connect hangs.</summary>
    Dropped,
    /// <summary>Nothing listens there, or the machine is off within reach: refused.</summary>
    Refused,
}

/// <summary>A verdict with its reason, for people and for tests.</summary>
internal sealed record Reach(Verdict Verdict, string Why);

/// <summary>May a packet pass? Read from aws-facts §8, apart from the product's own reading (design §2).</summary>
internal static class Reachability
{
    /// <summary>From an instance to an address inside the VPC (a cluster's, another instance's).</summary>
    public static Reach FromInstance(LabModel model, string instanceId, IPAddress to, int port) => throw new NotImplementedException();

    /// <summary>From the internet (the user's laptop, at this source address) to an instance's public address.</summary>
    public static Reach FromInternet(LabModel model, IPAddress source, string instanceId, int port) => throw new NotImplementedException();

    /// <summary>Whether an instance's agent can be Online now: running, role allows, each endpoint it needs is reached (or NAT, or internet gateway with public address).</summary>
    public static Reach AgentOnline(LabModel model, string instanceId) => throw new NotImplementedException();

    /// <summary>Resolves a name as the instance would; null: NXDOMAIN. Private names resolve only inside their VPC.</summary>
    public static IPAddress? Resolve(LabModel model, string instanceId, string name) => throw new NotImplementedException();
}
