using System.Net;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>Each test has a lab of its own: they stop, remove and change what others would look at.</summary>
public sealed class Ec2Tests : IAsyncLifetime
{
    private readonly LabFixture _lab = new();

    public ValueTask InitializeAsync() => _lab.InitializeAsync();

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    private LabModel Model => _lab.Host.Context.Model;

    private Instance Closed => Model.Read(m => m.Instances.Values.First(i => i.PublicAddress is null));

    private Vpc Vpc => Model.Read(m => m.Vpcs[Closed.VpcId]);

    private Reach Agent => Reachability.AgentOnline(Model, Closed.Id);

    [Fact]
    public async Task An_endpoint_removed_takes_the_agent_offline_and_one_created_brings_it_back()
    {
        var endpoint = Model.Read(m => m.Endpoints.Values.First(e => e.ServiceName.EndsWith(".ssm", StringComparison.Ordinal)));
        var group = endpoint.SecurityGroupIds[0];
        Assert.Equal(Verdict.Open, Agent.Verdict);

        (await _lab.Ec2Async("DeleteVpcEndpoints", ("VpcEndpointId.1", endpoint.Id))).Succeeded();
        Assert.Equal(Verdict.Dropped, Agent.Verdict);

        var created = (await _lab.Ec2Async("CreateVpcEndpoint", ("VpcId", Vpc.Id), ("VpcEndpointType", "Interface"), ("ServiceName", endpoint.ServiceName),
            ("SubnetId.1", Closed.SubnetId), ("SecurityGroupId.1", group), ("PrivateDnsEnabled", "true"))).Succeeded();
        Assert.Equal("pending", created.One("state"));
        Assert.Equal(Verdict.Dropped, Agent.Verdict);
        var id = created.One("vpcEndpointId");
        await _lab.UntilAsync(m => m.Endpoints[id].State == "available");
        Assert.Equal(Verdict.Open, Agent.Verdict);

        Assert.Equal("InvalidParameter", (await _lab.Ec2Async("CreateVpcEndpoint", ("VpcId", Vpc.Id), ("VpcEndpointType", "Interface"), ("ServiceName", endpoint.ServiceName))).ErrorCode);
    }

    [Fact]
    public async Task An_unknown_endpoint_is_named_in_an_answer_that_succeeds()
    {
        var answer = (await _lab.Ec2Async("DeleteVpcEndpoints", ("VpcEndpointId.1", "vpce-00000000000000000"))).Succeeded();
        Assert.Equal("vpce-00000000000000000", answer.One("resourceId"));
    }

    [Fact]
    public async Task An_endpoint_is_modified_at_once()
    {
        var endpoint = Model.Read(m => m.Endpoints.Values.First(e => e.ServiceName.EndsWith(".ssm", StringComparison.Ordinal)));
        (await _lab.Ec2Async("ModifyVpcEndpoint", ("VpcEndpointId", endpoint.Id), ("PrivateDnsEnabled", "false"))).Succeeded();
        Assert.Contains("private DNS off", Agent.Why, StringComparison.Ordinal);
        (await _lab.Ec2Async("ModifyVpcEndpoint", ("VpcEndpointId", endpoint.Id), ("PrivateDnsEnabled", "true"))).Succeeded();
        Assert.Equal(Verdict.Open, Agent.Verdict);
        Assert.Equal("InvalidParameter", (await _lab.Ec2Async("ModifyVpcEndpoint", ("VpcEndpointId", endpoint.Id), ("RemoveSecurityGroupId.1", endpoint.SecurityGroupIds[0]))).ErrorCode);
    }

    [Fact]
    public async Task Vpc_attributes_are_told_and_changed_one_at_a_time()
    {
        Assert.Equal("true", (await _lab.Ec2Async("DescribeVpcAttribute", ("VpcId", Vpc.Id), ("Attribute", "enableDnsHostnames"))).Succeeded().One("value"));
        Assert.Equal("InvalidParameterCombination", (await _lab.Ec2Async("ModifyVpcAttribute", ("VpcId", Vpc.Id), ("EnableDnsHostnames.Value", "false"), ("EnableDnsSupport.Value", "false"))).ErrorCode);
        (await _lab.Ec2Async("ModifyVpcAttribute", ("VpcId", Vpc.Id), ("EnableDnsHostnames.Value", "false"))).Succeeded();
        Assert.Equal(Verdict.Dropped, Agent.Verdict);
        Assert.Equal("false", (await _lab.Ec2Async("DescribeVpcAttribute", ("VpcId", Vpc.Id), ("Attribute", "enableDnsHostnames"))).Succeeded().One("value"));
    }

