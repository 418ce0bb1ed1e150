using System.Net;

namespace Fumidai.Lab;

/// <summary>VPCs and subnets made and removed.</summary>
internal sealed class VpcCalls(LabContext context)
{
    public AwsAnswer CreateVpc(AwsCall call, QueryForm form)
    {
        var cidr = Range(form.Required("CidrBlock"), "vpc");
        // Loopback and other special ranges are no VPC's (VPC user guide, "VPC CIDR blocks").
        if (cidr.BaseAddress.GetAddressBytes()[0] is 0 or 127 or >= 224)
            throw new AwsError("InvalidVpc.Range", $"The CIDR '{cidr}' is invalid.");
        if (form.Text("InstanceTenancy") is not (null or "default"))
            throw new AwsError("InvalidParameterValue", "Dedicated tenancy is not modelled by this lab.");
        return context.Model.Change(m =>
        {
            if (m.Vpcs.Values.Count(v => v.Account == call.Caller.Account && v.Region == call.Region) >= m.VpcQuota)
                throw new AwsError("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
            var vpc = new Vpc { Id = Ids.Ec2("vpc"), Account = call.Caller.Account, Region = call.Region, Cidr = cidr };
            NetworkCalls.Tag(vpc, form, "vpc");
            m.Vpcs[vpc.Id] = vpc;
            var main = new RouteTable { Id = Ids.Ec2("rtb"), Account = vpc.Account, Region = vpc.Region, VpcId = vpc.Id, IsMain = true };
            main.Routes.Add(new Route(cidr.ToString(), "local"));
            m.RouteTables[main.Id] = main;
            var group = new SecurityGroup { Id = Ids.Ec2("sg"), Account = vpc.Account, Region = vpc.Region, VpcId = vpc.Id, Name = "default", Description = "default VPC security group" };
            group.Rules.Add(SecurityGroupLifeCalls.EverythingOut());
            group.Rules.Add(new SecurityGroupRule(Ids.Ec2("sgr"), RuleDirection.Ingress, "-1", -1, -1, null, group.Id, null));
            m.SecurityGroups[group.Id] = group;
            return new XmlText().Group("vpc", x => NetworkCalls.WriteVpc(x, vpc)).ToAnswer();
        });
    }

    public AwsAnswer DeleteVpc(AwsCall call, QueryForm form)
    {
        var id = form.Required("VpcId");
        return context.Model.Change(m =>
        {
            var vpc = Ec2Ids.Vpc.Find(m.Vpcs, call, id);
            // What came with the VPC goes with it; what was made in it is in the way.
            if (m.Subnets.Values.Any(s => s.VpcId == id) || m.SecurityGroups.Values.Any(g => g.VpcId == id && g.Name != "default") || m.Endpoints.Values.Any(e => e.VpcId == id) || m.ConnectEndpoints.Values.Any(e => e.VpcId == id)
                || m.RouteTables.Values.Any(t => t.VpcId == id && !t.IsMain) || m.NetworkAcls.Values.Any(a => a.VpcId == id && !a.IsDefault) || m.InternetGateways.Values.Any(g => g.VpcId == id))
                throw new AwsError("DependencyViolation", $"The vpc '{id}' has dependencies and cannot be deleted.");
            foreach (var table in m.RouteTables.Values.Where(t => t.VpcId == id).ToList())
                m.RouteTables.Remove(table.Id);
            foreach (var group in m.SecurityGroups.Values.Where(g => g.VpcId == id).ToList())
                m.SecurityGroups.Remove(group.Id);
            foreach (var acl in m.NetworkAcls.Values.Where(a => a.VpcId == id).ToList())
                m.NetworkAcls.Remove(acl.Id);
            m.Stands.Forget(id);
            m.Vpcs.Remove(vpc.Id);
            return Ec2Xml.True;
        });
    }

    public AwsAnswer CreateSubnet(AwsCall call, QueryForm form)
    {
        var vpcId = form.Required("VpcId");
        var cidr = Range(form.Required("CidrBlock"), "subnet");
        var zone = form.Text("AvailabilityZone") ?? ZonesCalls.Of(call.Region)[0];
        if (!ZonesCalls.Of(call.Region).Contains(zone))
            throw new AwsError("InvalidParameterValue", $"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: {string.Join(", ", ZonesCalls.Of(call.Region))}.");
        return context.Model.Change(m =>
        {
            var vpc = Ec2Ids.Vpc.Find(m.Vpcs, call, vpcId);
            if (!Ranges.Holds(vpc.Cidr, cidr))
                throw new AwsError("InvalidSubnet.Range", $"The CIDR '{cidr}' is invalid.");
            if (m.Subnets.Values.Any(s => s.VpcId == vpc.Id && Ranges.Overlap(s.Cidr, cidr)))
                throw new AwsError("InvalidSubnet.Conflict", $"The CIDR '{cidr}' conflicts with another subnet");
            var subnet = new Subnet { Id = Ids.Ec2("subnet"), Account = vpc.Account, Region = vpc.Region, VpcId = vpc.Id, AvailabilityZone = zone, Cidr = cidr };
            NetworkCalls.Tag(subnet, form, "subnet");
            m.Subnets[subnet.Id] = subnet;
            return new XmlText().Group("subnet", x => NetworkCalls.WriteSubnet(x, subnet)).ToAnswer();
        });
    }

    public AwsAnswer DeleteSubnet(AwsCall call, QueryForm form)
    {
        var id = form.Required("SubnetId");
        return context.Model.Change(m =>
        {
            _ = Ec2Ids.Subnet.Find(m.Subnets, call, id);
            var groups = m.DbSubnetGroups.Values.Where(g => g.SubnetIds.Contains(id)).Select(g => g.Id).ToHashSet(StringComparer.Ordinal);
            if (m.Instances.Values.Any(i => i.SubnetId == id && i.State != "terminated") || m.Endpoints.Values.Any(e => e.Interfaces.ContainsKey(id)) || m.ConnectEndpoints.Values.Any(e => e.SubnetId == id) || m.NatGateways.Values.Any(n => n.SubnetId == id && n.State != "deleted")
                || m.DbClusters.Values.Any(c => groups.Contains(c.SubnetGroup)))
                throw new AwsError("DependencyViolation", $"The subnet '{id}' has dependencies and cannot be deleted.");
            foreach (var table in m.RouteTables.Values)
            {
                foreach (var association in table.Associations.Where(a => a.Value == id).Select(a => a.Key).ToList())
                    table.Associations.Remove(association);
            }
            m.Subnets.Remove(id);
            return Ec2Xml.True;
        });
    }

    public AwsAnswer ModifySubnetAttribute(AwsCall call, QueryForm form)
    {
        var id = form.Required("SubnetId");
        var mapsOpen = form.Flag("MapPublicIpOnLaunch.Value") ?? throw new AwsError("MissingParameter", "The request must contain exactly one attribute to modify (this lab models MapPublicIpOnLaunch)");
        return context.Model.Change(m =>
        {
            Ec2Ids.Subnet.Find(m.Subnets, call, id).MapPublicIpOnLaunch = mapsOpen;
            return Ec2Xml.True;
        });
    }

    private static IPNetwork Range(string text, string kind)
    {
        if (!Ranges.TryParse(text, out var range))
            throw new AwsError("InvalidParameterValue", $"Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block.");
        return range.PrefixLength is >= 16 and <= 28 ? range : throw new AwsError(kind == "vpc" ? "InvalidVpc.Range" : "InvalidSubnet.Range", $"The CIDR '{text}' is invalid.");
    }
}
