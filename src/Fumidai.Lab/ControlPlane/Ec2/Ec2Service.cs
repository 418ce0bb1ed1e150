namespace Fumidai.Lab;

/// <summary>EC2, as far as the mission's network needs it (aws-facts §1.2, §1.25).</summary>
internal sealed class Ec2Service(LabContext context) : IAwsService
{
    private readonly InstanceCalls _instances = new(context);
    private readonly InstanceLifeCalls _life = new(context);
    private readonly InstanceProfileCalls _profiles = new(context);
    private readonly NetworkCalls _network = new(context);
    private readonly SecurityGroupCalls _groups = new(context);
    private readonly SecurityGroupRuleCalls _rules = new(context);
    private readonly VpcEndpointCalls _endpoints = new(context);
    private readonly ConnectEndpointCalls _connectEndpoints = new(context);
    private readonly NetworkAclCalls _acls = new(context);
    private readonly VpcCalls _vpcs = new(context);
    private readonly GatewayCalls _gateways = new(context);
    private readonly RouteTableCalls _tables = new(context);
    private readonly SecurityGroupLifeCalls _groupLife = new(context);
    private readonly TagCalls _tags = new(context);
    private readonly InstanceAttributeCalls _attributes = new(context);

    public string SigningName => "ec2";
    public AwsProtocol Protocol => AwsProtocol.Ec2;
    public string TargetPrefixOrVersion => "2016-11-15";