    [Fact]
    public async Task An_instance_stops_and_starts_through_its_states()
    {
        var id = Closed.Id;
        var stopping = (await _lab.Ec2Async("StopInstances", ("InstanceId.1", id))).Succeeded();
        Assert.Equal(["stopping", "running"], stopping.All("name"));
        Assert.Equal("IncorrectInstanceState", (await _lab.Ec2Async("StartInstances", ("InstanceId.1", id))).ErrorCode);
        await _lab.UntilAsync(m => m.Instances[id].State == "stopped");
        Assert.Empty((await _lab.Ec2Async("DescribeInstanceStatus", ("InstanceId.1", id))).Succeeded().All("instanceId"));
        Assert.Equal(["pending", "stopped"], (await _lab.Ec2Async("StartInstances", ("InstanceId.1", id))).Succeeded().All("name"));
        await _lab.UntilAsync(m => m.Instances[id].State == "running");
        Assert.Equal("initializing", (await _lab.Ec2Async("DescribeInstanceStatus", ("InstanceId.1", id))).Succeeded().One("systemStatus")[..12]);
    }

    [Fact]
    public async Task A_dry_run_changes_nothing_and_says_so_with_its_own_status()
    {
        var answer = await _lab.Ec2Async("StopInstances", ("InstanceId.1", Closed.Id), ("DryRun", "true"));
        Assert.Equal(HttpStatusCode.PreconditionFailed, answer.Status);
        Assert.Equal("DryRunOperation", answer.ErrorCode);
        Assert.Equal("running", Closed.State);
    }

    [Fact]
    public async Task A_terminated_instance_is_told_for_a_while_without_its_network()
    {
        var id = Closed.Id;
        (await _lab.Ec2Async("TerminateInstances", ("InstanceId.1", id))).Succeeded();
        await _lab.UntilAsync(m => m.Instances[id].State == "terminated");
        var told = (await _lab.Ec2Async("DescribeInstances", ("InstanceId.1", id))).Succeeded();
        Assert.Contains("terminated", told.All("name"));
        Assert.Empty(told.All("privateIpAddress"));
        Assert.Equal("IncorrectInstanceState", (await _lab.Ec2Async("StartInstances", ("InstanceId.1", id))).ErrorCode);
    }

    [Fact]
    public async Task New_instances_run_with_addresses_profile_and_tags()
    {
        var profile = Model.Read(m => m.InstanceProfiles.Values.First().Name);
        var ran = (await _lab.Ec2Async("RunInstances", ("ImageId", "ami-1"), ("InstanceType", "t4g.micro"), ("MinCount", "1"), ("MaxCount", "2"), ("SubnetId", Closed.SubnetId),
            ("SecurityGroupId.1", Closed.SecurityGroupIds[0]), ("IamInstanceProfile.Name", profile),
            ("TagSpecification.1.ResourceType", "instance"), ("TagSpecification.1.Tag.1.Key", "Name"), ("TagSpecification.1.Tag.1.Value", "twin"))).Succeeded();
        var ids = ran.All("instanceId");
        Assert.Equal(2, ids.Count);
        await _lab.UntilAsync(m => ids.All(i => m.Instances[i].State == "running"));
        Assert.Equal(2, Model.Read(m => ids.Select(i => m.Instances[i].PrivateAddress).Distinct().Count()));
        Assert.All(ids, i => Assert.Equal(Verdict.Open, Reachability.AgentOnline(Model, i).Verdict));
        Assert.Equal(2, (await _lab.Ec2Async("DescribeInstances", ("Filter.1.Name", "tag:Name"), ("Filter.1.Value.1", "twin"))).Succeeded().All("instanceId").Count);
    }

    [Fact]
    public async Task Instances_come_in_pages()
    {
        (await _lab.Ec2Async("RunInstances", ("ImageId", "ami-1"), ("MinCount", "6"), ("MaxCount", "6"), ("SubnetId", Closed.SubnetId))).Succeeded();
        var first = (await _lab.Ec2Async("DescribeInstances", ("MaxResults", "5"))).Succeeded();
        var second = (await _lab.Ec2Async("DescribeInstances", ("MaxResults", "5"), ("NextToken", first.One("nextToken")))).Succeeded();
        Assert.Empty(second.All("nextToken"));
        Assert.Equal(8, first.All("instanceId").Concat(second.All("instanceId")).Distinct().Count());
        Assert.Equal("InvalidParameterValue", (await _lab.Ec2Async("DescribeInstances", ("MaxResults", "4"))).ErrorCode);
        Assert.Equal("InvalidParameterCombination", (await _lab.Ec2Async("DescribeInstances", ("MaxResults", "5"), ("InstanceId.1", Closed.Id))).ErrorCode);
        Assert.Equal("InvalidNextToken", (await _lab.Ec2Async("DescribeInstances", ("NextToken", "made-up"))).ErrorCode);
    }

