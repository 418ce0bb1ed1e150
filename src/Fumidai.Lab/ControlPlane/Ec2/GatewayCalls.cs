namespace Fumidai.Lab;

/// <summary>Internet gateways, NAT gateways and the addresses these speak with.</summary>
internal sealed class GatewayCalls(LabContext context)
{
    public AwsAnswer CreateInternetGateway(AwsCall call, QueryForm form) => context.Model.Change(m =>
    {
        var gateway = new InternetGateway { Id = Ids.Ec2("igw"), Account = call.Caller.Account, Region = call.Region };
        NetworkCalls.Tag(gateway, form, "internet-gateway");
        m.InternetGateways[gateway.Id] = gateway;
        return new XmlText().Group("internetGateway", x => NetworkCalls.WriteInternetGateway(x, gateway)).ToAnswer();
    });

    public AwsAnswer AttachInternetGateway(AwsCall call, QueryForm form)
    {
        var (id, vpcId) = (form.Required("InternetGatewayId"), form.Required("VpcId"));
        return context.Model.Change(m =>
        {
            var gateway = Ec2Ids.InternetGateway.Find(m.InternetGateways, call, id);
            var vpc = Ec2Ids.Vpc.Find(m.Vpcs, call, vpcId);
            if (gateway.VpcId is not null)
                throw new AwsError("Resource.AlreadyAssociated", $"resource {id} is already attached to network {gateway.VpcId}");
            if (m.InternetGateways.Values.Any(g => g.VpcId == vpc.Id))
                throw new AwsError("InvalidParameterValue", $"Network {vpc.Id} already has an internet gateway attached");
            gateway.VpcId = vpc.Id;
            return Ec2Xml.True;
        });
    }

    public AwsAnswer DetachInternetGateway(AwsCall call, QueryForm form)
    {
        var (id, vpcId) = (form.Required("InternetGatewayId"), form.Required("VpcId"));
        return context.Model.Change(m =>
        {
            var gateway = Ec2Ids.InternetGateway.Find(m.InternetGateways, call, id);
            _ = Ec2Ids.Vpc.Find(m.Vpcs, call, vpcId);
            if (gateway.VpcId != vpcId)
                throw new AwsError("Gateway.NotAttached", $"resource {id} is not attached to network {vpcId}");
            if (m.Instances.Values.Any(i => i.VpcId == vpcId && i.PublicAddress is not null && i.State != "terminated") || m.NatGateways.Values.Any(n => n.VpcId == vpcId && n.State is not ("deleted" or "failed")))
                throw new AwsError("DependencyViolation", $"Network {vpcId} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.");
            gateway.VpcId = null;
            return Ec2Xml.True;
        });
    }

    public AwsAnswer DeleteInternetGateway(AwsCall call, QueryForm form)
    {
        var id = form.Required("InternetGatewayId");
        return context.Model.Change(m =>
        {
            if (Ec2Ids.InternetGateway.Find(m.InternetGateways, call, id).VpcId is not null)
                throw new AwsError("DependencyViolation", $"The internetGateway '{id}' has dependencies and cannot be deleted.");
            m.InternetGateways.Remove(id);
            return Ec2Xml.True;
        });
    }

    public AwsAnswer AllocateAddress(AwsCall call, QueryForm form)
    {
        if (form.Text("Domain") is not (null or "vpc"))
            throw new AwsError("InvalidParameterValue", $"Value ({form.Text("Domain")}) for parameter domain is invalid.");
        return context.Model.Change(m =>
        {
            var address = new ElasticAddress { Id = Ids.Ec2("eipalloc"), Account = call.Caller.Account, Region = call.Region, Address = AddressPlan.NextPublic(m, null) };
            NetworkCalls.Tag(address, form, "elastic-ip");
            m.ElasticAddresses[address.Id] = address;
            return new XmlText().Element("publicIp", address.Address.ToString()).Element("domain", "vpc").Element("allocationId", address.Id).Element("networkBorderGroup", call.Region).ToAnswer();
        });
    }

    public AwsAnswer ReleaseAddress(AwsCall call, QueryForm form)
    {
        var id = form.Required("AllocationId");
        return context.Model.Change(m =>
        {
            var address = Ec2Ids.Allocation.Find(m.ElasticAddresses, call, id);
            if (address.AssociationId is not null)
                throw new AwsError("InvalidIPAddress.InUse", $"Address {address.Address} is in use.");
            m.ElasticAddresses.Remove(id);
            return Ec2Xml.True;
        });
    }

