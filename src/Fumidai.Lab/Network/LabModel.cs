using System.Net;

namespace Fumidai.Lab;

/// <summary>
/// The lab's world: accounts, networks, machines, databases, secrets. Operations change it under <see cref="Change"/>; whoever needs to know
/// whether a packet may pass asks <see cref="Reachability"/> anew each time. Nothing caches its answers.
/// </summary>
internal sealed class LabModel
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Dictionary<string, Vpc> Vpcs { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, Subnet> Subnets { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, RouteTable> RouteTables { get; } = new(StringComparer.Ordinal);
    /// <summary>A VPC's default one from the first time it is asked for.</summary>
    public Dictionary<string, NetworkAcl> NetworkAcls { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, InternetGateway> InternetGateways { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, NatGateway> NatGateways { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, ElasticAddress> ElasticAddresses { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, SecurityGroup> SecurityGroups { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, VpcEndpoint> Endpoints { get; } = new(StringComparer.Ordinal);
    /// <summary>EC2 Instance Connect Endpoints.</summary>
    public Dictionary<string, ConnectEndpoint> ConnectEndpoints { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, Instance> Instances { get; } = new(StringComparer.Ordinal);
    /// <summary>By ARN.</summary>
    public Dictionary<string, InstanceProfile> InstanceProfiles { get; } = new(StringComparer.Ordinal);
    /// <summary>By <see cref="Key(string, string)"/>.</summary>
    public Dictionary<string, Role> Roles { get; } = new(StringComparer.Ordinal);
    /// <summary>By <see cref="Key(string, string)"/>.</summary>
    public Dictionary<string, User> Users { get; } = new(StringComparer.Ordinal);
    // Lab only: names of databases and subnet groups are unique in the whole lab (on AWS: per account and region), so that one server answers to one name.
    public Dictionary<string, DbSubnetGroup> DbSubnetGroups { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, DbCluster> DbClusters { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, DbInstance> DbInstances { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, DbClusterSnapshot> DbClusterSnapshots { get; } = new(StringComparer.Ordinal);
    /// <summary>By ARN.</summary>
    public Dictionary<string, SecretEntry> Secrets { get; } = new(StringComparer.Ordinal);

    /// <summary>Session Manager preferences by account and region: the content of SSM-SessionManagerRunShell and its version. Lab only: told, not kept to.</summary>
    public Dictionary<string, (string Content, int Version)> SessionPreferences { get; } = new(StringComparer.Ordinal);

    /// <summary>CloudFormation's stacks by id, deleted ones too.</summary>
    public Dictionary<string, Stack> Stacks { get; } = new(StringComparer.Ordinal);

    /// <summary>The loopback addresses that stand for addresses of the VPCs' own ranges.</summary>
    public LoopbackStands Stands { get; init; } = new();

    /// <summary>VPCs that an account may have in a region; AWS's default. A control call sets it.</summary>
    public int VpcQuota { get; set; } = 5;

    /// <summary>A role by its account and name; null: none. Call it under <see cref="Read"/> or <see cref="Change"/>.</summary>
    public Role? FindRole(string account, string name) => Roles.GetValueOrDefault(Key(account, name));

    /// <summary>The key of things whose name is their account's: users and roles.</summary>
    public static string Key(string account, string name) => $"{account}/{name}";

    /// <summary>Reads under the model's lock.</summary>
    public T Read<T>(Func<LabModel, T> read)
    {
        lock (_gate)
            return read(this);
    }

    /// <summary>Changes under the model's lock, then wakes whoever waits on <see cref="NextChange"/>.</summary>
    public T Change<T>(Func<LabModel, T> change)
    {
        TaskCompletionSource wake;
        T result;
        lock (_gate)
        {
            result = change(this);
            wake = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        wake.SetResult();
        return result;
    }

    /// <summary>Completes at the next change. Take it before reading, or a change may be missed.</summary>
    public Task NextChange
    {
        get
        {
            lock (_gate)
                return _changed.Task;
        }
    }
}

internal abstract class Resource
{
    public required string Id { get; init; }
    public required string Account { get; init; }
    public required string Region { get; init; }
    public Dictionary<string, string> Tags { get; } = new(StringComparer.Ordinal);
}

internal sealed class Vpc : Resource
{
    /// <summary>The seed's are loopback ranges themselves (127.86.0.0/16); of others <see cref="LabModel.Stands"/> knows the real addresses.</summary>
    public required IPNetwork Cidr { get; init; }
    public bool EnableDnsSupport { get; set; } = true;
    public bool EnableDnsHostnames { get; set; }
}

internal sealed class Subnet : Resource
{
    public required string VpcId { get; init; }
    public required string AvailabilityZone { get; init; }
    public required IPNetwork Cidr { get; init; }
    public bool MapPublicIpOnLaunch { get; set; }
}

internal sealed record Route(string Destination, string TargetId);

internal sealed class RouteTable : Resource
{
    public required string VpcId { get; init; }
    public bool IsMain { get; set; }
    public List<Route> Routes { get; } = [];
    /// <summary>Association id to subnet id.</summary>
    public Dictionary<string, string> Associations { get; } = new(StringComparer.Ordinal);
}

internal sealed class InternetGateway : Resource
{
    public string? VpcId { get; set; }
}

internal sealed class NatGateway : Resource
{
    public required string VpcId { get; init; }
    public required string SubnetId { get; init; }
    public string State { get; set; } = "available";
    /// <summary>The address it speaks with; null: none is told.</summary>
    public string? AllocationId { get; init; }
    public IPAddress? PrivateAddress { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>An Elastic IP. Id is <c>eipalloc-…</c>.</summary>
internal sealed class ElasticAddress : Resource
{
    /// <summary>A loopback address standing for the public one.</summary>
    public required IPAddress Address { get; init; }
    /// <summary>eipassoc-…, while something uses it.</summary>
    public string? AssociationId { get; set; }
    /// <summary>The instance that has it.</summary>
    public string? InstanceId { get; set; }
}

internal enum RuleDirection
{
    Ingress,
    Egress,
}

/// <summary>One security-group rule. Protocol <c>tcp</c>, <c>udp</c>, <c>icmp</c> or <c>-1</c>; exactly one of Cidr and GroupId.</summary>
internal sealed record SecurityGroupRule(string RuleId, RuleDirection Direction, string Protocol, int FromPort, int ToPort, string? Cidr, string? GroupId, string? Description);

internal sealed class SecurityGroup : Resource
{
    public required string VpcId { get; init; }
    public required string Name { get; init; }
    public required string Description { get; init; }
    public List<SecurityGroupRule> Rules { get; } = [];
}

internal sealed class VpcEndpoint : Resource
{
    public required string VpcId { get; init; }
    /// <summary>e.g. <c>com.amazonaws.ap-northeast-1.ssm</c>.</summary>
    public required string ServiceName { get; init; }
    public string Type { get; init; } = "Interface";
    public string State { get; set; } = "available";
    public bool PrivateDnsEnabled { get; set; } = true;
    /// <summary>Its interfaces: subnet to address.</summary>
    public Dictionary<string, IPAddress> Interfaces { get; } = new(StringComparer.Ordinal);
    public IReadOnlyCollection<string> SubnetIds => Interfaces.Keys;
    /// <summary>Gateway endpoints: the route tables that point to it.</summary>
    public List<string> RouteTableIds { get; } = [];
    public List<string> SecurityGroupIds { get; } = [];
    /// <summary>Null: allows everything.</summary>
    public string? PolicyDocument { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class Instance : Resource
{
    public required string VpcId { get; init; }
    public required string SubnetId { get; init; }
    public required string AvailabilityZone { get; init; }
    public required IPAddress PrivateAddress { get; init; }
    /// <summary>A loopback address standing for the public one; null: none.</summary>
    public IPAddress? PublicAddress { get; set; }
    public string ImageId { get; init; } = "ami-0lab0000000000001";
    public string InstanceType { get; set; } = "t4g.nano";
    public string State { get; set; } = "running";
    public string? InstanceProfileArn { get; set; }
    /// <summary>iip-assoc-…, while a profile is attached.</summary>
    public string? ProfileAssociationId { get; set; }
    public List<string> SecurityGroupIds { get; } = [];
    public DateTimeOffset LaunchedAt { get; set; }
    public string AgentVersion { get; set; } = "3.3.1142.0";
    public string? ClientToken { get; init; }
    /// <summary>Base64, as given; the lab runs none of it.</summary>
    public string? UserData { get; set; }
    /// <summary>stop or terminate.</summary>
    public string ShutdownBehavior { get; set; } = "stop";
    public bool DisableApiTermination { get; set; }
    public string HttpTokens { get; set; } = "required";
    public int HttpHopLimit { get; set; } = 2;
    public string HttpEndpoint { get; set; } = "enabled";
    public InstanceVolume? RootVolume { get; init; }
}

/// <summary>An instance's root volume: told, not emulated. It goes with the instance.</summary>
internal sealed record InstanceVolume(string Id, string Device, string Type, int Gigabytes, bool IsEncrypted);

/// <summary>An IAM user. Id is <c>AIDA…</c>. Keys are dummies: they open the lab and nothing else.</summary>
internal sealed class User : Resource
{
    public required string Name { get; init; }
    public required string AccessKeyId { get; init; }
    public required string SecretAccessKey { get; init; }
    public List<string> AttachedPolicyArns { get; } = [];
    public Dictionary<string, string> InlinePolicies { get; } = new(StringComparer.Ordinal);
}

/// <summary>An IAM role. Id is <c>AROA…</c>.</summary>
internal sealed class Role : Resource
{
    public required string Name { get; init; }
    /// <summary>Who may assume it (a policy with Principal elements).</summary>
    public required string TrustPolicy { get; set; }
    public string Path { get; init; } = "/";
    public string? Description { get; set; }
    public int MaxSessionSeconds { get; set; } = 3600;
    public DateTimeOffset CreatedAt { get; init; } = DateTimeOffset.UnixEpoch;
    public List<string> AttachedPolicyArns { get; } = [];
    public Dictionary<string, string> InlinePolicies { get; } = new(StringComparer.Ordinal);
}

internal sealed class InstanceProfile : Resource
{
    public required string Name { get; init; }
    public string Path { get; init; } = "/";
    public DateTimeOffset CreatedAt { get; init; } = DateTimeOffset.UnixEpoch;
    public string Arn => $"arn:aws:iam::{Account}:instance-profile{Path}{Name}";
    public string? RoleName { get; set; }
}

internal sealed class DbSubnetGroup : Resource
{
    public required string VpcId { get; init; }
    public required string Description { get; set; }
    public List<string> SubnetIds { get; } = [];
}

internal sealed class DbCluster : Resource
{
    public required string Engine { get; init; }
    public required string EngineVersion { get; init; }
    public string Status { get; set; } = "available";
    public required string Endpoint { get; init; }
    public required string ReaderEndpoint { get; init; }
    public int Port { get; init; } = 5432;
    /// <summary>Where the writer's endpoint resolves to inside the VPC: a loopback address of 127.86.0.0/16.</summary>
    public required IPAddress Address { get; set; }
    /// <summary>Where it resolved to before failovers. Lab only: nobody answers there any more; on AWS the former writer comes back as a reader.</summary>
    public List<IPAddress> FormerAddresses { get; } = [];
    public required string SubnetGroup { get; init; }
    public List<string> SecurityGroupIds { get; } = [];
    public string? DatabaseName { get; init; }
    public required string MasterUsername { get; init; }
    public string? MasterSecretArn { get; set; }
    /// <summary>active, rotating.</summary>
    public string MasterSecretStatus { get; set; } = "active";
    public bool DeletionProtection { get; set; }
    public double? MinCapacity { get; set; }
    public double? MaxCapacity { get; set; }
    public int? SecondsUntilAutoPause { get; set; }
    public bool IamAuthentication { get; set; }
    public bool HttpEndpoint { get; set; }
    /// <summary>At 0 ACU; a control call sets it, a call of the Data API begins to wake it.</summary>
    public bool IsPaused { get; set; }
    public bool IsResuming { get; set; }
    public bool CopyTagsToSnapshot { get; set; }
    public int BackupRetentionDays { get; set; } = 1;
    public required string ResourceId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class DbInstance : Resource
{
    public string? ClusterId { get; init; }
    public required string Engine { get; init; }
    public string InstanceClass { get; init; } = "db.serverless";
    public string Status { get; set; } = "available";
    public required string Endpoint { get; init; }
    public required string AvailabilityZone { get; init; }
    public bool IsWriter { get; set; } = true;
    public required string ResourceId { get; init; }
}

/// <summary>What is left of a cluster: a line in a list. Lab only: it holds no data and restores nothing.</summary>
internal sealed class DbClusterSnapshot : Resource
{
    public required string ClusterId { get; init; }
    public required string Engine { get; init; }
    public required string EngineVersion { get; init; }
    public required string MasterUsername { get; init; }
    public required string VpcId { get; init; }
    public int Port { get; init; } = 5432;
    public string Status { get; set; } = "available";
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset ClusterCreatedAt { get; init; }
}

internal sealed class SecretEntry : Resource
{
    public required string Arn { get; init; }
    public required string Name { get; init; }
    public string? Description { get; set; }
    /// <summary>The version labelled AWSCURRENT.</summary>
    public required string VersionId { get; set; }
    /// <summary>The version labelled AWSPREVIOUS.</summary>
    public string? PreviousVersionId { get; set; }
    public string? PreviousSecretString { get; set; }
    public DateTimeOffset ChangedAt { get; set; }
    /// <summary>When it was marked for deletion; null: it lives.</summary>
    public DateTimeOffset? DeletedAt { get; set; }
    public required string SecretString { get; set; }
    public string? OwningService { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}