    [Theory]
    [InlineData("DescribeInstances", "InstanceId.1", "i-00000000000000000", "InvalidInstanceID.NotFound")]
    [InlineData("DescribeInstances", "InstanceId.1", "bastion", "InvalidInstanceID.Malformed")]
    [InlineData("DescribeInstances", "Filter.1.Name", "no-such-filter", "InvalidParameterValue")]
    [InlineData("DescribeVpcs", "VpcId.1", "vpc-00000000000000000", "InvalidVpcID.NotFound")]
    [InlineData("DescribeSubnets", "SubnetId.1", "subnet-00000000000000000", "InvalidSubnetID.NotFound")]
    [InlineData("DescribeSecurityGroups", "GroupId.1", "sg-00000000000000000", "InvalidGroup.NotFound")]
    [InlineData("DescribeRouteTables", "RouteTableId.1", "rtb-00000000000000000", "InvalidRouteTableID.NotFound")]
    [InlineData("DescribeVpcEndpoints", "VpcEndpointId.1", "vpce-00000000000000000", "InvalidVpcEndpointId.NotFound")]
    public async Task What_is_unknown_has_a_code_of_its_own(string operation, string name, string value, string code) =>
        Assert.Equal(code, (await _lab.Ec2Async(operation, (name, value), ("Filter.1.Value.1", "x"))).ErrorCode);

    [Theory]
    [InlineData("DescribeSubnets", "vpc-id", "subnetId", 4)]
    [InlineData("DescribeRouteTables", "vpc-id", "routeTableId", 3)]
    [InlineData("DescribeSecurityGroups", "vpc-id", "groupName", 4)]
    [InlineData("DescribeVpcEndpoints", "vpc-id", "vpcEndpointId", 3)]
    [InlineData("DescribeInternetGateways", "attachment.vpc-id", "internetGatewayId", 1)]
    [InlineData("DescribeNatGateways", "vpc-id", "natGatewayId", 0)]
    [InlineData("DescribeNetworkAcls", "vpc-id", "networkAclId", 1)]
    public async Task The_seed_is_told_by_its_network(string operation, string filter, string element, int count)
    {
        var answer = (await _lab.Ec2Async(operation, ("Filter.1.Name", filter), ("Filter.1.Value.1", Vpc.Id))).Succeeded();
        Assert.Equal(count, answer.All(element).Distinct().Count());
    }

    [Fact]
    public async Task Rules_are_known_by_id_and_revoked_by_it()
    {
        var group = Model.Read(m => m.SecurityGroups.Values.First(g => g.Name == "ec2"));
        var rules = (await _lab.Ec2Async("DescribeSecurityGroupRules", ("Filter.1.Name", "group-id"), ("Filter.1.Value.1", group.Id))).Succeeded();
        Assert.Equal(["false", "true"], rules.All("isEgress").Order());
        var ssh = Model.Read(_ => group.Rules.First(r => r.Direction == RuleDirection.Ingress).RuleId);
        (await _lab.Ec2Async("RevokeSecurityGroupIngress", ("GroupId", group.Id), ("SecurityGroupRuleId.1", ssh))).Succeeded();
        Assert.Equal("InvalidSecurityGroupRuleId.NotFound", (await _lab.Ec2Async("RevokeSecurityGroupIngress", ("GroupId", group.Id), ("SecurityGroupRuleId.1", ssh))).ErrorCode);
        var open = Model.Read(m => m.Instances.Values.First(i => i.PublicAddress is not null).Id);
        Assert.Equal(Verdict.Dropped, Reachability.FromInternet(Model, IPAddress.Loopback, open, 22).Verdict);
    }

    [Theory]
    [InlineData("10.0.0.0/33", "InvalidParameterValue")]
    [InlineData("somewhere", "InvalidParameterValue")]
    public async Task A_range_that_is_none_is_refused(string cidr, string code) => Assert.Equal(code, (await AuthorizeAsync(cidr, null)).ErrorCode);

