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
            "DescribeNetworkAcls" => _network.DescribeNetworkAcls,
            "DescribeInternetGateways" => _network.DescribeInternetGateways,
            "DescribeNatGateways" => _network.DescribeNatGateways,
            "DescribeAddresses" => _network.DescribeAddresses,
            "DescribeRegions" => _network.DescribeRegions,
            "CreateTags" => _network.CreateTags,
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
        (string Kind, string Id)[] touched =
        [
            .. form.Texts("InstanceId").Select(i => ("instance", i)),
            .. Single(form, "InstanceId", "instance"),
            .. Single(form, "GroupId", "security-group"),
            .. form.Texts("VpcEndpointId").Select(i => ("vpc-endpoint", i)),
            .. Single(form, "VpcEndpointId", "vpc-endpoint"),
            .. Single(form, "VpcId", "vpc"),
        ];
        return touched.Length == 0 ? PolicyResource.Any : context.Model.Read(m => touched.Select(t => new PolicyResource(
            $"arn:aws:ec2:{call.Region}:{call.Caller.Account}:{t.Kind}/{t.Id}", TagsOf(m, t.Kind, t.Id))).ToList());
    }

    private static IEnumerable<(string, string)> Single(QueryForm form, string name, string kind) => form.Text(name) is { } id ? [(kind, id)] : [];

    private static Dictionary<string, string> TagsOf(LabModel model, string kind, string id)
    {
        Resource? resource = kind switch
        {
            "instance" => model.Instances.GetValueOrDefault(id),
            "security-group" => model.SecurityGroups.GetValueOrDefault(id),
            "vpc-endpoint" => model.Endpoints.GetValueOrDefault(id),
            _ => model.Vpcs.GetValueOrDefault(id),
        };
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in resource?.Tags ?? [])
        {
            tags[$"aws:ResourceTag/{key}"] = value;
            tags[$"ec2:ResourceTag/{key}"] = value;
        }
        return tags;
    }
}
