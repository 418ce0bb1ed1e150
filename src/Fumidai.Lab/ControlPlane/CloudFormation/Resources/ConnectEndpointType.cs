namespace Fumidai.Lab;

/// <summary>AWS::EC2::InstanceConnectEndpoint. Everything but its tags needs a replacement.</summary>
internal sealed class ConnectEndpointType() : Ec2Type("AWS::EC2::InstanceConnectEndpoint", "^SubnetId! ^SecurityGroupIds ^PreserveClientIp ^ClientToken" + TagProperties, "Id InstanceConnectEndpointArn")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        var answer = await work.CallAsync("ec2", "CreateInstanceConnectEndpoint",
        [
            ("SubnetId", work.Text("SubnetId")), ("PreserveClientIp", work.Text("PreserveClientIp")?.ToLowerInvariant()),
            .. ResourceWork.Numbered("SecurityGroupId", work.Texts("SecurityGroupIds")), .. work.TagSpecification("instance-connect-endpoint"),
        ]).ConfigureAwait(false);
        work.Made(answer.Element("instanceConnectEndpoint")!.Element("instanceConnectEndpointId")!.Value);
        await work.UntilAsync(m => m.ConnectEndpoints.GetValueOrDefault(work.PhysicalId)?.State != "create-in-progress").ConfigureAwait(false);
    }

    public override Task DeleteAsync(ResourceWork work) => work.CallAsync("ec2", "DeleteInstanceConnectEndpoint", ("InstanceConnectEndpointId", work.PhysicalId));

    public override string? Attribute(LabModel m, StackResource resource, string name) => Find(m, resource) is not ConnectEndpoint endpoint ? null
        : name == "InstanceConnectEndpointArn" ? $"arn:aws:ec2:{endpoint.Region}:{endpoint.Account}:instance-connect-endpoint/{endpoint.Id}"
        : endpoint.Id;

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is ConnectEndpoint e
        ? [("SubnetId", Of(e.SubnetId)), ("SecurityGroupIds", Of(e.SecurityGroupIds)), ("PreserveClientIp", Of(e.PreservesClientAddress))]
        : [];
}
