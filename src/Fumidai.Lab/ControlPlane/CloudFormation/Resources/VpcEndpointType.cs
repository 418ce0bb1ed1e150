namespace Fumidai.Lab;

/// <summary>AWS::EC2::VPCEndpoint.</summary>
internal sealed class VpcEndpointType() : Ec2Type("AWS::EC2::VPCEndpoint", "^VpcId! ^ServiceName! ^VpcEndpointType PrivateDnsEnabled SecurityGroupIds SubnetIds RouteTableIds PolicyDocument.*" + TagProperties,
    "Id CreationTimestamp DnsEntries NetworkInterfaceIds")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        var type = work.Text("VpcEndpointType") ?? "Gateway";
        var answer = await work.CallAsync("ec2", "CreateVpcEndpoint",
        [
            ("VpcId", work.Text("VpcId")), ("ServiceName", work.Text("ServiceName")), ("VpcEndpointType", type),
            // CloudFormation's default, unlike EC2's.
            ("PrivateDnsEnabled", type == "Interface" ? work.Text("PrivateDnsEnabled")?.ToLowerInvariant() ?? "false" : null), ("PolicyDocument", Policy(work)),
            .. ResourceWork.Numbered("SubnetId", work.Texts("SubnetIds")), .. ResourceWork.Numbered("SecurityGroupId", work.Texts("SecurityGroupIds")),
            .. ResourceWork.Numbered("RouteTableId", work.Texts("RouteTableIds")), .. work.TagSpecification("vpc-endpoint"),
        ]).ConfigureAwait(false);
        work.Made(answer.Element("vpcEndpoint")!.Element("vpcEndpointId")!.Value);
        await work.UntilAsync(m => m.Endpoints.GetValueOrDefault(work.PhysicalId)?.State != "pending").ConfigureAwait(false);
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        if (changed.Any(c => c != "Tags"))
        {
            var parameters = new List<(string, string?)> { ("VpcEndpointId", work.PhysicalId), ("PrivateDnsEnabled", work.Text("PrivateDnsEnabled")?.ToLowerInvariant()), ("PolicyDocument", Policy(work)) };
            if (Policy(work) is null && changed.Contains("PolicyDocument"))
                parameters.Add(("ResetPolicy", "true"));
            foreach (var (property, name) in ((string, string)[])[("SubnetIds", "SubnetId"), ("SecurityGroupIds", "SecurityGroupId"), ("RouteTableIds", "RouteTableId")])
            {
                var old = before[property]?.Items.Select(i => i.Value ?? "").ToList() ?? [];
                parameters.AddRange(ResourceWork.Numbered("Add" + name, work.Texts(property).Except(old)));
                parameters.AddRange(ResourceWork.Numbered("Remove" + name, old.Except(work.Texts(property))));
            }
            await work.CallAsync("ec2", "ModifyVpcEndpoint", parameters).ConfigureAwait(false);
        }
        await base.UpdateAsync(work, before, changed).ConfigureAwait(false);
    }

    public override async Task DeleteAsync(ResourceWork work)
    {
        var answer = await work.CallAsync("ec2", "DeleteVpcEndpoints", ("VpcEndpointId.1", work.PhysicalId)).ConfigureAwait(false);
        // Status 200 even where it was not deleted; gone already is fine.
        if (answer.Element("unsuccessful")?.Element("item")?.Element("error") is { } error && !error.Element("code")!.Value.Contains("NotFound", StringComparison.Ordinal))
            throw Template.Wrong(error.Element("message")!.Value);
    }

    public override string? Attribute(LabModel m, StackResource resource, string name) => Find(m, resource) is not VpcEndpoint endpoint ? null : name switch
    {
        "CreationTimestamp" => endpoint.CreatedAt.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
        "NetworkInterfaceIds" => string.Join(",", endpoint.SubnetIds.Select(s => "eni-" + s[7..])),
        "DnsEntries" => $"ZLABENDPOINTS:{endpoint.Id}-lab.{endpoint.ServiceName.Split('.')[^1]}.{endpoint.Region}.vpce.amazonaws.com",
        _ => endpoint.Id,
    };

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is VpcEndpoint e
        ?
        [
            ("VpcId", Of(e.VpcId)), ("ServiceName", Of(e.ServiceName)), ("VpcEndpointType", Of(e.Type)), ("PrivateDnsEnabled", Of(e.PrivateDnsEnabled)),
            ("SecurityGroupIds", Of(e.SecurityGroupIds)), ("SubnetIds", Of(e.SubnetIds)), ("RouteTableIds", Of(e.RouteTableIds)),
        ]
        : [];

    private static string? Policy(ResourceWork work) => work.Properties["PolicyDocument"]?.ToJson();
}