    public AwsAnswer AssociateAddress(AwsCall call, QueryForm form)
    {
        var (id, instanceId) = (form.Required("AllocationId"), form.Required("InstanceId"));
        return context.Model.Change(m =>
        {
            var address = Ec2Ids.Allocation.Find(m.ElasticAddresses, call, id);
            var instance = Ec2Ids.Instance.Find(m.Instances, call, instanceId);
            if (address.AssociationId is not null && form.Flag("AllowReassociation") == false)
                throw new AwsError("Resource.AlreadyAssociated", $"resource {id} is already associated with associate-id {address.AssociationId}");
            if (address.InstanceId is { } before && m.Instances.TryGetValue(before, out var other))
                other.PublicAddress = null;
            address.AssociationId = Ids.Ec2("eipassoc");
            address.InstanceId = instance.Id;
            instance.PublicAddress = address.Address;
            return new XmlText().Element("return", true).Element("associationId", address.AssociationId).ToAnswer();
        });
    }

    public AwsAnswer DisassociateAddress(AwsCall call, QueryForm form)
    {
        var id = form.Required("AssociationId");
        return context.Model.Change(m =>
        {
            var address = NetworkCalls.Mine(m.ElasticAddresses, call).FirstOrDefault(a => a.AssociationId == id) ?? throw new AwsError("InvalidAssociationID.NotFound", $"The association ID '{id}' does not exist");
            if (address.InstanceId is null)
                throw new AwsError("OperationNotPermitted", "You are not allowed to disassociate the address of a NAT gateway.");
            if (m.Instances.TryGetValue(address.InstanceId, out var instance))
                instance.PublicAddress = null;
            address.AssociationId = address.InstanceId = null;
            return Ec2Xml.True;
        });
    }

    public AwsAnswer DescribeAddresses(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var (page, _) = Ec2List.Choose(form, NetworkCalls.Mine(m.ElasticAddresses, call), "AllocationId", Ec2Ids.Allocation, (a, f) => f switch
        {
            "allocation-id" => [a.Id],
            "association-id" => [a.AssociationId],
            "public-ip" => [a.Address.ToString()],
            "instance-id" => [a.InstanceId],
            "domain" => ["vpc"],
            _ => null,
        });
        return new XmlText().List("addressesSet", "item", page, (x, a) => x.Element("publicIp", a.Address.ToString()).Element("allocationId", a.Id).Element("domain", "vpc")
            .Element("associationId", a.AssociationId).Element("instanceId", a.InstanceId).Element("networkBorderGroup", a.Region).Tags(a)).ToAnswer();
    });

    public AwsAnswer CreateNatGateway(AwsCall call, QueryForm form)
    {
        var subnetId = form.Required("SubnetId");
        if (form.Text("ConnectivityType") is not (null or "public"))
            throw new AwsError("InvalidParameterValue", "Private NAT gateways are not modelled by this lab.");
        var allocation = form.Required("AllocationId");
        var nat = context.Model.Change(m =>
        {
            var subnet = Ec2Ids.Subnet.Find(m.Subnets, call, subnetId);
            var address = Ec2Ids.Allocation.Find(m.ElasticAddresses, call, allocation);
            if (address.AssociationId is not null)
                throw new AwsError("Resource.AlreadyAssociated", $"Elastic IP address [{allocation}] is already associated");
            var made = new NatGateway
            {
                Id = Ids.Ec2("nat"),
                Account = call.Caller.Account,
                Region = call.Region,
                VpcId = subnet.VpcId,
                SubnetId = subnet.Id,
                State = "pending",
                AllocationId = address.Id,
                PrivateAddress = AddressPlan.Next(m, subnet),
                CreatedAt = context.Time.GetUtcNow(),
            };
            NetworkCalls.Tag(made, form, "natgateway");
            address.AssociationId = Ids.Ec2("eipassoc");
            m.NatGateways[made.Id] = made;
            return made;
        });
        context.Transitions.Start($"NAT gateway {nat.Id}", () => context.Model.Change(m =>
        {
            if (nat.State != "pending")
                return nat.State;
            // It is made all the same, and fails when the network has no gateway (aws-facts §1.25).
            return nat.State = m.InternetGateways.Values.Any(g => g.VpcId == nat.VpcId) ? "available" : "failed";
        }));
        return context.Model.Read(m => new XmlText().Group("natGateway", x => NetworkCalls.WriteNat(x, m, nat)).ToAnswer());
    }

    public AwsAnswer DeleteNatGateway(AwsCall call, QueryForm form)
    {
        var id = form.Required("NatGatewayId");
        var nat = context.Model.Change(m =>
        {
            var found = Ec2Ids.Nat.Find(m.NatGateways, call, id);
            if (found.State != "deleted")
                found.State = "deleting";
            return found;
        });
        context.Transitions.Start($"NAT gateway {id}", () => context.Model.Change(m =>
        {
            if (nat.AllocationId is { } allocation && m.ElasticAddresses.TryGetValue(allocation, out var address))
                address.AssociationId = null;
            // AWS shows a deleted one for about an hour; the lab forgets it.
            return m.NatGateways.Remove(id);
        }));
        return new XmlText().Element("natGatewayId", id).ToAnswer();
    }
}
