using System.Xml.Linq;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>Stacks by signed calls, in a lab of the control plane alone.</summary>
public sealed class StackTests : IAsyncLifetime
{
    private readonly LabFixture _lab = new();

    public ValueTask InitializeAsync() => _lab.InitializeAsync();

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    [Fact]
    public async Task A_foreign_template_becomes_the_network_and_its_deletion_leaves_a_snapshot_and_nothing_else()
    {
        var set = await ChangeSetAsync("warehouse", ForeignTemplate.Whole, "CREATE");
        Assert.Equal("CREATE_COMPLETE", set.One("Status"));
        Assert.Equal(15, set.All("Action").Count(a => a == "Add"));
        Assert.Equal("REVIEW_IN_PROGRESS", (await StackAsync("warehouse")).One("StackStatus"));
        (await CallAsync("ExecuteChangeSet", ("ChangeSetName", "first"), ("StackName", "warehouse"))).Succeeded();
        var stack = await SettledAsync("warehouse");
        Assert.True(stack.One("StackStatus") == "CREATE_COMPLETE", await WhyAsync("warehouse"));
        var outputs = Pairs(stack, "OutputKey", "OutputValue");
        Assert.Equal("10.40.0.0/16", outputs["Range"]);
        Assert.StartsWith("10.40.0.", outputs["BoxAddress"], StringComparison.Ordinal);
        Assert.Equal("10.40.0.0/16", (await _lab.Ec2Async("DescribeVpcs", ("Filter.1.Name", "tag:Name"), ("Filter.1.Value.1", "warehouse-net"))).One("cidrBlock"));
        var box = (await _lab.Ec2Async("DescribeInstances", ("InstanceId.1", outputs["BoxId"]))).Succeeded();
        Assert.Contains("aws:cloudformation:stack-name", box.All("key"));
        var m = _lab.Host.Context.Model;
        Assert.Equal(Verdict.Open, Reachability.AgentOnline(m, outputs["BoxId"]).Verdict);
        Assert.Equal(Verdict.Open, Reachability.FromInstance(m, outputs["BoxId"], Reachability.Resolve(m, outputs["BoxId"], outputs["Host"])!, 5432).Verdict);
        var events = (await CallAsync("DescribeStackEvents", ("StackName", "warehouse"))).Succeeded().All("ResourceStatus");
        Assert.Equal("CREATE_COMPLETE", events[0]);
        Assert.Equal("REVIEW_IN_PROGRESS", events[^1]);

        var id = stack.One("StackId");
        (await CallAsync("DeleteStack", ("StackName", "warehouse"))).Succeeded();
        var gone = await SettledAsync(id);
        Assert.True(gone.One("StackStatus") == "DELETE_COMPLETE", await WhyAsync(id));
        Assert.Equal("ValidationError", (await StackAsync("warehouse")).ErrorCode);
        Assert.Contains("Stack with id warehouse does not exist", (await StackAsync("warehouse")).Body, StringComparison.Ordinal);
        var left = (await _lab.JsonAsync("tagging", "ResourceGroupsTaggingAPI_20170126.GetResources", """{"TagFilters":[{"Key":"aws:cloudformation:stack-name","Values":["warehouse"]}]}""")).Succeeded();
        Assert.Empty(left.Json.GetProperty("ResourceTagMappingList").EnumerateArray());
        Assert.Single((await _lab.RdsAsync("DescribeDBClusterSnapshots")).Succeeded().All("DBClusterSnapshotIdentifier"));
        Assert.DoesNotContain(m.Read(x => x.Roles.Values.ToList()), r => r.Name.StartsWith("warehouse", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_fails_is_rolled_back_with_the_resources_own_reason()
    {
        var template = ForeignTemplate.Small(extra: "  Twin: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref Net, CidrBlock: 10.9.1.128/25}, DependsOn: Yard}");
        (await CallAsync("CreateStack", ("StackName", "twins"), ("TemplateBody", template))).Succeeded();
        Assert.Equal("ROLLBACK_COMPLETE", (await SettledAsync("twins")).One("StackStatus"));
        Assert.Contains("The CIDR '10.9.1.128/25' conflicts with another subnet", await WhyAsync("twins"), StringComparison.Ordinal);
        Assert.DoesNotContain("10.9.0.0/16", (await _lab.Ec2Async("DescribeVpcs")).All("cidrBlock"));
        Assert.Equal("ValidationError", (await CallAsync("UpdateStack", ("StackName", "twins"), ("TemplateBody", template))).ErrorCode);
    }

    [Fact]
    public async Task A_quota_and_a_missing_permission_fail_the_stack_and_nothing_stays()
    {
        _lab.Host.Context.Model.Change(m => m.VpcQuota = 1);
        (await CallAsync("CreateStack", ("StackName", "full"), ("TemplateBody", ForeignTemplate.Small()), ("OnFailure", "DO_NOTHING"))).Succeeded();
        Assert.Equal("CREATE_FAILED", (await SettledAsync("full")).One("StackStatus"));
        Assert.Contains("The maximum number of VPCs has been reached", await WhyAsync("full"), StringComparison.Ordinal);
        _lab.Host.Context.Model.Change(m => m.VpcQuota = 5);
        (await _lab.IamAsync("PutUserPolicy", ("UserName", "alice"), ("PolicyName", "no-subnets"),
            ("PolicyDocument", """{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"ec2:CreateSubnet","Resource":"*"}]}"""))).Succeeded();
        (await CallAsync("CreateStack", ("StackName", "denied"), ("TemplateBody", ForeignTemplate.Small()))).Succeeded();
        Assert.Equal("ROLLBACK_COMPLETE", (await SettledAsync("denied")).One("StackStatus"));
        Assert.Contains("ec2:CreateSubnet", await WhyAsync("denied"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_update_changes_the_one_rule_and_drift_sees_what_was_changed_by_hand()
    {
        await BuildAsync("yard", ForeignTemplate.Small());
        var unchanged = await ChangeSetAsync("yard", ForeignTemplate.Small(), "UPDATE");
        Assert.Equal(("FAILED", "UNAVAILABLE"), (unchanged.One("Status"), unchanged.One("ExecutionStatus")));
        Assert.Equal("The submitted information didn't contain changes. Submit different information to create a change set.", unchanged.One("StatusReason"));
        (await CallAsync("DeleteChangeSet", ("ChangeSetName", "first"), ("StackName", "yard"))).Succeeded();

        var moved = ForeignTemplate.Small("{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 203.0.113.8/32}");
        var set = await ChangeSetAsync("yard", moved, "UPDATE");
        Assert.Equal(("Modify", "False", "Gate"), (set.One("Action"), set.One("Replacement"), set.One("LogicalResourceId")));
        (await CallAsync("ExecuteChangeSet", ("ChangeSetName", "first"), ("StackName", "yard"))).Succeeded();
        var stack = await SettledAsync("yard");
        Assert.Equal("UPDATE_COMPLETE", stack.One("StackStatus"));
        var gate = Pairs(stack, "OutputKey", "OutputValue")["GateId"];
        var group = (await _lab.Ec2Async("DescribeSecurityGroups", ("GroupId.1", gate))).Succeeded();
        Assert.Equal(["203.0.113.8/32", "0.0.0.0/0"], group.All("cidrIp"));

        Assert.Empty(await DriftAsync("yard"));
        (await _lab.Ec2Async("AuthorizeSecurityGroupIngress", ("GroupId", gate), ("IpProtocol", "tcp"), ("FromPort", "22"), ("ToPort", "22"), ("CidrIp", "0.0.0.0/0"))).Succeeded();
        (await _lab.Ec2Async("CreateTags", ("ResourceId.1", gate), ("Tag.1.Key", "by"), ("Tag.1.Value", "hand"))).Succeeded();
        Assert.Equal(["/SecurityGroupIngress/1", "/Tags/by"], await DriftAsync("yard"));
    }

    [Fact]
    public async Task A_failed_update_goes_back_to_what_was()
    {
        await BuildAsync("back", ForeignTemplate.Small());
        var broken = ForeignTemplate.Small("{IpProtocol: tcp, FromPort: 23, ToPort: 23, CidrIp: 203.0.113.7/32}", "  Bad: {Type: 'AWS::EC2::Subnet', DependsOn: Gate, Properties: {VpcId: !Ref Net, CidrBlock: 10.10.0.0/24}}");
        (await CallAsync("UpdateStack", ("StackName", "back"), ("TemplateBody", broken))).Succeeded();
        Assert.Equal("UPDATE_ROLLBACK_COMPLETE", (await SettledAsync("back")).One("StackStatus"));
        var gate = Pairs(await StackAsync("back"), "OutputKey", "OutputValue")["GateId"];
        Assert.Equal("22", (await _lab.Ec2Async("DescribeSecurityGroups", ("GroupId.1", gate))).One("fromPort"));
        Assert.DoesNotContain("Bad", (await CallAsync("ListStackResources", ("StackName", "back"))).All("LogicalResourceId"));
    }

    [Fact]
    public async Task A_group_in_use_fails_the_deletion_and_can_be_kept()
    {
        await BuildAsync("held", ForeignTemplate.Small());
        var stack = await StackAsync("held");
        var gate = Pairs(stack, "OutputKey", "OutputValue")["GateId"];
        var vpc = _lab.Host.Context.Model.Read(m => m.SecurityGroups[gate].VpcId);
        var user = (await _lab.Ec2Async("CreateSecurityGroup", ("GroupName", "user"), ("GroupDescription", "uses it"), ("VpcId", vpc))).Succeeded().One("groupId");
        (await _lab.Ec2Async("AuthorizeSecurityGroupIngress", ("GroupId", user), ("IpPermissions.1.IpProtocol", "-1"), ("IpPermissions.1.Groups.1.GroupId", gate))).Succeeded();
        (await CallAsync("DeleteStack", ("StackName", "held"))).Succeeded();
        Assert.Equal("DELETE_FAILED", (await SettledAsync("held")).One("StackStatus"));
        Assert.Contains("has a dependent object", await WhyAsync("held"), StringComparison.Ordinal);
        (await _lab.Ec2Async("DeleteSecurityGroup", ("GroupId", user))).Succeeded();
        (await CallAsync("DeleteStack", ("StackName", "held"))).Succeeded();
        Assert.Equal("DELETE_COMPLETE", (await SettledAsync(stack.One("StackId"))).One("StackStatus"));
    }

    [Fact]
    public async Task Protection_keeps_a_stack_and_a_deletion_breaks_a_creation_off()
    {
        (await CallAsync("CreateStack", ("StackName", "brief"), ("TemplateBody", ForeignTemplate.Whole), ("Capabilities.member.1", "CAPABILITY_IAM"), ("EnableTerminationProtection", "true"))).Succeeded();
        Assert.Contains("TerminationProtection", (await CallAsync("DeleteStack", ("StackName", "brief"))).Body, StringComparison.Ordinal);
        (await CallAsync("UpdateTerminationProtection", ("StackName", "brief"), ("EnableTerminationProtection", "false"))).Succeeded();
        await _lab.UntilAsync(m => m.Stacks.Values.Single().Resources.Count > 3);
        (await CallAsync("DeleteStack", ("StackName", "brief"))).Succeeded();
        var id = _lab.Host.Context.Model.Read(m => m.Stacks.Values.Single().Id);
        Assert.Equal("DELETE_COMPLETE", (await SettledAsync(id)).One("StackStatus"));
        Assert.DoesNotContain("10.40.0.0/16", (await _lab.Ec2Async("DescribeVpcs")).All("cidrBlock"));
    }

    [Theory]
    [InlineData("Resources: {A: {Type: 'AWS::EC2::Carriage'}}", "Template format error: Unrecognized resource types: [AWS::EC2::Carriage]")]
    [InlineData("Resources: {A: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: !Ref Nowhere}}}", "Unresolved resource dependencies [Nowhere] in the Resources block")]
    [InlineData("Resources: {A: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !GetAtt B.VpcId}}}", "references undefined resource B")]
    [InlineData("Resources: {A: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: !Transform x}}}", "Encountered unsupported function: Fn::Transform")]
    [InlineData("Resources: {A: {Type: 'AWS::EC2::VPC', DependsOn: B}, B: {Type: 'AWS::EC2::VPC', DependsOn: A}}", "Circular dependency between resources: [A, B]")]
    [InlineData("Outputs: {}", "At least one Resources member must be defined")]
    [InlineData("Things: {}\nResources: {A: {Type: 'AWS::EC2::VPC'}}", "Invalid template property or properties [Things]")]
    [InlineData("Resources: {A: &x {Type: 'AWS::EC2::VPC'}, B: *x}", "YAML aliases are not allowed")]
    [InlineData("Resources: [", "YAML not well-formed")]
    [InlineData("{\"Resources\": ", "JSON not well-formed")]
    public async Task A_template_that_is_wrong_is_refused_in_words(string template, string words)
    {
        var answer = await CallAsync("ValidateTemplate", ("TemplateBody", template));
        Assert.Equal("ValidationError", answer.ErrorCode);
        Assert.Contains(words, System.Net.WebUtility.HtmlDecode(answer.Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Depth_and_size_have_an_end()
    {
        Assert.Equal("ValidationError", (await CallAsync("ValidateTemplate", ("TemplateBody", new string('[', 50_000)))).ErrorCode);
        Assert.Contains("51200", (await CallAsync("ValidateTemplate", ("TemplateBody", ForeignTemplate.Small() + "#" + new string('x', 51_200)))).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_property_fails_its_resource()
    {
        (await CallAsync("CreateStack", ("StackName", "odd"), ("TemplateBody", "Resources: {A: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.1.0.0/16, Colour: red}}}"))).Succeeded();
        Assert.Equal("ROLLBACK_COMPLETE", (await SettledAsync("odd")).One("StackStatus"));
        Assert.Contains("Encountered unsupported property Colour", await WhyAsync("odd"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Block", "10.40.0.0", "must match pattern")]
    [InlineData("Guarded", "maybe", "must be one of AllowedValues")]
    [InlineData("Ami", "/no/such/parameter", "Unable to fetch parameters [/no/such/parameter]")]
    [InlineData("Nobody", "1", "do not exist in the template")]
    public async Task A_parameter_that_does_not_fit_is_refused(string name, string value, string words)
    {
        var answer = await CallAsync("CreateStack", ("StackName", "never"), ("TemplateBody", ForeignTemplate.Whole), ("Capabilities.member.1", "CAPABILITY_IAM"), ("Parameters.member.1.ParameterKey", name), ("Parameters.member.1.ParameterValue", value));
        Assert.Equal("ValidationError", answer.ErrorCode);
        Assert.Contains(words, answer.Body, StringComparison.Ordinal);
        Assert.Equal("InsufficientCapabilitiesException", (await CallAsync("CreateStack", ("StackName", "never"), ("TemplateBody", ForeignTemplate.Whole))).ErrorCode);
    }

    private Task<LabAnswer> CallAsync(string operation, params (string, string)[] parameters) => _lab.FormAsync("cloudformation", "2010-05-15", operation, parameters);

    private Task<LabAnswer> StackAsync(string name) => CallAsync("DescribeStacks", ("StackName", name));

    private async Task BuildAsync(string name, string template)
    {
        (await CallAsync("CreateStack", ("StackName", name), ("TemplateBody", template))).Succeeded();
        Assert.Equal("CREATE_COMPLETE", (await SettledAsync(name)).One("StackStatus"));
    }

    private async Task<LabAnswer> ChangeSetAsync(string stack, string template, string type)
    {
        (await CallAsync("CreateChangeSet", ("StackName", stack), ("ChangeSetName", "first"), ("ChangeSetType", type), ("TemplateBody", template), ("Capabilities.member.1", "CAPABILITY_IAM"))).Succeeded();
        await _lab.UntilAsync(m => m.Stacks.Values.Single(s => s.Name == stack).ChangeSets.Single().Status is "CREATE_COMPLETE" or "FAILED");
        return (await CallAsync("DescribeChangeSet", ("StackName", stack), ("ChangeSetName", "first"))).Succeeded();
    }

    private async Task<LabAnswer> SettledAsync(string nameOrId)
    {
        await _lab.UntilAsync(m => m.Stacks.Values.Where(s => s.Name == nameOrId || s.Id == nameOrId).All(s => !s.IsBusy));
        return await StackAsync(_lab.Host.Context.Model.Read(m => m.Stacks.Values.Single(s => s.Name == nameOrId || s.Id == nameOrId).Id));
    }

    private async Task<string> WhyAsync(string name) => string.Join("; ", System.Net.WebUtility.HtmlDecode(string.Join("; ", (await CallAsync("DescribeStackEvents", ("StackName", name))).All("ResourceStatusReason"))));

    private async Task<IReadOnlyList<string>> DriftAsync(string stack)
    {
        var id = (await CallAsync("DetectStackDrift", ("StackName", stack))).Succeeded().One("StackDriftDetectionId");
        while ((await CallAsync("DescribeStackDriftDetectionStatus", ("StackDriftDetectionId", id))).Succeeded().One("DetectionStatus") != "DETECTION_COMPLETE")
            await _lab.Host.Context.Model.NextChange.WaitAsync(TestContext.Current.CancellationToken);
        return (await CallAsync("DescribeStackResourceDrifts", ("StackName", stack), ("StackResourceDriftStatusFilters.member.1", "MODIFIED"))).Succeeded().All("PropertyPath");
    }

    private static Dictionary<string, string> Pairs(LabAnswer answer, string key, string value) => XDocument.Parse(answer.Body).Descendants().Where(e => e.Name.LocalName == key)
        .ToDictionary(e => e.Value, e => e.Parent!.Elements().First(o => o.Name.LocalName == value).Value);
}
