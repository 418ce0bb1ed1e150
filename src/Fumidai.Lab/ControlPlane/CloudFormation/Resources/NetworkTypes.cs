namespace Fumidai.Lab;

/// <summary>AWS::EC2::VPC.</summary>
internal sealed class VpcType() : Ec2Type("AWS::EC2::VPC", "^CidrBlock! EnableDnsSupport EnableDnsHostnames ^InstanceTenancy" + TagProperties, "VpcId CidrBlock DefaultSecurityGroup")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        var answer = await work.CallAsync("ec2", "CreateVpc", [("CidrBlock", work.Text("CidrBlock")), ("InstanceTenancy", work.Text("InstanceTenancy")), .. work.TagSpecification("vpc")]).ConfigureAwait(false);
        work.Made(answer.Element("vpc")!.Element("vpcId")!.Value);
        await SetAsync(work).ConfigureAwait(false);
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        await SetAsync(work).ConfigureAwait(false);
        await base.UpdateAsync(work, before, changed).ConfigureAwait(false);
    }

    public override Task DeleteAsync(ResourceWork work) => work.RemoveAsync("ec2", "DeleteVpc", ("VpcId", work.PhysicalId));

    public override string? Attribute(LabModel m, StackResource resource, string name) => name switch
    {
        "CidrBlock" => (Find(m, resource) as Vpc)?.Cidr.ToString(),
        "DefaultSecurityGroup" => m.SecurityGroups.Values.FirstOrDefault(g => g.VpcId == resource.PhysicalId && g.Name == "default")?.Id,
        _ => resource.PhysicalId,
    };

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is Vpc vpc
        ? [("CidrBlock", Of(vpc.Cidr.ToString())), ("EnableDnsSupport", Of(vpc.EnableDnsSupport)), ("EnableDnsHostnames", Of(vpc.EnableDnsHostnames))]
        : [];

    private static async Task SetAsync(ResourceWork work)
    {
        foreach (var (property, least) in ((string, bool)[])[("EnableDnsSupport", true), ("EnableDnsHostnames", false)])
        {
            var wanted = work.Text(property) is { } text ? text is "true" or "True" : least;
            if (work.Lab.Model.Read(m => m.Vpcs.TryGetValue(work.PhysicalId, out var vpc) && (property == "EnableDnsSupport" ? vpc.EnableDnsSupport : vpc.EnableDnsHostnames) != wanted))
                await work.CallAsync("ec2", "ModifyVpcAttribute", ("VpcId", work.PhysicalId), ($"{property}.Value", wanted ? "true" : "false")).ConfigureAwait(false);
        }
    }
}

/// <summary>AWS::EC2::Subnet.</summary>
internal sealed class SubnetType() : Ec2Type("AWS::EC2::Subnet", "^VpcId! ^CidrBlock! ^AvailabilityZone MapPublicIpOnLaunch" + TagProperties, "SubnetId AvailabilityZone VpcId CidrBlock")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        var answer = await work.CallAsync("ec2", "CreateSubnet",
            [("VpcId", work.Text("VpcId")), ("CidrBlock", work.Text("CidrBlock")), ("AvailabilityZone", work.Text("AvailabilityZone")), .. work.TagSpecification("subnet")]).ConfigureAwait(false);
        work.Made(answer.Element("subnet")!.Element("subnetId")!.Value);
        if (work.Text("MapPublicIpOnLaunch") is "true" or "True")
            await SetAsync(work).ConfigureAwait(false);
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        if (changed.Contains("MapPublicIpOnLaunch"))
            await SetAsync(work).ConfigureAwait(false);
        await base.UpdateAsync(work, before, changed).ConfigureAwait(false);
    }

    public override Task DeleteAsync(ResourceWork work) => work.RemoveAsync("ec2", "DeleteSubnet", ("SubnetId", work.PhysicalId));

    public override string? Attribute(LabModel m, StackResource resource, string name) => Find(m, resource) is not Subnet subnet ? null : name switch
    {
        "AvailabilityZone" => subnet.AvailabilityZone,
        "VpcId" => subnet.VpcId,
        "CidrBlock" => subnet.Cidr.ToString(),
        _ => subnet.Id,
    };

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is Subnet subnet
        ? [("VpcId", Of(subnet.VpcId)), ("CidrBlock", Of(subnet.Cidr.ToString())), ("AvailabilityZone", Of(subnet.AvailabilityZone)), ("MapPublicIpOnLaunch", Of(subnet.MapPublicIpOnLaunch))]
        : [];

    private static Task SetAsync(ResourceWork work) =>
        work.CallAsync("ec2", "ModifySubnetAttribute", ("SubnetId", work.PhysicalId), ("MapPublicIpOnLaunch.Value", work.Text("MapPublicIpOnLaunch") is "true" or "True" ? "true" : "false"));
}

