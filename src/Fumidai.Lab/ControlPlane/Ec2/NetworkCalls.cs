using System.Net;

namespace Fumidai.Lab;

/// <summary>VPCs, subnets, routes, gateways, addresses, tags.</summary>
internal sealed class NetworkCalls(LabContext context)
{
    public AwsAnswer DescribeVpcs(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var found = Ec2List.Choose(form, Mine(m.Vpcs, call), "VpcId", Ec2Ids.Vpc, (v, f) => f switch
        {
            "vpc-id" => [v.Id],
            "cidr" or "cidr-block-association.cidr-block" => [v.Cidr.ToString()],
            "state" => ["available"],
            "is-default" or "isDefault" => ["false"],
            _ => null,
        });
        return Ec2Xml.Set("vpcSet", found, WriteVpc);
    });

    public static void WriteVpc(XmlText x, Vpc v) => x.Element("vpcId", v.Id).Element("ownerId", v.Account).Element("state", "available").Element("cidrBlock", v.Cidr.ToString())
        .List("cidrBlockAssociationSet", "item", [v], (c, one) => c.Element("cidrBlock", one.Cidr.ToString()).Element("associationId", "vpc-cidr-assoc-" + one.Id[4..]).Group("cidrBlockState", s => s.Element("state", "associated")))
        .Element("dhcpOptionsId", "default").Element("instanceTenancy", "default").Element("isDefault", false).Tags(v);

    public AwsAnswer DescribeVpcAttribute(AwsCall call, QueryForm form)
    {
        var attribute = form.Required("Attribute");
        var id = form.Required("VpcId");
        return context.Model.Read(m =>
        {
            var vpc = Ec2Ids.Vpc.Find(m.Vpcs, call, id);
            var value = attribute switch
            {
                "enableDnsSupport" => vpc.EnableDnsSupport,
                "enableDnsHostnames" => vpc.EnableDnsHostnames,
                "enableNetworkAddressUsageMetrics" => false,
                _ => throw new AwsError("InvalidParameterValue", $"Value ({attribute}) for parameter attribute is invalid. Unknown attribute."),
            };
            return new XmlText().Element("vpcId", id).Group(attribute, x => x.Element("value", value)).ToAnswer();
        });
    }

    public AwsAnswer ModifyVpcAttribute(AwsCall call, QueryForm form)
    {
        var id = form.Required("VpcId");
        var support = form.Flag("EnableDnsSupport.Value");
        var hostNames = form.Flag("EnableDnsHostnames.Value");
        if (support is not null && hostNames is not null)
            throw new AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified");
        if (support is null && hostNames is null)
            throw new AwsError("MissingParameter", "The request must contain exactly one attribute to modify");
        return context.Model.Change(m =>
        {
            var vpc = Ec2Ids.Vpc.Find(m.Vpcs, call, id);
            vpc.EnableDnsSupport = support ?? vpc.EnableDnsSupport;
            vpc.EnableDnsHostnames = hostNames ?? vpc.EnableDnsHostnames;
            return Ec2Xml.True;
        });
    }

    public AwsAnswer DescribeSubnets(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var found = Ec2List.Choose(form, Mine(m.Subnets, call), "SubnetId", Ec2Ids.Subnet, (s, f) => f switch
        {
            "subnet-id" => [s.Id],
            "vpc-id" => [s.VpcId],
            "availability-zone" or "availabilityZone" => [s.AvailabilityZone],
            "cidr-block" or "cidr" => [s.Cidr.ToString()],
            "state" => ["available"],
            "default-for-az" => ["false"],
            "map-public-ip-on-launch" => [s.MapPublicIpOnLaunch ? "true" : "false"],
            _ => null,
        });
        return Ec2Xml.Set("subnetSet", found, WriteSubnet);
    });

    public static void WriteSubnet(XmlText x, Subnet s) => x.Element("subnetId", s.Id).Element("subnetArn", $"arn:aws:ec2:{s.Region}:{s.Account}:subnet/{s.Id}").Element("state", "available")
        .Element("ownerId", s.Account).Element("vpcId", s.VpcId).Element("cidrBlock", s.Cidr.ToString()).Element("availableIpAddressCount", (1 << (32 - s.Cidr.PrefixLength)) - 5)
        .Element("availabilityZone", s.AvailabilityZone).Element("defaultForAz", false).Element("mapPublicIpOnLaunch", s.MapPublicIpOnLaunch).Tags(s);

    public AwsAnswer DescribeRouteTables(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var found = Ec2List.Choose(form, Mine(m.RouteTables, call), "RouteTableId", Ec2Ids.RouteTable, (t, f) => f switch
        {
            "route-table-id" or "association.route-table-id" => [t.Id],
            "vpc-id" => [t.VpcId],
            "association.main" => [t.IsMain ? "true" : "false"],
            "association.subnet-id" => t.Associations.Values,
            "association.route-table-association-id" => t.Associations.Keys,
            "route.destination-cidr-block" => t.Routes.Select(r => r.Destination),
            "route.gateway-id" => t.Routes.Select(r => r.TargetId).Where(r => r == "local" || r.StartsWith("igw-", StringComparison.Ordinal) || r.StartsWith("vpce-", StringComparison.Ordinal)),
            "route.nat-gateway-id" => t.Routes.Select(r => r.TargetId).Where(r => r.StartsWith("nat-", StringComparison.Ordinal)),
            "route.state" => t.Routes.Select(r => StateOf(m, r)),
            _ => null,
        });
        return Ec2Xml.Set("routeTableSet", found, (x, t) => WriteRouteTable(x, m, t));
    });

    public static void WriteRouteTable(XmlText x, LabModel m, RouteTable t) => x.Element("routeTableId", t.Id).Element("vpcId", t.VpcId).Element("ownerId", t.Account)
        .List("routeSet", "item", t.Routes, (r, route) => r.Element("destinationCidrBlock", route.Destination)
            .Element(route.TargetId.StartsWith("nat-", StringComparison.Ordinal) ? "natGatewayId" : "gatewayId", route.TargetId)
            .Element("state", StateOf(m, route)).Element("origin", route.TargetId == "local" ? "CreateRouteTable" : "CreateRoute"))
        .List("associationSet", "item", Associations(t), (a, one) => a.Element("routeTableAssociationId", one.Id).Element("routeTableId", t.Id).Element("subnetId", one.SubnetId)
            .Element("main", one.SubnetId is null).Group("associationState", s => s.Element("state", "associated")))
        .Tags(t);

    public AwsAnswer CreateRoute(AwsCall call, QueryForm form)
    {
        var id = form.Required("RouteTableId");
        var destination = form.Required("DestinationCidrBlock");
        if (!IPNetwork.TryParse(destination, out _))
            throw new AwsError("InvalidParameterValue", $"Value ({destination}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.");
        return context.Model.Change(m =>
        {
            var table = Ec2Ids.RouteTable.Find(m.RouteTables, call, id);
            var target = RouteTarget(m, call, form);
            if (m.InternetGateways.TryGetValue(target, out var gateway) && gateway.VpcId != table.VpcId)
                throw new AwsError("InvalidParameterValue", $"route table {id} and network gateway {target} belong to different networks");
            if (m.NatGateways.TryGetValue(target, out var nat) && nat.VpcId != table.VpcId)
                throw new AwsError("InvalidParameterValue", $"route table {id} and NAT gateway {target} belong to different networks");
            if (table.Routes.Any(r => r.Destination == destination))
                throw new AwsError("RouteAlreadyExists", $"The route identified by {destination} already exists.");
            table.Routes.Add(new Route(destination, target));
            return Ec2Xml.True;
        });
    }

    /// <summary>The gateway that a call's route leads to.</summary>
    public static string RouteTarget(LabModel m, AwsCall call, QueryForm form) => (form.Text("GatewayId"), form.Text("NatGatewayId")) switch
    {
        ({ } gateway, null) => Ec2Ids.InternetGateway.Find(m.InternetGateways, call, gateway).Id,
        (null, { } nat) => Ec2Ids.Nat.Find(m.NatGateways, call, nat).Id,
        _ => throw new AwsError("MissingParameter", "The request must contain exactly one of gatewayId, natGatewayId"),
    };

    public AwsAnswer DeleteRoute(AwsCall call, QueryForm form)
    {
        var id = form.Required("RouteTableId");
        var destination = form.Required("DestinationCidrBlock");
        return context.Model.Change(m =>
        {
            var table = Ec2Ids.RouteTable.Find(m.RouteTables, call, id);
            if (table.Routes.FirstOrDefault(r => r.Destination == destination) is not { } route)
                throw new AwsError("InvalidRoute.NotFound", $"no route with destination-cidr-block {destination} in route table {id}");
            if (route.TargetId == "local")
                throw new AwsError("InvalidParameterValue", $"cannot remove local route {destination} in route table {id}");
            table.Routes.Remove(route);
            return Ec2Xml.True;
        });
    }

    public AwsAnswer DescribeInternetGateways(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var found = Ec2List.Choose(form, Mine(m.InternetGateways, call), "InternetGatewayId", Ec2Ids.InternetGateway, (g, f) => f switch
        {
            "internet-gateway-id" => [g.Id],
            "attachment.vpc-id" => [g.VpcId],
            "attachment.state" => [g.VpcId is null ? null : "available"],
            _ => null,
        });
        return Ec2Xml.Set("internetGatewaySet", found, WriteInternetGateway);
    });

    public static void WriteInternetGateway(XmlText x, InternetGateway g) => x.Element("internetGatewayId", g.Id).Element("ownerId", g.Account)
        .List("attachmentSet", "item", g.VpcId is { } vpc ? [vpc] : Array.Empty<string>(), (a, id) => a.Element("vpcId", id).Element("state", "available")).Tags(g);

    public AwsAnswer DescribeNatGateways(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        // Alone among EC2's describe calls its filters are called Filter in the model too (aws-facts §1).
        var found = Ec2List.Choose(form, Mine(m.NatGateways, call), "NatGatewayId", Ec2Ids.Nat, (n, f) => f switch
        {
            "nat-gateway-id" => [n.Id],
            "vpc-id" => [n.VpcId],
            "subnet-id" => [n.SubnetId],
            "state" => [n.State],
            _ => null,
        });
        return Ec2Xml.Set("natGatewaySet", found, (x, n) => WriteNat(x, m, n));
    });

    public static void WriteNat(XmlText x, LabModel m, NatGateway n) => x.Element("natGatewayId", n.Id).Element("vpcId", n.VpcId).Element("subnetId", n.SubnetId).Element("state", n.State)
        .Element("connectivityType", "public").Element("createTime", n.CreatedAt)
        .List("natGatewayAddressSet", "item", n.AllocationId is { } id && m.ElasticAddresses.TryGetValue(id, out var address) ? [address] : Array.Empty<ElasticAddress>(), (a, one) => a
            .Element("allocationId", one.Id).Element("publicIp", one.Address.ToString()).Element("privateIp", n.PrivateAddress?.ToString()).Element("associationId", one.AssociationId).Element("isPrimary", true).Element("status", "succeeded"))
        .Tags(n);

    public AwsAnswer DescribeRegions(AwsCall call, QueryForm form)
    {
        var names = form.Texts("RegionName");
        if (names.FirstOrDefault(n => !LabRegions.All.Contains(n)) is { } unknown)
            throw new AwsError("InvalidParameterValue", $"Invalid region names: [{unknown}]");
        return new XmlText().List("regionInfo", "item", LabRegions.All.Where(r => names.Count == 0 || names.Contains(r)), (x, r) => x
            .Element("regionName", r).Element("regionEndpoint", $"ec2.{r}.amazonaws.com").Element("optInStatus", "opt-in-not-required")).ToAnswer();
    }

    /// <summary>Puts the tags of a create call's TagSpecification of this resource type.</summary>
    public static void Tag(Resource resource, QueryForm form, string type)
    {
        foreach (var specification in form.Structures("TagSpecification").Where(s => form.Text($"{s}.ResourceType") == type))
        {
            foreach (var tag in form.Structures($"{specification}.Tag"))
            {
                var (key, value) = (form.Required($"{tag}.Key"), form.Text($"{tag}.Value") ?? "");
                TagCalls.Check(key, value);
                resource.Tags[key] = value;
            }
        }
    }

    public static IEnumerable<T> Mine<T>(Dictionary<string, T> all, AwsCall call) where T : Resource => all.Values.Where(r => r.Account == call.Caller.Account && r.Region == call.Region);

    private static IEnumerable<(string Id, string? SubnetId)> Associations(RouteTable table) =>
        [.. table.IsMain ? [("rtbassoc-" + table.Id[4..], null)] : Array.Empty<(string, string?)>(), .. table.Associations.Select(a => (a.Key, (string?)a.Value))];

    private static string StateOf(LabModel m, Route route) => route.TargetId == "local"
        || (m.InternetGateways.TryGetValue(route.TargetId, out var gateway) && gateway.VpcId is not null)
        || (m.NatGateways.TryGetValue(route.TargetId, out var nat) && nat.State is "available" or "pending")
        || m.Endpoints.ContainsKey(route.TargetId) ? "active" : "blackhole";
}
