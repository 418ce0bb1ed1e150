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

/// <summary>
/// May a packet pass? Read from aws-facts §8, apart from the product's own reading (design §2).
/// </summary>
internal static class Reachability
{
    private static readonly Version s_withoutEc2Messages = new(3, 3, 40, 0);

    /// <summary>From an instance to an address inside the VPC (a cluster's, another instance's).</summary>
    public static Reach FromInstance(LabModel model, string instanceId, IPAddress to, int port) => model.Read(m =>
    {
        if (NotRunning(m, instanceId, out var from) is { } off)
            return off;
        var vpc = m.Vpcs[from.VpcId];
        if (IPAddress.IsLoopback(to) && !IsLabAddress(m, to))
            return new Reach(Verdict.Open, $"{to} is {from.Id} itself");
        if (!vpc.Cidr.Contains(to))
            return Outside(m, from, to, port);
        if (Interface.At(m, from.VpcId, to) is not { } target)
            return new Reach(Verdict.Dropped, $"nothing has the address {to} in {from.VpcId}");
        if (target.Owner == from.Id)
            return new Reach(Verdict.Open, $"{to} is {from.Id} itself");
        return Pass(m, from, target, to, port);
    });

    /// <summary>From the internet (the user's laptop, at this source address) to an instance's public address.</summary>
    public static Reach FromInternet(LabModel model, IPAddress source, string instanceId, int port) => model.Read(m =>
    {
        if (NotRunning(m, instanceId, out var instance) is { } off)
            return off;
        if (instance.PublicAddress is null)
            return new Reach(Verdict.Dropped, $"{instanceId} has no public address");
        if (!m.Subnets.TryGetValue(instance.SubnetId, out var subnet)
            || Routing.TargetOf(m, subnet, Routing.SomewhereOutside) is not { } target
            || !m.InternetGateways.TryGetValue(target, out var gateway))
            return new Reach(Verdict.Dropped, $"{instance.SubnetId} has no route to an internet gateway");
        if (gateway.VpcId != instance.VpcId)
            return new Reach(Verdict.Dropped, $"{gateway.Id} is not attached to {instance.VpcId}");
        if (NetworkAcl.WhyNot(m, null, source, subnet, instance.PrivateAddress, port) is { } refused)
            return new Reach(Verdict.Dropped, refused);
        if (!SecurityGroups.LetIn(m, instance.SecurityGroupIds, source, [], port))
            return new Reach(Verdict.Dropped, $"no rule of {string.Join(", ", instance.SecurityGroupIds)} lets {source} in on port {port}");
        return new Reach(Verdict.Open, $"{source} may reach {instanceId} on port {port}");
    });

    /// <summary>From an EC2 Instance Connect Endpoint to a private address of its VPC (aws-facts §6.1).</summary>
    public static Reach FromConnectEndpoint(LabModel model, string endpointId, IPAddress client, IPAddress to, int port) => model.Read(m =>
    {
        if (!m.ConnectEndpoints.TryGetValue(endpointId, out var endpoint))
            return new Reach(Verdict.Dropped, $"{endpointId} does not exist");
        if (Interface.At(m, endpoint.VpcId, to) is not { } target)
            return new Reach(Verdict.Dropped, $"nothing has the address {to} in {endpoint.VpcId}");
        if (!SecurityGroups.LetOut(m, endpoint.SecurityGroupIds, to, target.Groups, port))
            return new Reach(Verdict.Dropped, $"no rule of {string.Join(", ", endpoint.SecurityGroupIds)} lets {endpointId} out to {target.Owner} on port {port}");
        if (NetworkAcl.WhyNot(m, m.Subnets.GetValueOrDefault(endpoint.SubnetId), endpoint.Address, NetworkAcl.SubnetOf(m, endpoint.VpcId, to), to, port) is { } refused)
            return new Reach(Verdict.Dropped, refused);
        // With the client's address kept, that is what a rule sees.
        var (source, groups) = endpoint.PreservesClientAddress ? (client, (IReadOnlyCollection<string>)[]) : (endpoint.Address, endpoint.SecurityGroupIds);
        if (!SecurityGroups.LetIn(m, target.Groups, source, groups, port))
            return new Reach(Verdict.Dropped, $"no rule of {string.Join(", ", target.Groups)} lets {endpointId} in on port {port}");
        return target.IsUp ? new Reach(Verdict.Open, $"{endpointId} may reach {target.Owner} on port {port}") : new Reach(Verdict.Dropped, $"{target.Owner} is not running");
    });