    public ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken)
    {
        var form = QueryForm.Of(call, Protocol);
        Func<AwsCall, QueryForm, AwsAnswer> answer = call.Operation switch
        {
            "DescribeInstances" => _instances.DescribeInstances,
            "DescribeInstanceStatus" => _instances.DescribeInstanceStatus,
            "RunInstances" => _life.RunInstances,
            "StartInstances" => _life.StartInstances,
            "StopInstances" => _life.StopInstances,
            "RebootInstances" => _life.RebootInstances,
            "TerminateInstances" => _life.TerminateInstances,
            "AssociateIamInstanceProfile" => _profiles.Associate,
            "DisassociateIamInstanceProfile" => _profiles.Disassociate,
            "DescribeIamInstanceProfileAssociations" => _profiles.Describe,
            "DescribeVpcs" => _network.DescribeVpcs,
            "DescribeVpcAttribute" => _network.DescribeVpcAttribute,
            "ModifyVpcAttribute" => _network.ModifyVpcAttribute,
            "DescribeSubnets" => _network.DescribeSubnets,
            "DescribeRouteTables" => _network.DescribeRouteTables,
            "CreateRoute" => _network.CreateRoute,
            "DeleteRoute" => _network.DeleteRoute,
            "DescribeNetworkAcls" => _acls.Describe,
            "CreateNetworkAcl" => _acls.Create,
            "DeleteNetworkAcl" => _acls.Delete,
            "CreateNetworkAclEntry" => _acls.CreateEntry,
            "ReplaceNetworkAclEntry" => _acls.ReplaceEntry,
            "DeleteNetworkAclEntry" => _acls.DeleteEntry,
            "ReplaceNetworkAclAssociation" => _acls.ReplaceAssociation,
            "DescribeInternetGateways" => _network.DescribeInternetGateways,
            "DescribeNatGateways" => _network.DescribeNatGateways,
            "DescribeAddresses" => _gateways.DescribeAddresses,
            "CreateVpc" => _vpcs.CreateVpc,
            "DeleteVpc" => _vpcs.DeleteVpc,
            "CreateSubnet" => _vpcs.CreateSubnet,
            "DeleteSubnet" => _vpcs.DeleteSubnet,
            "ModifySubnetAttribute" => _vpcs.ModifySubnetAttribute,
            "CreateInternetGateway" => _gateways.CreateInternetGateway,
            "AttachInternetGateway" => _gateways.AttachInternetGateway,
            "DetachInternetGateway" => _gateways.DetachInternetGateway,
            "DeleteInternetGateway" => _gateways.DeleteInternetGateway,
            "AllocateAddress" => _gateways.AllocateAddress,
            "ReleaseAddress" => _gateways.ReleaseAddress,
            "AssociateAddress" => _gateways.AssociateAddress,
            "DisassociateAddress" => _gateways.DisassociateAddress,
            "CreateNatGateway" => _gateways.CreateNatGateway,
            "DeleteNatGateway" => _gateways.DeleteNatGateway,
            "CreateRouteTable" => _tables.Create,
            "DeleteRouteTable" => _tables.Delete,
            "AssociateRouteTable" => _tables.Associate,
            "DisassociateRouteTable" => _tables.Disassociate,
            "ReplaceRoute" => _tables.ReplaceRoute,
            "CreateSecurityGroup" => _groupLife.Create,
            "DeleteSecurityGroup" => _groupLife.Delete,
            "DescribeInstanceAttribute" => _attributes.Describe,
            "ModifyInstanceAttribute" => _attributes.Modify,
            "ModifyInstanceMetadataOptions" => _attributes.ModifyMetadataOptions,
            "DescribeAvailabilityZones" => ZonesCalls.Describe,
            "DescribeTags" => _tags.Describe,
            "DeleteTags" => _tags.Delete,
            "DescribeRegions" => _network.DescribeRegions,
            "CreateTags" => _tags.Create,
            "DescribeSecurityGroups" => _groups.Describe,
            "DescribeSecurityGroupRules" => _groups.DescribeRules,
            "AuthorizeSecurityGroupIngress" => (c, f) => _rules.Authorize(c, f, RuleDirection.Ingress),
            "AuthorizeSecurityGroupEgress" => (c, f) => _rules.Authorize(c, f, RuleDirection.Egress),
            "RevokeSecurityGroupIngress" => (c, f) => _rules.Revoke(c, f, RuleDirection.Ingress),
            "RevokeSecurityGroupEgress" => (c, f) => _rules.Revoke(c, f, RuleDirection.Egress),
            "DescribeVpcEndpoints" => _endpoints.Describe,
            "CreateVpcEndpoint" => _endpoints.Create,
            "ModifyVpcEndpoint" => _endpoints.Modify,
            "DeleteVpcEndpoints" => _endpoints.Delete,
            "DescribeInstanceConnectEndpoints" => _connectEndpoints.Describe,
            "CreateInstanceConnectEndpoint" => _connectEndpoints.Create,
            "DeleteInstanceConnectEndpoint" => _connectEndpoints.Delete,
            _ => throw ApiDispatch.UnknownOperation(this, call),
        };
        // The permission was demanded already: that is all a dry run asks.
        if (form.Flag("DryRun") == true)
            throw new AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
        return ValueTask.FromResult(answer(call, form));
    }

    public IReadOnlyList<PolicyResource> ResourcesOf(AwsCall call)
    {
        // Describe calls accept only "*" (aws-facts §2.5).
        if (call.Operation.StartsWith("Describe", StringComparison.Ordinal))
            return PolicyResource.Any;
        var form = QueryForm.Of(call, Protocol);
        var touched = s_touching.SelectMany(name => form.Text(name) is { } one ? [one] : form.Texts(name)).Distinct(StringComparer.Ordinal).Select(id => (Kind: TagCalls.KindOf(id), Id: id)).ToList();
        // An association is no resource of its own: what it joins is.
        if (form.Text("AssociationId") is { } association && context.Model.Read(m => Joined(m, association)) is { } joined)
            touched.Add((TagCalls.KindOf(joined), joined));
        // What is to be made has no id yet.
        if (s_making.TryGetValue(call.Operation, out var kind))
            touched.Add((kind, "*"));
        return touched.Count == 0 ? PolicyResource.Any : context.Model.Read(m => touched.Select(t => new PolicyResource(
            $"arn:aws:ec2:{call.Region}:{call.Caller.Account}:{t.Kind}/{t.Id}", TagsOf(m, t.Id))).ToList());
    }

    public IReadOnlyList<(string Action, PolicyResource Resource)> AlsoDemanded(AwsCall call)
    {
        var form = QueryForm.Of(call, Protocol);
        var also = new List<(string, PolicyResource)>();
        foreach (var kind in form.Structures("TagSpecification").Select(p => form.Text($"{p}.ResourceType")).OfType<string>())
            also.Add(("ec2:CreateTags", new($"arn:aws:ec2:{call.Region}:{call.Caller.Account}:{kind}/*", new Dictionary<string, string> { ["ec2:CreateAction"] = call.Operation })));
        if (call.Operation is "RunInstances" or "AssociateIamInstanceProfile" && context.Model.Read(m => InstanceProfileCalls.RoleOf(m, call, form)) is { } role)
            also.Add(("iam:PassRole", new($"arn:aws:iam::{role.Account}:role{role.Path}{role.Name}", new Dictionary<string, string> { ["iam:PassedToService"] = "ec2.amazonaws.com" })));
        // EC2 puts the endpoint's private names in a hosted zone and joins it with the VPC, with the caller's permission.
        if (call.Operation == "CreateVpcEndpoint" && form.Text("VpcEndpointType") == "Interface" && form.Flag("PrivateDnsEnabled") != false)
            also.Add(("route53:AssociateVPCWithHostedZone", PolicyResource.Any[0]));
        return also;
    }

    private static string? Joined(LabModel m, string association) =>
        m.RouteTables.Values.FirstOrDefault(t => t.Associations.ContainsKey(association))?.Id
        ?? m.ElasticAddresses.Values.FirstOrDefault(a => a.AssociationId == association)?.Id
        ?? m.Instances.Values.FirstOrDefault(i => i.ProfileAssociationId == association)?.Id;

    private static readonly string[] s_touching =
    [
        "InstanceId", "GroupId", "VpcEndpointId", "InstanceConnectEndpointId", "VpcId", "SubnetId", "RouteTableId", "InternetGatewayId", "NatGatewayId", "NetworkAclId", "AllocationId", "ResourceId", "SecurityGroupId",
        "NetworkInterface.1.SubnetId", "NetworkInterface.1.SecurityGroupId",
    ];

    private static readonly Dictionary<string, string> s_making = new(StringComparer.Ordinal)
    {
        ["RunInstances"] = "instance",
        ["CreateVpc"] = "vpc",
        ["CreateSubnet"] = "subnet",
        ["CreateInternetGateway"] = "internet-gateway",
        ["AllocateAddress"] = "elastic-ip",
        ["CreateNatGateway"] = "natgateway",
        ["CreateNetworkAcl"] = "network-acl",
        ["CreateRouteTable"] = "route-table",
        ["CreateSecurityGroup"] = "security-group",
        ["CreateVpcEndpoint"] = "vpc-endpoint",
        ["CreateInstanceConnectEndpoint"] = "instance-connect-endpoint",
    };

    private static Dictionary<string, string> TagsOf(LabModel model, string id)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in TagCalls.All(model).FirstOrDefault(r => r.Id == id)?.Tags ?? [])
        {
            tags[$"aws:ResourceTag/{key}"] = value;
            tags[$"ec2:ResourceTag/{key}"] = value;
        }
        return tags;
    }
}