/// <summary>AWS::EC2::InternetGateway.</summary>
internal sealed class InternetGatewayType() : Ec2Type("AWS::EC2::InternetGateway", TagProperties, "InternetGatewayId")
{
    public override async Task CreateAsync(ResourceWork work) =>
        work.Made((await work.CallAsync("ec2", "CreateInternetGateway", work.TagSpecification("internet-gateway")).ConfigureAwait(false)).Element("internetGateway")!.Element("internetGatewayId")!.Value);

    public override Task DeleteAsync(ResourceWork work) => work.RemoveAsync("ec2", "DeleteInternetGateway", ("InternetGatewayId", work.PhysicalId));
}

/// <summary>AWS::EC2::VPCGatewayAttachment; its id is <c>IGW|VPC</c>.</summary>
internal sealed class GatewayAttachmentType() : ResourceType("AWS::EC2::VPCGatewayAttachment", "^VpcId! ^InternetGatewayId!", "AttachmentType")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        await work.CallAsync("ec2", "AttachInternetGateway", ("InternetGatewayId", work.Text("InternetGatewayId")), ("VpcId", work.Text("VpcId"))).ConfigureAwait(false);
        work.Made($"IGW|{work.Text("VpcId")}");
    }

    public override async Task DeleteAsync(ResourceWork work)
    {
        try
        {
            await work.RemoveAsync("ec2", "DetachInternetGateway", ("InternetGatewayId", work.Text("InternetGatewayId")), ("VpcId", work.Text("VpcId"))).ConfigureAwait(false);
        }
        catch (HandlerError error) when (error.Error.Code == "Gateway.NotAttached")
        {
        }
    }

    public override string? Attribute(LabModel m, StackResource resource, string name) => "IGW";

    public override TemplateNode.Map? Current(LabModel m, StackResource resource) =>
        resource.Properties["InternetGatewayId"]?.Value is { } id && m.InternetGateways.TryGetValue(id, out var gateway) && gateway.VpcId is { } vpc ? Compose([("InternetGatewayId", Of(id)), ("VpcId", Of(vpc))]) : null;
}

/// <summary>AWS::EC2::RouteTable.</summary>
internal sealed class RouteTableType() : Ec2Type("AWS::EC2::RouteTable", "^VpcId!" + TagProperties, "RouteTableId")
{
    public override async Task CreateAsync(ResourceWork work) =>
        work.Made((await work.CallAsync("ec2", "CreateRouteTable", [("VpcId", work.Text("VpcId")), .. work.TagSpecification("route-table")]).ConfigureAwait(false)).Element("routeTable")!.Element("routeTableId")!.Value);

    public override Task DeleteAsync(ResourceWork work) => work.RemoveAsync("ec2", "DeleteRouteTable", ("RouteTableId", work.PhysicalId));

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is RouteTable table ? [("VpcId", Of(table.VpcId))] : [];
}

/// <summary>AWS::EC2::Route; its id is <c>TABLE|DESTINATION</c>.</summary>
internal sealed class RouteType() : ResourceType("AWS::EC2::Route", "^RouteTableId! ^DestinationCidrBlock! GatewayId NatGatewayId", "CidrBlock")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        await work.CallAsync("ec2", "CreateRoute", Parameters(work)).ConfigureAwait(false);
        work.Made($"{work.Text("RouteTableId")}|{work.Text("DestinationCidrBlock")}");
    }

    public override Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed) => work.CallAsync("ec2", "ReplaceRoute", Parameters(work));

    public override Task DeleteAsync(ResourceWork work) => work.RemoveAsync("ec2", "DeleteRoute", ("RouteTableId", work.Text("RouteTableId")), ("DestinationCidrBlock", work.Text("DestinationCidrBlock")));

    public override string? Attribute(LabModel m, StackResource resource, string name) => resource.Properties["DestinationCidrBlock"]?.Value;

    public override TemplateNode.Map? Current(LabModel m, StackResource resource)
    {
        if (resource.PhysicalId?.Split('|') is not [var table, var destination] || !m.RouteTables.TryGetValue(table, out var found) || found.Routes.FirstOrDefault(r => r.Destination == destination) is not { } route)
            return null;
        return Compose([("RouteTableId", Of(table)), ("DestinationCidrBlock", Of(destination)), (route.TargetId.StartsWith("nat-", StringComparison.Ordinal) ? "NatGatewayId" : "GatewayId", Of(route.TargetId))]);
    }

    private static (string, string?)[] Parameters(ResourceWork work) =>
        [("RouteTableId", work.Text("RouteTableId")), ("DestinationCidrBlock", work.Text("DestinationCidrBlock")), ("GatewayId", work.Text("GatewayId")), ("NatGatewayId", work.Text("NatGatewayId"))];
}

