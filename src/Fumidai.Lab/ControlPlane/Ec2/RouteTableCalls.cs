namespace Fumidai.Lab;

/// <summary>Route tables made, removed, and put to subnets.</summary>
internal sealed class RouteTableCalls(LabContext context)
{
    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        var vpcId = form.Required("VpcId");
        return context.Model.Change(m =>
        {
            var vpc = Ec2Ids.Vpc.Find(m.Vpcs, call, vpcId);
            var table = new RouteTable { Id = Ids.Ec2("rtb"), Account = vpc.Account, Region = vpc.Region, VpcId = vpc.Id };
            table.Routes.Add(new Route(vpc.Cidr.ToString(), "local"));
            NetworkCalls.Tag(table, form, "route-table");
            m.RouteTables[table.Id] = table;
            return new XmlText().Group("routeTable", x => NetworkCalls.WriteRouteTable(x, m, table)).ToAnswer();
        });
    }

    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        var id = form.Required("RouteTableId");
        return context.Model.Change(m =>
        {
            var table = Ec2Ids.RouteTable.Find(m.RouteTables, call, id);
            if (table.IsMain || table.Associations.Count > 0)
                throw new AwsError("DependencyViolation", $"The routeTable '{id}' has dependencies and cannot be deleted.");
            foreach (var endpoint in m.Endpoints.Values)
                endpoint.RouteTableIds.Remove(id);
            m.RouteTables.Remove(id);
            return Ec2Xml.True;
        });
    }

    public AwsAnswer Associate(AwsCall call, QueryForm form)
    {
        var (id, subnetId) = (form.Required("RouteTableId"), form.Required("SubnetId"));
        return context.Model.Change(m =>
        {
            var table = Ec2Ids.RouteTable.Find(m.RouteTables, call, id);
            var subnet = Ec2Ids.Subnet.Find(m.Subnets, call, subnetId);
            if (subnet.VpcId != table.VpcId)
                throw new AwsError("InvalidParameterValue", $"Route table {id} and subnet {subnetId} belong to different networks");
            if (m.RouteTables.Values.Any(t => t.Associations.ContainsValue(subnetId)))
                throw new AwsError("Resource.AlreadyAssociated", $"the specified association for route table {id} conflicts with an existing association");
            var association = Ids.Ec2("rtbassoc");
            table.Associations[association] = subnetId;
            return new XmlText().Element("associationId", association).Group("associationState", s => s.Element("state", "associated")).ToAnswer();
        });
    }

    public AwsAnswer Disassociate(AwsCall call, QueryForm form)
    {
        var id = form.Required("AssociationId");
        return context.Model.Change(m =>
        {
            var table = NetworkCalls.Mine(m.RouteTables, call).FirstOrDefault(t => t.Associations.ContainsKey(id)) ?? throw new AwsError("InvalidAssociationID.NotFound", $"The association ID '{id}' does not exist");
            table.Associations.Remove(id);
            return Ec2Xml.True;
        });
    }

    public AwsAnswer ReplaceRoute(AwsCall call, QueryForm form)
    {
        var (id, destination) = (form.Required("RouteTableId"), form.Required("DestinationCidrBlock"));
        return context.Model.Change(m =>
        {
            var table = Ec2Ids.RouteTable.Find(m.RouteTables, call, id);
            var target = NetworkCalls.RouteTarget(m, call, form);
            var at = table.Routes.FindIndex(r => r.Destination == destination);
            if (at < 0)
                throw new AwsError("InvalidParameterValue", $"There is no route defined for '{destination}' in the route table. Use CreateRoute instead.");
            table.Routes[at] = new Route(destination, target);
            return Ec2Xml.True;
        });
    }
}
