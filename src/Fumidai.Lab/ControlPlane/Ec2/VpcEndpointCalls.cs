namespace Fumidai.Lab;

/// <summary>VPC endpoints. Interface endpoints carry AWS's services inside; gateway endpoints exist and carry nothing that sessions need.</summary>
internal sealed class VpcEndpointCalls(LabContext context)
{
    private static readonly string[] s_services = ["ssm", "ssmmessages", "ec2messages", "ec2", "kms", "logs", "s3", "secretsmanager", "rds", "sts"];

    public AwsAnswer Describe(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var found = Ec2List.Choose(form, m.Endpoints.Values.Where(e => e.Account == call.Caller.Account && e.Region == call.Region), "VpcEndpointId", Ec2Ids.Endpoint, (e, f) => f switch
        {
            "vpc-endpoint-id" => [e.Id],
            "vpc-id" => [e.VpcId],
            "service-name" => [e.ServiceName],
            "vpc-endpoint-type" => [e.Type],
            "vpc-endpoint-state" => [e.State],
            _ => null,
        });
        return Ec2Xml.Set("vpcEndpointSet", found, (x, e) => Write(x, m, e));
    });

    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        var vpcId = form.Required("VpcId");
        var service = form.Required("ServiceName");
        var type = form.Text("VpcEndpointType") ?? "Gateway";
        var policy = Policy(form);
        if (!s_services.Any(s => service == $"com.amazonaws.{call.Region}.{s}"))
            throw new AwsError("InvalidServiceName", $"The Vpc Endpoint Service '{service}' does not exist");
        if (type is not ("Interface" or "Gateway") || (type == "Gateway" && !service.EndsWith(".s3", StringComparison.Ordinal)))
            throw new AwsError("InvalidParameter", $"Endpoint type ({type}) does not match available service types.");
        var isPrivate = form.Flag("PrivateDnsEnabled") ?? type == "Interface";
        var made = context.Model.Change(m =>
        {
            var vpc = Ec2Ids.Vpc.Find(m.Vpcs, call, vpcId);
            var subnets = form.Texts("SubnetId").Select(s => SubnetOf(m, call, vpc.Id, s)).ToList();
            if (subnets.GroupBy(s => s.AvailabilityZone).Any(z => z.Count() > 1))
                throw new AwsError("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone.");
            var groups = form.Texts("SecurityGroupId").Select(g => Ec2Ids.Group.Find(m.SecurityGroups, call, g).Id).ToList();
            if (type == "Interface" && isPrivate)
            {
                if (!vpc.EnableDnsSupport || !vpc.EnableDnsHostnames)
                    throw new AwsError("InvalidParameter", $"Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {vpc.Id}");
                if (m.Endpoints.Values.Any(e => e.VpcId == vpc.Id && e.ServiceName == service && e.PrivateDnsEnabled && e.Type == "Interface"))
                    throw new AwsError("InvalidParameter", $"private-dns-enabled cannot be set because there is already a conflicting DNS domain for {service.Split('.')[^1]}.{call.Region}.amazonaws.com in the VPC {vpc.Id}");
            }
            var endpoint = new VpcEndpoint
            {
                Id = Ids.Ec2("vpce"),
                Account = call.Caller.Account,
                Region = call.Region,
                VpcId = vpc.Id,
                ServiceName = service,
                Type = type,
                State = "pending",
                PrivateDnsEnabled = isPrivate && type == "Interface",
                PolicyDocument = policy,
                CreatedAt = context.Time.GetUtcNow(),
            };
            if (type == "Interface")
                endpoint.SecurityGroupIds.AddRange(groups.Count > 0 ? groups : m.SecurityGroups.Values.Where(g => g.VpcId == vpc.Id && g.Name == "default").Select(g => g.Id));
            m.Endpoints[endpoint.Id] = endpoint;
            foreach (var subnet in subnets)
                endpoint.Interfaces[subnet.Id] = AddressPlan.Next(m, subnet);
            endpoint.RouteTableIds.AddRange(form.Texts("RouteTableId").Select(t => Ec2Ids.RouteTable.Find(m.RouteTables, call, t).Id));
            NetworkCalls.Tag(endpoint, form, "vpc-endpoint");
            return endpoint;
        });
        context.Transitions.Start($"Endpoint {made.Id}", () => context.Model.Change(_ => made.State == "pending" ? made.State = "available" : made.State));
        return context.Model.Read(m => new XmlText().Group("vpcEndpoint", x => Write(x, m, made)).ToAnswer());
    }

    public AwsAnswer Modify(AwsCall call, QueryForm form)
    {
        var id = form.Required("VpcEndpointId");
        var isPrivate = form.Flag("PrivateDnsEnabled");
        var policy = Policy(form);
        return context.Model.Change(m =>
        {
            var endpoint = Ec2Ids.Endpoint.Find(m.Endpoints, call, id);
            var addGroups = form.Texts("AddSecurityGroupId").Select(g => Ec2Ids.Group.Find(m.SecurityGroups, call, g).Id).ToList();
            var addSubnets = form.Texts("AddSubnetId").Select(s => SubnetOf(m, call, endpoint.VpcId, s)).ToList();
            if (isPrivate == true && m.Vpcs[endpoint.VpcId] is { EnableDnsSupport: false } or { EnableDnsHostnames: false })
                throw new AwsError("InvalidParameter", $"Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {endpoint.VpcId}");
            var remaining = endpoint.SecurityGroupIds.Concat(addGroups).Except(form.Texts("RemoveSecurityGroupId")).ToList();
            if (endpoint.Type == "Interface" && remaining.Count == 0)
                throw new AwsError("InvalidParameter", "An interface endpoint must have at least one security group.");
            endpoint.PrivateDnsEnabled = isPrivate ?? endpoint.PrivateDnsEnabled;
            endpoint.PolicyDocument = form.Flag("ResetPolicy") == true ? null : policy ?? endpoint.PolicyDocument;
            endpoint.SecurityGroupIds.Clear();
            endpoint.SecurityGroupIds.AddRange(remaining);
            foreach (var subnet in addSubnets.Where(s => !endpoint.Interfaces.ContainsKey(s.Id)))
                endpoint.Interfaces[subnet.Id] = AddressPlan.Next(m, subnet);
            foreach (var subnet in form.Texts("RemoveSubnetId"))
                endpoint.Interfaces.Remove(subnet);
            return Ec2Xml.True;
        });
    }

    /// <summary>What cannot be deleted is named in the answer, whose status is 200 all the same (aws-facts §1.25).</summary>
    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        var ids = form.Texts("VpcEndpointId");
        if (ids.Count == 0)
            throw form.Missing("VpcEndpointId");
        var unknown = context.Model.Change(m =>
        {
            var failed = new List<(string Id, AwsError Error)>();
            foreach (var id in ids)
            {
                try
                {
                    _ = Ec2Ids.Endpoint.Find(m.Endpoints, call, id);
                    m.Endpoints.Remove(id);
                }
                catch (AwsError error)
                {
                    failed.Add((id, error));
                }
            }
            return failed;
        });
        return new XmlText().List("unsuccessful", "item", unknown, (x, f) => x.Element("resourceId", f.Id)
            .Group("error", e => e.Element("code", f.Error.Code).Element("message", f.Error.Message))).ToAnswer();
    }

    private static Subnet SubnetOf(LabModel m, AwsCall call, string vpcId, string id) => Ec2Ids.Subnet.Find(m.Subnets, call, id) is var subnet && subnet.VpcId == vpcId
        ? subnet
        : throw new AwsError("InvalidParameter", $"The subnet {id} does not belong to {vpcId}");

    private static string? Policy(QueryForm form)
    {
        if (form.Text("PolicyDocument") is not { Length: > 0 } document)
            return null;
        try
        {
            _ = PolicyDocument.Parse(document);
        }
        catch (AwsError)
        {
            throw new AwsError("InvalidPolicyDocument", "Invalid policy document: syntax error.");
        }
        return document;
    }

    private static void Write(XmlText x, LabModel m, VpcEndpoint e)
    {
        var service = e.ServiceName.Split('.')[^1];
        var name = $"{e.Id}-lab.{service}.{e.Region}.vpce.amazonaws.com";
        x.Element("vpcEndpointId", e.Id).Element("vpcEndpointType", e.Type).Element("vpcId", e.VpcId).Element("serviceName", e.ServiceName).Element("state", e.State)
            .Element("policyDocument", e.PolicyDocument ?? """{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}""")
            .Texts("routeTableIdSet", "item", e.RouteTableIds).Texts("subnetIdSet", "item", e.SubnetIds)
            .List("groupSet", "item", e.SecurityGroupIds, (g, id) => g.Element("groupId", id).Element("groupName", m.SecurityGroups.GetValueOrDefault(id)?.Name))
            .Element("ipAddressType", "ipv4").Element("privateDnsEnabled", e.PrivateDnsEnabled).Element("requesterManaged", false)
            .Texts("networkInterfaceIdSet", "item", e.Interfaces.Keys.Select(s => "eni-" + s[7..]))
            .List<string>("dnsEntrySet", "item", e.Type != "Interface" ? [] : e.PrivateDnsEnabled ? [name, $"{service}.{e.Region}.amazonaws.com"] : [name], (d, n) => d.Element("dnsName", n).Element("hostedZoneId", "ZLABENDPOINTS"))
            .Element("creationTimestamp", e.CreatedAt).Element("ownerId", e.Account).Tags(e);
    }
}
