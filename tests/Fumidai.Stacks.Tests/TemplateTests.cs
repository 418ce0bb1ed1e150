using System.Text;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Fumidai.Stacks.Tests;

/// <summary>What the composed templates say, read by a stranger's YAML reader.</summary>
public sealed class TemplateTests
{
    private static readonly string[] Untaggable = ["AWS::EC2::VPCGatewayAttachment", "AWS::EC2::Route", "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::SecurityGroupIngress", "AWS::IAM::InstanceProfile"];

    public static TheoryData<string> Names => [.. Sites.All().Select(s => s.Name)];

    private static StackPlan Named(string name) => Sites.All().First(s => s.Name == name).Plan;

    [Theory]
    [MemberData(nameof(Names))]
    public void It_fits_and_refers_only_to_what_it_has_and_has_only_parameters_it_refers_to(string name)
    {
        var plan = Named(name);
        var document = new TemplateDocument(plan.Template);
        Assert.InRange(Encoding.UTF8.GetByteCount(plan.Template), 1, StackPlan.TemplateLimit);
        var parameters = document.Section("Parameters").Keys.ToHashSet();
        var references = document.Resources.Values.Concat(document.Section("Outputs").Values).SelectMany(TemplateDocument.References)
            .Concat(document.Resources.Keys.SelectMany(document.DependsOn)).Where(r => !r.StartsWith("AWS::", StringComparison.Ordinal)).ToHashSet();
        Assert.Empty(references.Except(parameters).Except(document.Resources.Keys));
        Assert.Empty(parameters.Except(references));
        Assert.Equal(parameters.Order(), plan.Parameters.Keys.Order());
        Assert.Equal(document.Resources.Keys, plan.Creates.Select(c => c.LogicalId));
        Assert.DoesNotContain("#+", plan.Template, StringComparison.Ordinal);
        Assert.DoesNotContain(" #-", plan.Template, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Everything_that_can_carries_our_tag_and_the_user_s_own(string name)
    {
        var plan = Named(name);
        var document = new TemplateDocument(plan.Template);
        foreach (var id in document.Resources.Keys.Where(id => !Untaggable.Contains(document.Type(id))))
        {
            var tags = ((YamlSequenceNode)document.Property(id, "Tags")!).Children.ToDictionary(t => TemplateDocument.Text(t, "Key")!, t => TemplateDocument.Text(t, "Value"));
            Assert.Equal("AWS::StackName", tags["fumidai:stack"]);
            Assert.All(plan.Options.Tags, own => Assert.Equal(own.Value, tags[own.Key]));
        }
        Assert.Equal(plan.Name, plan.Tags["fumidai:stack"]);
        Assert.All(plan.Options.Tags, own => Assert.Equal(own.Value, plan.Tags[own.Key]));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Nothing_is_open_to_the_world_and_the_database_to_the_bastion_s_group_only(string name)
    {
        var document = new TemplateDocument(Named(name).Template);
        foreach (var id in document.OfType("AWS::EC2::SecurityGroup"))
        {
            var rules = document.Property(id, "SecurityGroupIngress") as YamlSequenceNode;
            var expected = id switch { "BastionGroup" or "ConnectEndpointGroup" => (string?)null, "DatabaseGroup" => "5432 BastionGroup", "EndpointGroup" => "443 BastionGroup", "SshGroup" => "22 CallerCidr", _ => "no such group" };
            if (expected is null)
            {
                Assert.Null(rules);
                continue;
            }
            var rule = Assert.Single(rules!.Children);
            Assert.Equal(TemplateDocument.Text(rule, "FromPort"), TemplateDocument.Text(rule, "ToPort"));
            Assert.Equal(expected, $"{TemplateDocument.Text(rule, "FromPort")} {TemplateDocument.Text(rule, "SourceSecurityGroupId") ?? TemplateDocument.Text(rule, "CidrIp")}");
        }
        Assert.DoesNotContain("0.0.0.0/0", string.Join('\n', document.OfType("AWS::EC2::SecurityGroup").Select(id => document.Resources[id].ToString())), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Descriptions_and_group_texts_are_ASCII_since_EC2_refuses_others(string name)
    {
        var document = new TemplateDocument(Named(name).Template);
        foreach (var id in document.OfType("AWS::EC2::SecurityGroup"))
            Assert.True(Ascii.IsValid(document.PropertyText(id, "GroupDescription")));
        Assert.All(document.Section("Parameters").Values, p => Assert.True(Ascii.IsValid(TemplateDocument.Text(p, "Description") ?? "")));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Bastions_want_IMDSv2_an_encrypted_gp3_disk_and_stop_when_they_power_off(string name)
    {
        var plan = Named(name);
        var document = new TemplateDocument(plan.Template);
        var bastions = document.OfType("AWS::EC2::Instance").ToList();
        Assert.Equal((plan.Options.HasPrivateBastion ? 1 : 0) + (plan.Options.HasPublicBastion ? 1 : 0), bastions.Count);
        foreach (var id in bastions)
        {
            Assert.Equal("required", document.PropertyText(id, "MetadataOptions", "HttpTokens"));
            Assert.Equal("gp3", document.PropertyText(id, "BlockDeviceMappings", "0", "Ebs", "VolumeType"));
            Assert.Equal("true", document.PropertyText(id, "BlockDeviceMappings", "0", "Ebs", "Encrypted"));
            Assert.Equal("stop", document.PropertyText(id, "InstanceInitiatedShutdownBehavior"));
            Assert.Contains("dnf -y --security", TemplateDocument.Text(document.Property(id, "UserData")!, "Fn::Base64"), StringComparison.Ordinal);
        }
        var type = TemplateDocument.Text(document.Section("Parameters")["BastionImage"], "Type");
        Assert.Equal(plan.Image is null ? "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>" : "AWS::EC2::Image::Id", type);
    }

    [Fact]
    public void The_private_bastion_waits_for_whatever_its_agent_calls_through()
    {
        Assert.Equal(["SsmEndpoint", "SsmMessagesEndpoint"], new TemplateDocument(Sites.Plan().Template).DependsOn("PrivateBastion"));
        Assert.Equal(["PrivateDefaultRoute", "PrivateSubnetARoutes"], new TemplateDocument(Sites.Plan(change: o => o with { Endpoints = EndpointChoice.Nat }).Template).DependsOn("PrivateBastion"));
        Assert.Equal(["PublicDefaultRoute", "PublicSubnetARoutes"], new TemplateDocument(Sites.Plan(change: o => o with { Endpoints = EndpointChoice.None }).Template).DependsOn("PrivateBastion"));
    }

    [Fact]
    public void The_private_bastion_has_a_public_address_only_when_nothing_is_built_for_its_way_out()
    {
        foreach (var (endpoints, subnet, address) in new[] { ("ssm,ssmmessages", "PrivateSubnetA", "false"), ("nat", "PrivateSubnetA", "false"), ("none", "PublicSubnetA", "true") })
        {
            var document = new TemplateDocument(Sites.Plan(change: o => o with { Endpoints = EndpointChoice.Parse(endpoints) }).Template);
            Assert.Equal(subnet, document.PropertyText("PrivateBastion", "NetworkInterfaces", "0", "SubnetId"));
            Assert.Equal(address, document.PropertyText("PrivateBastion", "NetworkInterfaces", "0", "AssociatePublicIpAddress"));
        }
    }

    [Fact]
    public void No_NAT_gateway_and_no_S3_endpoint_unless_asked()
    {
        var document = new TemplateDocument(Sites.Plan(StackPattern.Both).Template);
        Assert.Empty(document.OfType("AWS::EC2::NatGateway"));
        Assert.DoesNotContain("S3Endpoint", document.Resources.Keys);
        Assert.Equal(["SsmEndpoint", "SsmMessagesEndpoint"], document.OfType("AWS::EC2::VPCEndpoint"));
        Assert.All(document.OfType("AWS::EC2::VPCEndpoint"), id => Assert.Equal("true", document.PropertyText(id, "PrivateDnsEnabled")));
        Assert.Contains("S3Endpoint", new TemplateDocument(Sites.Plan(change: o => o with { Endpoints = EndpointChoice.Parse("s3,ssm,ssmmessages") }).Template).Resources.Keys);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    public void Endpoints_stand_in_as_many_zones_as_asked(int zones, int subnets)
    {
        var document = new TemplateDocument(Sites.Plan(change: o => o with { EndpointZones = zones }).Template);
        Assert.All(document.OfType("AWS::EC2::VPCEndpoint"), id => Assert.Equal(subnets, ((YamlSequenceNode)document.Property(id, "SubnetIds")!).Children.Count));
        Assert.Equal(zones.ToString(System.Globalization.CultureInfo.InvariantCulture), TemplateDocument.Text(document.Section("Outputs")["EndpointZones"], "Value"));
    }

    [Fact]
    public void The_cluster_pauses_is_encrypted_has_a_managed_secret_IAM_sign_in_and_the_Data_API()
    {
        var document = new TemplateDocument(Sites.Plan().Template);
        foreach (var on in new[] { "ManageMasterUserPassword", "StorageEncrypted", "EnableIAMDatabaseAuthentication", "EnableHttpEndpoint", "CopyTagsToSnapshot" })
            Assert.Equal("true", document.PropertyText("Cluster", on));
        Assert.Equal("AutoPauseSeconds", document.PropertyText("Cluster", "ServerlessV2ScalingConfiguration", "SecondsUntilAutoPause"));
        Assert.Equal("0", TemplateDocument.Text(document.Section("Parameters")["MinAcu"], "Default"));
        Assert.Equal(("Snapshot", "Snapshot"), (TemplateDocument.Text(document.Resources["Cluster"], "DeletionPolicy"), TemplateDocument.Text(document.Resources["Cluster"], "UpdateReplacePolicy")));
        Assert.Null(document.Property("Cluster", "MasterUserPassword"));
        Assert.Equal("db.serverless", document.PropertyText("Writer", "DBInstanceClass"));
        Assert.Equal("false", document.PropertyText("Writer", "PubliclyAccessible"));
        var discarding = new TemplateDocument(Sites.Plan(change: o => o with { SnapshotOnDelete = false, MinAcu = 1 }).Template);
        Assert.Equal(("Delete", "Delete"), (TemplateDocument.Text(discarding.Resources["Cluster"], "DeletionPolicy"), TemplateDocument.Text(discarding.Resources["Cluster"], "UpdateReplacePolicy")));
        Assert.Null(discarding.Property("Cluster", "ServerlessV2ScalingConfiguration", "SecondsUntilAutoPause"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_existing_cluster_gains_exactly_one_rule_and_nothing_else_of_others_is_touched(string name)
    {
        var plan = Named(name);
        var document = new TemplateDocument(plan.Template);
        var rules = document.OfType("AWS::EC2::SecurityGroupIngress").ToList();
        if (plan.Options.HasConnectEndpoint)
        {
            // The bastion's own, from the endpoint of the same stack.
            Assert.True(rules.Remove("BastionFromConnectEndpoint"));
            Assert.Equal(("BastionGroup", "ConnectEndpointGroup"), (document.PropertyText("BastionFromConnectEndpoint", "GroupId"), document.PropertyText("BastionFromConnectEndpoint", "SourceSecurityGroupId")));
        }
        if (plan.Options.BuildsCluster)
        {
            Assert.Empty(rules);
            return;
        }
        Assert.Equal(("ClusterGroup", "BastionGroup"), (document.PropertyText(Assert.Single(rules), "GroupId"), document.PropertyText(rules[0], "SourceSecurityGroupId")));
        Assert.Empty(document.OfType("AWS::RDS::DBCluster"));
        Assert.Empty(document.OfType("AWS::EC2::VPC"));
        Assert.Empty(document.OfType("AWS::EC2::Route"));
        Assert.Equal("5433", plan.Parameters["ClusterPort"]);
    }

    [Fact]
    public void Subnets_lie_in_two_zones_by_number_and_in_the_range_asked_for()
    {
        var plan = Sites.Plan(change: o => o with { Cidr = "192.168.16.0/24" });
        var document = new TemplateDocument(plan.Template);
        var zones = document.OfType("AWS::EC2::Subnet").Select(id => TemplateDocument.Text(document.Property(id, "AvailabilityZone")!, "0")).ToList();
        Assert.Equal(["0", "1", "0", "1"], zones);
        Assert.Contains("!GetAZs", plan.Template, StringComparison.Ordinal);
        Assert.Equal(["192.168.16.0/28", "192.168.16.16/28", "192.168.16.32/28", "192.168.16.48/28"],
            new[] { "PublicSubnetACidr", "PublicSubnetBCidr", "PrivateSubnetACidr", "PrivateSubnetBCidr" }.Select(p => plan.Parameters[p]));
    }

    [Fact]
    public void Outputs_hold_what_fumidai_yaml_needs()
    {
        var outputs = new TemplateDocument(Sites.Plan(StackPattern.Both).Template).Section("Outputs").Keys;
        Assert.Empty(new[] { "ClusterId", "ClusterArn", "ClusterResourceId", "ClusterEndpoint", "ClusterPort", "SecretArn", "DatabaseName", "PrivateBastionId", "PublicBastionId", "VpcId" }.Except(outputs));
    }

    [Fact]
    public void Comments_survive_the_composition_and_the_same_options_give_the_same_text()
    {
        var one = Sites.Plan(StackPattern.Both).Template;
        Assert.Equal(one, Sites.Plan(StackPattern.Both).Template);
        Assert.Contains("# RDS makes the password", one, StringComparison.Ordinal);
        Assert.Contains("# Network first, bastion second", one, StringComparison.Ordinal);
        Assert.DoesNotContain("# A public address for the way out alone", one, StringComparison.Ordinal);
        Assert.Contains("# A public address for the way out alone", Sites.Plan(change: o => o with { Endpoints = EndpointChoice.None }).Template, StringComparison.Ordinal);
        Assert.Contains("# Two zones, because an Aurora subnet group must cover two", one, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_too_large_for_CloudFormation_is_refused_before_it_is_sent()
    {
        var tags = Enumerable.Range(0, 40).ToDictionary(i => $"key-{i}-" + new string('k', 100), _ => new string('v', 250));
        var failure = Assert.Throws<StackFailure>(() => Sites.Plan(change: o => o with { Tags = tags }));
        Assert.Equal(StackFailureReason.Usage, failure.Reason);
        Assert.Contains("51200", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_site_that_lacks_what_the_options_need_is_told()
    {
        var site = new StackSite { VpcId = "vpc-0123456789abcdef0", PrivateSubnets = ["subnet-0123456789abcdef1"] };
        string Refused(Func<StackOptions, StackOptions> change, StackSite on) => Assert.Throws<StackFailure>(() => Sites.Plan(StackPattern.Both, o => change(o with { Vpc = on.VpcId }), on)).Message;
        Assert.Contains("two in different zones", Refused(o => o, site), StringComparison.Ordinal);
        Assert.Contains("no subnet with a route to an internet gateway", Refused(o => o, site with { PrivateSubnets = ["subnet-1", "subnet-2"] }), StringComparison.Ordinal);
        Assert.Contains("nothing is known yet of cluster app", Refused(o => o with { Cluster = "app" }, site), StringComparison.Ordinal);
    }
}