    [Fact]
    public async Task A_description_is_ascii_only()
    {
        Assert.Equal("InvalidParameterValue", (await AuthorizeAsync("10.0.0.0/8", "自宅")).ErrorCode);
        Assert.Equal("10.0.0.0/8", (await AuthorizeAsync("10.1.2.3/8", "home")).Succeeded().One("cidrIpv4"));
    }

    private Task<LabAnswer> AuthorizeAsync(string cidr, string? description)
    {
        var group = Model.Read(m => m.SecurityGroups.Values.First(g => g.Name == "ec2").Id);
        List<(string, string)> parameters = [("GroupId", group), ("IpPermissions.1.IpProtocol", "tcp"), ("IpPermissions.1.FromPort", "22"), ("IpPermissions.1.ToPort", "22"), ("IpPermissions.1.IpRanges.1.CidrIp", cidr)];
        if (description is not null)
            parameters.Add(("IpPermissions.1.IpRanges.1.Description", description));
        return _lab.Ec2Async("AuthorizeSecurityGroupIngress", [.. parameters]);
    }

    [Fact]
    public async Task A_profile_taken_from_an_instance_takes_its_agent_offline()
    {
        var association = (await _lab.Ec2Async("DescribeIamInstanceProfileAssociations", ("Filter.1.Name", "instance-id"), ("Filter.1.Value.1", Closed.Id))).Succeeded();
        var arn = association.One("arn");
        (await _lab.Ec2Async("DisassociateIamInstanceProfile", ("AssociationId", association.One("associationId")))).Succeeded();
        Assert.Contains("no instance profile", Agent.Why, StringComparison.Ordinal);
        (await _lab.Ec2Async("AssociateIamInstanceProfile", ("InstanceId", Closed.Id), ("IamInstanceProfile.Arn", arn))).Succeeded();
        Assert.Equal(Verdict.Open, Agent.Verdict);
    }

    [Fact]
    public async Task A_route_removed_closes_the_way_from_home()
    {
        var open = Model.Read(m => m.Instances.Values.First(i => i.PublicAddress is not null));
        var table = (await _lab.Ec2Async("DescribeRouteTables", ("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", open.SubnetId))).Succeeded();
        (await _lab.Ec2Async("DeleteRoute", ("RouteTableId", table.One("routeTableId")), ("DestinationCidrBlock", "0.0.0.0/0"))).Succeeded();
        Assert.Equal(Verdict.Dropped, Reachability.FromInternet(Model, IPAddress.Loopback, open.Id, 22).Verdict);
        var gateway = Model.Read(m => m.InternetGateways.Keys.First());
        (await _lab.Ec2Async("CreateRoute", ("RouteTableId", table.One("routeTableId")), ("DestinationCidrBlock", "0.0.0.0/0"), ("GatewayId", gateway))).Succeeded();
        Assert.Equal(Verdict.Open, Reachability.FromInternet(Model, IPAddress.Loopback, open.Id, 22).Verdict);
    }

    [Fact]
    public async Task A_policy_that_allows_only_looking_forbids_stopping()
    {
        (await _lab.IamAsync("PutUserPolicy", ("UserName", "alice"), ("PolicyName", "look"), ("PolicyDocument",
            """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:Describe*","iam:*"],"Resource":"*"}]}"""))).Succeeded();
        (await _lab.Ec2Async("DescribeInstances")).Succeeded();
        var refused = await _lab.Ec2Async("StopInstances", ("InstanceId.1", Closed.Id));
        Assert.Equal("UnauthorizedOperation", refused.ErrorCode);
        Assert.Contains("ec2:StopInstances", refused.Body, StringComparison.Ordinal);
        Assert.Equal("UnauthorizedOperation", (await _lab.Ec2Async("StopInstances", ("InstanceId.1", Closed.Id), ("DryRun", "true"))).ErrorCode);
        Assert.Equal("AccessDenied", (await _lab.RdsAsync("DescribeDBClusters")).ErrorCode);
        Assert.Equal("AccessDeniedException", (await _lab.SecretsAsync("ListSecrets", "{}")).ErrorCode);
        (await _lab.StsAsync("GetCallerIdentity")).Succeeded();
        (await _lab.IamAsync("DeleteUserPolicy", ("UserName", "alice"), ("PolicyName", "look"))).Succeeded();
        (await _lab.RdsAsync("DescribeDBClusters")).Succeeded();
    }
}