    /// <summary>Whether an instance's agent can be Online now: running, role allows, each endpoint it needs is reached (or NAT, or internet gateway with public address).</summary>
    public static Reach AgentOnline(LabModel model, string instanceId) => model.Read(m =>
    {
        if (NotRunning(m, instanceId, out var instance) is { } off)
            return off;
        if (instance.InstanceProfileArn is not { } arn || !m.InstanceProfiles.TryGetValue(arn, out var profile))
            return new Reach(Verdict.Refused, $"{instanceId} has no instance profile");
        if (profile.RoleName is null || m.FindRole(profile.Account, profile.RoleName) is not { } role)
            return new Reach(Verdict.Refused, $"instance profile {profile.Name} holds no role");
        if (instance.HttpEndpoint == "disabled")
            return new Reach(Verdict.Refused, $"{instanceId} has its metadata service off, from which its agent takes its keys");
        foreach (var action in Agent.Actions)
        {
            if (!Permissions.RoleAllows(role, action))
                return new Reach(Verdict.Refused, $"role {role.Name} does not allow {action}");
        }
        var services = Version.TryParse(instance.AgentVersion, out var version) && version >= s_withoutEc2Messages ? Agent.Services : Agent.OlderServices;
        foreach (var service in services)
        {
            if (ToService(m, instance, service) is { Verdict: not Verdict.Open } blocked)
                return blocked;
        }
        return new Reach(Verdict.Open, $"{instanceId} reaches {string.Join(", ", services)}");
    });

    /// <summary>Resolves a name as the instance would; null: NXDOMAIN. Private names resolve only inside their VPC.</summary>
    public static IPAddress? Resolve(LabModel model, string instanceId, string name) =>
        model.Read(m => m.Instances.TryGetValue(instanceId, out var instance) ? VpcResolver.Resolve(m, instance, name) : null);

    /// <summary>From an instance to one of AWS's services on 443, by the VPC's endpoint for it or over the internet.</summary>
    private static Reach ToService(LabModel m, Instance instance, string service)
    {
        var vpc = m.Vpcs[instance.VpcId];
        if (!vpc.EnableDnsSupport)
            return new Reach(Verdict.Dropped, $"{vpc.Id} has DNS support off: {service} does not resolve");
        var name = $"{service}.{instance.Region}.amazonaws.com";
        if (VpcResolver.PrivateEndpointOf(m, instance, name) is { } endpoint)
        {
            // The private name leads to the endpoint alone: a NAT beside it does not help when the endpoint refuses.
            var interfaceAddress = endpoint.Interfaces.First().Value;
            var reach = Pass(m, instance, new Interface(endpoint.Id, endpoint.SecurityGroupIds, true, false), interfaceAddress, 443);
            if (reach.Verdict != Verdict.Open)
                return reach;
            var denied = endpoint.PolicyDocument is { } policy ? Agent.Actions.FirstOrDefault(a => a.StartsWith(service + ":", StringComparison.Ordinal) && !Permissions.PolicyAllows(policy, a)) : null;
            return denied is null ? reach : new Reach(Verdict.Refused, $"the policy of {endpoint.Id} does not allow {denied}");
        }
        var whyNoEndpoint = VpcResolver.WhyNoPrivateEndpoint(m, instance, name);
        if (Routing.WhyNoInternet(m, instance) is { } why)
            return new Reach(Verdict.Dropped, $"{name}: {whyNoEndpoint}, and {why}");
        if (!SecurityGroups.LetOut(m, instance.SecurityGroupIds, Routing.SomewhereOutside, [], 443))
            return new Reach(Verdict.Dropped, $"no rule of {string.Join(", ", instance.SecurityGroupIds)} lets out to {name} on port 443");
        if (NetworkAcl.WhyNot(m, m.Subnets.GetValueOrDefault(instance.SubnetId), instance.PrivateAddress, null, Routing.SomewhereOutside, 443) is { } refused)
            return new Reach(Verdict.Dropped, refused);
        return new Reach(Verdict.Open, $"{instance.Id} reaches {name} over the internet");
    }

