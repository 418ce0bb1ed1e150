namespace Fumidai.Lab;

/// <summary>AWS::EC2::Instance.</summary>
internal sealed class InstanceType() : Ec2Type("AWS::EC2::Instance", """
    ^ImageId InstanceType IamInstanceProfile ^SubnetId ^AvailabilityZone SecurityGroupIds ^KeyName UserData InstanceInitiatedShutdownBehavior DisableApiTermination
    ^NetworkInterfaces.DeviceIndex NetworkInterfaces.SubnetId NetworkInterfaces.AssociatePublicIpAddress NetworkInterfaces.GroupSet NetworkInterfaces.DeleteOnTermination NetworkInterfaces.Description
    MetadataOptions.HttpTokens MetadataOptions.HttpEndpoint MetadataOptions.HttpPutResponseHopLimit
    ^BlockDeviceMappings.DeviceName BlockDeviceMappings.Ebs.VolumeType BlockDeviceMappings.Ebs.VolumeSize BlockDeviceMappings.Ebs.Encrypted BlockDeviceMappings.Ebs.DeleteOnTermination
    PropagateTagsToVolumeOnCreation
    """ + TagProperties, "PrivateIp PublicIp AvailabilityZone PrivateDnsName PublicDnsName InstanceId VpcId State.Name")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        if (work.Text("ImageId") is null)
            throw Template.Wrong("Resource handler returned message: \"The request must contain the parameter ImageId (Service: Ec2, Status Code: 400)\"");
        if (work.Properties["NetworkInterfaces"]?.Items.Count > 1 || work.Properties["BlockDeviceMappings"]?.Items.Count > 1)
            throw Template.Wrong("More than one network interface or volume of an instance is not modelled by this lab.");
        var answer = await work.CallAsync("ec2", "RunInstances",
        [
            ("ImageId", work.Text("ImageId")), ("MinCount", "1"), ("MaxCount", "1"), ("InstanceType", work.Text("InstanceType")), ("KeyName", work.Text("KeyName")), ("IamInstanceProfile.Name", work.Text("IamInstanceProfile")),
            ("SubnetId", work.Text("SubnetId")), ("UserData", work.Text("UserData")), ("InstanceInitiatedShutdownBehavior", work.Text("InstanceInitiatedShutdownBehavior")), ("DisableApiTermination", Flag(work.Text("DisableApiTermination"))),
            .. ResourceWork.Numbered("SecurityGroupId", work.Texts("SecurityGroupIds")), .. Interface(work), .. Metadata(work, "MetadataOptions."), .. Volume(work), .. work.TagSpecification("instance"),
        ]).ConfigureAwait(false);
        work.Made(answer.Element("instancesSet")!.Element("item")!.Element("instanceId")!.Value);
        await StateAsync(work, "running").ConfigureAwait(false);
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        var id = ("InstanceId", (string?)work.PhysicalId);
        if (changed.Contains("SecurityGroupIds"))
            await work.CallAsync("ec2", "ModifyInstanceAttribute", [id, .. ResourceWork.Numbered("GroupId", work.Texts("SecurityGroupIds"))]).ConfigureAwait(false);
        if (changed.Contains("InstanceInitiatedShutdownBehavior"))
            await work.CallAsync("ec2", "ModifyInstanceAttribute", id, ("InstanceInitiatedShutdownBehavior.Value", work.Text("InstanceInitiatedShutdownBehavior") ?? "stop")).ConfigureAwait(false);
        if (changed.Contains("DisableApiTermination"))
            await work.CallAsync("ec2", "ModifyInstanceAttribute", id, ("DisableApiTermination.Value", Flag(work.Text("DisableApiTermination")) ?? "false")).ConfigureAwait(false);
        if (changed.Contains("MetadataOptions"))
            await work.CallAsync("ec2", "ModifyInstanceMetadataOptions", [id, .. Metadata(work, "")]).ConfigureAwait(false);
        if (changed.Contains("IamInstanceProfile"))
            await ProfileAsync(work).ConfigureAwait(false);
        if (changed.Contains("InstanceType") || changed.Contains("UserData"))
            await WhileStoppedAsync(work, changed).ConfigureAwait(false);
        await base.UpdateAsync(work, before, changed).ConfigureAwait(false);
    }

    public override async Task DeleteAsync(ResourceWork work)
    {
        if (await work.RemoveAsync("ec2", "TerminateInstances", ("InstanceId.1", work.PhysicalId)).ConfigureAwait(false))
            await work.UntilAsync(m => m.Instances.GetValueOrDefault(work.PhysicalId)?.State is null or "terminated").ConfigureAwait(false);
    }

    public override Resource? Find(LabModel m, StackResource resource) => base.Find(m, resource) is Instance { State: not ("terminated" or "shutting-down") } instance ? instance : null;

    public override string? Attribute(LabModel m, StackResource resource, string name) => Find(m, resource) is not Instance i ? null : name switch
    {
        "PrivateIp" => i.PrivateAddress.ToString(),
        "PublicIp" => i.PublicAddress?.ToString() ?? "",
        "AvailabilityZone" => i.AvailabilityZone,
        "PrivateDnsName" => VpcResolver.PrivateNameOf(i),
        "PublicDnsName" => i.PublicAddress is { } open && m.Vpcs[i.VpcId].EnableDnsHostnames ? $"ec2-{open.ToString().Replace('.', '-')}.{i.Region}.compute.amazonaws.com" : "",
        "VpcId" => i.VpcId,
        "State.Name" => i.State,
        _ => i.Id,
    };

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is Instance i
        ?
        [
            ("ImageId", Of(i.ImageId)), ("InstanceType", Of(i.InstanceType)), ("SubnetId", Of(i.SubnetId)), ("AvailabilityZone", Of(i.AvailabilityZone)), ("SecurityGroupIds", Of(i.SecurityGroupIds)),
            // Null is left out: as drift, a profile that was taken away is told as removed.
            ("IamInstanceProfile", i.InstanceProfileArn?.Split('/')[^1] is { } profile ? Of(profile) : null), ("InstanceInitiatedShutdownBehavior", Of(i.ShutdownBehavior)), ("DisableApiTermination", Of(i.DisableApiTermination)),
            ("UserData", i.UserData is { } data ? Of(data) : null),
            ("MetadataOptions", Compose([("HttpTokens", Of(i.HttpTokens)), ("HttpEndpoint", Of(i.HttpEndpoint)), ("HttpPutResponseHopLimit", Of(i.HttpHopLimit.ToString(System.Globalization.CultureInfo.InvariantCulture)))])),
            ("NetworkInterfaces", new TemplateNode.Sequence([Compose(
                [("DeviceIndex", Of("0")), ("SubnetId", Of(i.SubnetId)), ("AssociatePublicIpAddress", Of(i.PublicAddress is not null)), ("GroupSet", Of(i.SecurityGroupIds))])])),
        ]
        : [];

    private static IEnumerable<(string, string?)> Interface(ResourceWork work)
    {
        if (work.Properties["NetworkInterfaces"]?.Items is not [var one])
            return [];
        return
        [
            ("NetworkInterface.1.DeviceIndex", one.Member("DeviceIndex")?.Value), ("NetworkInterface.1.SubnetId", one.Member("SubnetId")?.Value),
            ("NetworkInterface.1.AssociatePublicIpAddress", Flag(one.Member("AssociatePublicIpAddress")?.Value)),
            .. ResourceWork.Numbered("NetworkInterface.1.SecurityGroupId", one.Member("GroupSet")?.Items.Select(g => g.Value ?? "") ?? []),
        ];
    }

    private static (string, string?)[] Metadata(ResourceWork work, string prefix) =>
        [.. ((string[])["HttpTokens", "HttpEndpoint", "HttpPutResponseHopLimit"]).Select(n => (prefix + n, work.Properties["MetadataOptions"]?.Member(n)?.Value))];

    private static IEnumerable<(string, string?)> Volume(ResourceWork work)
    {
        if (work.Properties["BlockDeviceMappings"]?.Items is not [var one])
            return [];
        var disk = one.Member("Ebs");
        return
        [
            ("BlockDeviceMapping.1.DeviceName", one.Member("DeviceName")?.Value), ("BlockDeviceMapping.1.Ebs.VolumeType", disk?.Member("VolumeType")?.Value),
            ("BlockDeviceMapping.1.Ebs.VolumeSize", disk?.Member("VolumeSize")?.Value), ("BlockDeviceMapping.1.Ebs.Encrypted", Flag(disk?.Member("Encrypted")?.Value)),
        ];
    }

    private static async Task ProfileAsync(ResourceWork work)
    {
        if (work.Lab.Model.Read(m => m.Instances.GetValueOrDefault(work.PhysicalId)?.ProfileAssociationId) is { } association)
            await work.CallAsync("ec2", "DisassociateIamInstanceProfile", ("AssociationId", association)).ConfigureAwait(false);
        if (work.Text("IamInstanceProfile") is { } profile)
            await work.CallAsync("ec2", "AssociateIamInstanceProfile", ("InstanceId", work.PhysicalId), ("IamInstanceProfile.Name", profile)).ConfigureAwait(false);
    }

    /// <summary>Type and user data change only while it is stopped; one that ran runs again.</summary>
    private static async Task WhileStoppedAsync(ResourceWork work, IReadOnlySet<string> changed)
    {
        var wasRunning = work.Lab.Model.Read(m => m.Instances.GetValueOrDefault(work.PhysicalId)?.State) is "running" or "pending";
        if (wasRunning)
        {
            await work.CallAsync("ec2", "StopInstances", ("InstanceId.1", work.PhysicalId)).ConfigureAwait(false);
            await StateAsync(work, "stopped").ConfigureAwait(false);
        }
        foreach (var property in ((string[])["InstanceType", "UserData"]).Where(changed.Contains))
            await work.CallAsync("ec2", "ModifyInstanceAttribute", ("InstanceId", work.PhysicalId), ($"{property}.Value", work.Text(property) ?? (property == "InstanceType" ? "m1.small" : ""))).ConfigureAwait(false);
        if (!wasRunning)
            return;
        await work.CallAsync("ec2", "StartInstances", ("InstanceId.1", work.PhysicalId)).ConfigureAwait(false);
        await StateAsync(work, "running").ConfigureAwait(false);
    }

    private static async Task StateAsync(ResourceWork work, string state)
    {
        await work.UntilAsync(m => m.Instances.GetValueOrDefault(work.PhysicalId)?.State is null or "terminated" || m.Instances[work.PhysicalId].State == state).ConfigureAwait(false);
        if (work.Lab.Model.Read(m => m.Instances.GetValueOrDefault(work.PhysicalId)?.State) != state)
            throw Template.Wrong($"Instance {work.PhysicalId} failed to stabilize. Current state: terminated. Reason: Client.UserInitiatedShutdown: User initiated shutdown");
    }

    private static string? Flag(string? text) => text?.ToLowerInvariant();
}
