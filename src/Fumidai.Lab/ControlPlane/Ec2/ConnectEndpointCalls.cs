namespace Fumidai.Lab;

/// <summary>EC2 Instance Connect Endpoints: one a VPC (aws-facts §6.1). Their names lead to the lab's own port.</summary>
internal sealed class ConnectEndpointCalls(LabContext context)
{
    public AwsAnswer Describe(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var found = Ec2List.Choose(form, m.ConnectEndpoints.Values.Where(e => e.Account == call.Caller.Account && e.Region == call.Region), "InstanceConnectEndpointId", Ec2Ids.ConnectEndpoint, (e, f) => f switch
        {
            "instance-connect-endpoint-id" => [e.Id],
            "vpc-id" => [e.VpcId],
            "subnet-id" => [e.SubnetId],
            "state" => [e.State],
            _ => null,
        });
        return Ec2Xml.Set("instanceConnectEndpointSet", found, Write);
    });

    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        var subnetId = form.Required("SubnetId");
        var made = context.Model.Change(m =>
        {
            var subnet = Ec2Ids.Subnet.Find(m.Subnets, call, subnetId);
            if (m.ConnectEndpoints.Values.Any(e => e.VpcId == subnet.VpcId))
                throw new AwsError("InstanceConnectEndpointLimitExceeded", $"The maximum number of EC2 Instance Connect Endpoints for {subnet.VpcId} has been reached.");
            var groups = form.Texts("SecurityGroupId").Select(g => Ec2Ids.Group.Find(m.SecurityGroups, call, g).Id).ToList();
            var endpoint = new ConnectEndpoint
            {
                Id = Ids.Ec2("eice"),
                Account = call.Caller.Account,
                Region = call.Region,
                VpcId = subnet.VpcId,
                SubnetId = subnet.Id,
                AvailabilityZone = subnet.AvailabilityZone,
                Address = AddressPlan.Next(m, subnet),
                PreservesClientAddress = form.Flag("PreserveClientIp") ?? false,
                DnsName = context.ApiAddress.Authority,
                CreatedAt = context.Time.GetUtcNow(),
            };
            endpoint.SecurityGroupIds.AddRange(groups.Count > 0 ? groups : m.SecurityGroups.Values.Where(g => g.VpcId == subnet.VpcId && g.Name == "default").Select(g => g.Id));
            NetworkCalls.Tag(endpoint, form, "instance-connect-endpoint");
            m.ConnectEndpoints[endpoint.Id] = endpoint;
            return endpoint;
        });
        context.Transitions.Start($"Endpoint {made.Id}", () => context.Model.Change(_ => made.State == "create-in-progress" ? made.State = "create-complete" : made.State));
        return context.Model.Read(_ => new XmlText().Group("instanceConnectEndpoint", x => Write(x, made)).ToAnswer());
    }

    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        var id = form.Required("InstanceConnectEndpointId");
        return context.Model.Change(m =>
        {
            var endpoint = Ec2Ids.ConnectEndpoint.Find(m.ConnectEndpoints, call, id);
            // Lab only: it is gone at once; on AWS it is delete-in-progress for a minute or so.
            endpoint.State = "delete-in-progress";
            m.ConnectEndpoints.Remove(id);
            return new XmlText().Group("instanceConnectEndpoint", x => Write(x, endpoint)).ToAnswer();
        });
    }

    private static void Write(XmlText xml, ConnectEndpoint e) => xml
        .Element("ownerId", e.Account).Element("instanceConnectEndpointId", e.Id)
        .Element("instanceConnectEndpointArn", $"arn:aws:ec2:{e.Region}:{e.Account}:instance-connect-endpoint/{e.Id}")
        .Element("state", e.State).Element("stateMessage", "").Element("dnsName", e.DnsName)
        .Texts("networkInterfaceIdSet", "item", ["eni-" + e.Id[5..]])
        .Element("vpcId", e.VpcId).Element("availabilityZone", e.AvailabilityZone).Element("createdAt", e.CreatedAt).Element("subnetId", e.SubnetId)
        .Element("preserveClientIp", e.PreservesClientAddress).Texts("securityGroupIdSet", "item", e.SecurityGroupIds).Element("ipAddressType", "ipv4").Tags(e);
}