    private static Reach Pass(LabModel m, Instance from, Interface target, IPAddress to, int port)
    {
        if (!SecurityGroups.LetOut(m, from.SecurityGroupIds, to, target.Groups, port))
            return new Reach(Verdict.Dropped, $"no rule of {string.Join(", ", from.SecurityGroupIds)} lets {from.Id} out to {target.Owner} on port {port}");
        if (!SecurityGroups.LetIn(m, target.Groups, from.PrivateAddress, from.SecurityGroupIds, port))
            return new Reach(Verdict.Dropped, $"no rule of {string.Join(", ", target.Groups)} lets {from.Id} in on port {port}");
        if (NetworkAcl.WhyNot(m, m.Subnets.GetValueOrDefault(from.SubnetId), from.PrivateAddress, NetworkAcl.SubnetOf(m, from.VpcId, to), to, port) is { } refused)
            return new Reach(Verdict.Dropped, refused);
        if (!target.IsUp)
            return target.RefusesWhenDown ? new Reach(Verdict.Refused, $"{target.Owner} is stopped") : new Reach(Verdict.Dropped, $"{target.Owner} is not running");
        return new Reach(Verdict.Open, $"{from.Id} may reach {target.Owner} on port {port}");
    }

    private static Reach Outside(LabModel m, Instance from, IPAddress to, int port)
    {
        if (m.Stands.IsStand(to))
            return new Reach(Verdict.Dropped, $"nothing has the address {to}");
        if (m.Vpcs.Values.FirstOrDefault(v => v.Cidr.Contains(to)) is { } other)
            return new Reach(Verdict.Dropped, $"{to} belongs to {other.Id}, to which {from.VpcId} has no route");
        if (Routing.WhyNoInternet(m, from) is { } why)
            return new Reach(Verdict.Dropped, why);
        return SecurityGroups.LetOut(m, from.SecurityGroupIds, to, [], port)
            ? new Reach(Verdict.Open, $"{from.Id} reaches {to} over the internet")
            : new Reach(Verdict.Dropped, $"no rule of {string.Join(", ", from.SecurityGroupIds)} lets {from.Id} out to {to} on port {port}");
    }

    private static bool IsLabAddress(LabModel m, IPAddress address) => m.Stands.IsOfBlock(address) || m.Vpcs.Values.Any(v => v.Cidr.Contains(address));

    private static Reach? NotRunning(LabModel m, string instanceId, out Instance instance)
    {
        if (!m.Instances.TryGetValue(instanceId, out instance!))
            return new Reach(Verdict.Dropped, $"{instanceId} does not exist");
        return instance.State == "running" ? null : new Reach(Verdict.Dropped, $"{instanceId} is {instance.State}");
    }

    /// <summary>What an agent needs (aws-facts §2.1, §2.5, §2.2).</summary>
    private static class Agent
    {
        public static readonly string[] Actions =
        [
            "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
        ];
        public static readonly string[] Services = ["ssm", "ssmmessages"];
        public static readonly string[] OlderServices = ["ssm", "ssmmessages", "ec2messages"];
    }
}