/// <summary>AWS::EC2::SubnetRouteTableAssociation.</summary>
internal sealed class RouteAssociationType() : ResourceType("AWS::EC2::SubnetRouteTableAssociation", "^SubnetId! RouteTableId!", "Id")
{
    public override async Task CreateAsync(ResourceWork work) =>
        work.Made((await work.CallAsync("ec2", "AssociateRouteTable", ("SubnetId", work.Text("SubnetId")), ("RouteTableId", work.Text("RouteTableId"))).ConfigureAwait(false)).Element("associationId")!.Value);

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        await DeleteAsync(work).ConfigureAwait(false);
        await CreateAsync(work).ConfigureAwait(false);
    }

    public override Task DeleteAsync(ResourceWork work) => work.RemoveAsync("ec2", "DisassociateRouteTable", ("AssociationId", work.PhysicalId));

    public override TemplateNode.Map? Current(LabModel m, StackResource resource) => m.RouteTables.Values.FirstOrDefault(t => t.Associations.ContainsKey(resource.PhysicalId!)) is { } table
        ? Compose([("RouteTableId", Of(table.Id)), ("SubnetId", Of(table.Associations[resource.PhysicalId!]))])
        : null;
}

/// <summary>AWS::EC2::EIP. Ref gives the address.</summary>
internal sealed class ElasticAddressType() : Ec2Type("AWS::EC2::EIP", "^Domain InstanceId" + TagProperties, "AllocationId PublicIp")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        var answer = await work.CallAsync("ec2", "AllocateAddress", [("Domain", work.Text("Domain") ?? "vpc"), .. work.TagSpecification("elastic-ip")]).ConfigureAwait(false);
        work.Made(answer.Element("publicIp")!.Value);
        await AttachAsync(work).ConfigureAwait(false);
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        if (changed.Contains("InstanceId"))
        {
            await DetachAsync(work).ConfigureAwait(false);
            await AttachAsync(work).ConfigureAwait(false);
        }
        await base.UpdateAsync(work, before, changed).ConfigureAwait(false);
    }

    public override async Task DeleteAsync(ResourceWork work)
    {
        if (work.Lab.Model.Read(m => Find(m, work.Resource)) is not { } address)
            return;
        await DetachAsync(work).ConfigureAwait(false);
        await work.RemoveAsync("ec2", "ReleaseAddress", ("AllocationId", address.Id)).ConfigureAwait(false);
    }

    public override Resource? Find(LabModel m, StackResource resource) => m.ElasticAddresses.Values.FirstOrDefault(a => a.Address.ToString() == resource.PhysicalId);

    public override string? Attribute(LabModel m, StackResource resource, string name) => name == "AllocationId" ? Find(m, resource)?.Id : resource.PhysicalId;

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is ElasticAddress address
        ? [("Domain", Of("vpc")), ("InstanceId", address.InstanceId is { } id ? Of(id) : null)]
        : [];

    private async Task AttachAsync(ResourceWork work)
    {
        if (work.Text("InstanceId") is { } instance && work.Lab.Model.Read(m => Find(m, work.Resource)) is { } address)
            await work.CallAsync("ec2", "AssociateAddress", ("AllocationId", address.Id), ("InstanceId", instance)).ConfigureAwait(false);
    }

    private async Task DetachAsync(ResourceWork work)
    {
        if (work.Lab.Model.Read(m => Find(m, work.Resource)) is ElasticAddress { InstanceId: not null, AssociationId: { } association })
            await work.RemoveAsync("ec2", "DisassociateAddress", ("AssociationId", association)).ConfigureAwait(false);
    }
}

/// <summary>AWS::EC2::NatGateway.</summary>
internal sealed class NatGatewayType() : Ec2Type("AWS::EC2::NatGateway", "^SubnetId! ^AllocationId ^ConnectivityType" + TagProperties, "NatGatewayId")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        var answer = await work.CallAsync("ec2", "CreateNatGateway",
            [("SubnetId", work.Text("SubnetId")), ("AllocationId", work.Text("AllocationId")), ("ConnectivityType", work.Text("ConnectivityType")), .. work.TagSpecification("natgateway")]).ConfigureAwait(false);
        work.Made(answer.Element("natGateway")!.Element("natGatewayId")!.Value);
        await work.UntilAsync(m => m.NatGateways.GetValueOrDefault(work.PhysicalId)?.State != "pending").ConfigureAwait(false);
        if (work.Lab.Model.Read(m => m.NatGateways.GetValueOrDefault(work.PhysicalId)?.State) != "available")
            throw Template.Wrong($"NatGateway {work.PhysicalId} is in state failed and hence failed to stabilize. Detailed failure message: Network vpc has no Internet gateway attached");
    }

    public override async Task DeleteAsync(ResourceWork work)
    {
        if (await work.RemoveAsync("ec2", "DeleteNatGateway", ("NatGatewayId", work.PhysicalId)).ConfigureAwait(false))
            await work.UntilAsync(m => !m.NatGateways.ContainsKey(work.PhysicalId)).ConfigureAwait(false);
    }

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is NatGateway nat
        ? [("SubnetId", Of(nat.SubnetId)), ("AllocationId", nat.AllocationId is { } id ? Of(id) : null)]
        : [];
}
