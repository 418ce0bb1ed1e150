
namespace Fumidai;

/// <summary>What is asked for a topology; the words stand in <see cref="Topology.Unread"/> and in rules that need an answer.</summary>
public static class TopologyQuestions
{
    /// <summary>AWS's clock.</summary>
    public const string Clock = "the time at AWS";
    /// <summary>This machine's address.</summary>
    public const string OwnAddress = "this machine's address";
    /// <summary>The VPC.</summary>
    public const string Vpc = "the VPC and its DNS settings";
    /// <summary>Subnets.</summary>
    public const string Subnets = "subnets";
    /// <summary>Route tables.</summary>
    public const string RouteTables = "route tables";
    /// <summary>Network ACLs.</summary>
    public const string NetworkAcls = "network ACLs";
    /// <summary>Security groups.</summary>
    public const string Groups = "security groups";
    /// <summary>Endpoints.</summary>
    public const string Endpoints = "VPC endpoints";
    /// <summary>NAT gateways.</summary>
    public const string Nats = "NAT gateways";
    /// <summary>Internet gateways.</summary>
    public const string InternetGateways = "internet gateways";
    /// <summary>Instance Connect Endpoints.</summary>
    public const string ConnectEndpoints = "Instance Connect Endpoints";
    /// <summary>Instances.</summary>
    public const string Instances = "instances";
    /// <summary>Connections of agents.</summary>
    public const string Connections = "whether the bastion's agent is connected";
    /// <summary>Roles of instances.</summary>
    public const string Roles = "the bastion's role";
    /// <summary>What roles may do.</summary>
    public const string RoleActions = "what the bastion's role allows";
    /// <summary>What the caller may do.</summary>
    public const string CallerActions = "what your own policies allow";
    /// <summary>State of the database.</summary>
    public const string State = "the database's state";
    /// <summary>The secret.</summary>
    public const string Secret = "the secret's state";
    /// <summary>Session preferences.</summary>
    public const string Preferences = "Session Manager preferences";

    /// <summary>What an agent's role must allow (aws-facts §2.5).</summary>
    internal static readonly string[] OfAgent =
    [
        "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    ];
}
