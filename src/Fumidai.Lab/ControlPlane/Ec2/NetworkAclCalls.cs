using System.Net;

namespace Fumidai.Lab;

/// <summary>Network ACLs: made, filled, put to subnets.</summary>
internal sealed class NetworkAclCalls(LabContext context)
{
    // Changes, though it only reads: a VPC's default one is made when it is first asked for.
    public AwsAnswer Describe(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        foreach (var vpc in NetworkCalls.Mine(m.Vpcs, call).ToList())
            NetworkAcl.DefaultOf(m, vpc);
        var found = Ec2List.Choose(form, NetworkCalls.Mine(m.NetworkAcls, call), "NetworkAclId", Ec2Ids.NetworkAcl, (a, f) => f switch
        {
            "network-acl-id" or "association.network-acl-id" => [a.Id],
            "vpc-id" => [a.VpcId],
            "default" => [a.IsDefault ? "true" : "false"],
            "association.subnet-id" => Associations(m, a).Select(s => s.SubnetId),
            "association.association-id" => Associations(m, a).Select(s => s.Id),
            _ => null,
        });
        return Ec2Xml.Set("networkAclSet", found, (x, a) => Write(x, m, a));
    });

    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        var vpcId = form.Required("VpcId");
        return context.Model.Change(m =>
        {
            var acl = NetworkAcl.New(Ec2Ids.Vpc.Find(m.Vpcs, call, vpcId), Ids.Ec2("acl"), isDefault: false);
            NetworkCalls.Tag(acl, form, "network-acl");
            m.NetworkAcls[acl.Id] = acl;
            return new XmlText().Group("networkAcl", x => Write(x, m, acl)).ToAnswer();
        });
    }

    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        var id = form.Required("NetworkAclId");
        return context.Model.Change(m =>
        {
            var acl = Find(m, call, id);
            if (acl.IsDefault)
                throw new AwsError("InvalidParameterValue", $"cannot delete default network ACL {id}");
            if (Associations(m, acl).Any())
                throw new AwsError("DependencyViolation", $"The networkAcl '{id}' has dependencies and cannot be deleted.");
            m.NetworkAcls.Remove(id);
            return Ec2Xml.True;
        });
    }

    public AwsAnswer CreateEntry(AwsCall call, QueryForm form) => context.Model.Change(m =>
    {
        var (acl, entry) = (Find(m, call, form.Required("NetworkAclId")), Entry(form));
        if (acl.Entries.Any(e => e.Number == entry.Number && e.IsEgress == entry.IsEgress))
            throw new AwsError("NetworkAclEntryAlreadyExists", $"The network acl entry identified by {entry.Number} already exists.");
        acl.Entries.Add(entry);
        return Ec2Xml.True;
    });

    public AwsAnswer ReplaceEntry(AwsCall call, QueryForm form) => context.Model.Change(m =>
    {
        var (acl, entry) = (Find(m, call, form.Required("NetworkAclId")), Entry(form));
        acl.Entries.RemoveAt(IndexOf(acl, entry.Number, entry.IsEgress));
        acl.Entries.Add(entry);
        return Ec2Xml.True;
    });

    public AwsAnswer DeleteEntry(AwsCall call, QueryForm form) => context.Model.Change(m =>
    {
        var acl = Find(m, call, form.Required("NetworkAclId"));
        acl.Entries.RemoveAt(IndexOf(acl, form.Number("RuleNumber") ?? throw form.Missing("RuleNumber"), form.Flag("Egress") ?? throw form.Missing("Egress")));
        return Ec2Xml.True;
    });

    public AwsAnswer ReplaceAssociation(AwsCall call, QueryForm form)
    {
        var (association, id) = (form.Required("AssociationId"), form.Required("NetworkAclId"));
        return context.Model.Change(m =>
        {
            var acl = Find(m, call, id);
            foreach (var vpc in NetworkCalls.Mine(m.Vpcs, call).ToList())
                NetworkAcl.DefaultOf(m, vpc);
            var subnetId = NetworkCalls.Mine(m.NetworkAcls, call).SelectMany(a => Associations(m, a)).FirstOrDefault(a => a.Id == association).SubnetId
                ?? throw new AwsError("InvalidAssociationID.NotFound", $"The association ID '{association}' does not exist");
            if (m.Subnets[subnetId].VpcId != acl.VpcId)
                throw new AwsError("InvalidParameterValue", $"Network ACL {id} and subnet {subnetId} belong to different networks");
            foreach (var other in m.NetworkAcls.Values)
                other.Associations.Remove(subnetId);
            var made = acl.IsDefault ? DefaultAssociation(subnetId) : Ids.Ec2("aclassoc");
            if (!acl.IsDefault)
                acl.Associations[subnetId] = made;
            return new XmlText().Element("newAssociationId", made).ToAnswer();
        });
    }

    private static NetworkAcl Find(LabModel m, AwsCall call, string id)
    {
        foreach (var vpc in NetworkCalls.Mine(m.Vpcs, call).ToList())
            NetworkAcl.DefaultOf(m, vpc);
        return Ec2Ids.NetworkAcl.Find(m.NetworkAcls, call, id);
    }

    private static int IndexOf(NetworkAcl acl, int number, bool egress)
    {
        var at = acl.Entries.FindIndex(e => e.Number == number && e.IsEgress == egress);
        return at >= 0 ? at : throw new AwsError("InvalidNetworkAclEntry.NotFound", $"The {(egress ? "egress" : "ingress")} entry {number} in network ACL {acl.Id} does not exist");
    }

    private static NetworkAclEntry Entry(QueryForm form)
    {
        var number = form.Number("RuleNumber") ?? throw form.Missing("RuleNumber");
        var egress = form.Flag("Egress") ?? throw form.Missing("Egress");
        var protocol = form.Required("Protocol") switch
        {
            "tcp" => "6",
            "udp" => "17",
            "icmp" => "1",
            "all" => "-1",
            var other => other,
        };
        var action = form.Required("RuleAction");
        if (number is < 1 or >= NetworkAclEntry.Last || action is not ("allow" or "deny"))
            throw new AwsError("InvalidParameterValue", "A rule number is from 1 to 32766, its action allow or deny.");
        if (form.Text("Ipv6CidrBlock") is not null)
            throw new AwsError("InvalidParameterValue", "IPv6 is not modelled by this lab.");
        if (!IPNetwork.TryParse(form.Required("CidrBlock"), out var range))
            throw new AwsError("InvalidParameterValue", $"Value ({form.Text("CidrBlock")}) for parameter cidrBlock is invalid. This is not a valid CIDR block.");
        var (from, to) = (form.Number("PortRange.From"), form.Number("PortRange.To"));
        if (protocol is "6" or "17" && (from is null || to is null))
            throw new AwsError("MissingParameter", "The request must contain the parameter portRange");
        return new NetworkAclEntry(number, egress, action == "allow", protocol, from ?? 0, to ?? 65_535, range);
    }

    private static void Write(XmlText x, LabModel m, NetworkAcl a)
    {
        NetworkAclEntry[] last = [.. ((bool[])[true, false]).Select(egress => new NetworkAclEntry(NetworkAclEntry.Last, egress, false, "-1", 0, 65_535, new IPNetwork(IPAddress.Any, 0)))];
        x.Element("networkAclId", a.Id).Element("vpcId", a.VpcId).Element("default", a.IsDefault).Element("ownerId", a.Account)
            .List("entrySet", "item", a.Entries.Concat(last).OrderBy(e => e.IsEgress).ThenBy(e => e.Number), (e, entry) =>
            {
                e.Element("ruleNumber", entry.Number).Element("protocol", entry.Protocol).Element("ruleAction", entry.Allows ? "allow" : "deny").Element("egress", entry.IsEgress).Element("cidrBlock", entry.Cidr.ToString());
                if (entry.Protocol is "6" or "17")
                    e.Group("portRange", p => p.Element("from", entry.FromPort).Element("to", entry.ToPort));
            })
            .List("associationSet", "item", Associations(m, a), (s, one) => s.Element("networkAclAssociationId", one.Id).Element("networkAclId", a.Id).Element("subnetId", one.SubnetId))
            .Tags(a);
    }

    private static IEnumerable<(string Id, string SubnetId)> Associations(LabModel m, NetworkAcl acl) => m.Subnets.Values.Where(s => s.VpcId == acl.VpcId && NetworkAcl.Of(m, s).Id == acl.Id)
        .Select(s => (acl.Associations.GetValueOrDefault(s.Id) ?? DefaultAssociation(s.Id), s.Id)).ToList();

    private static string DefaultAssociation(string subnetId) => "aclassoc-" + subnetId["subnet-".Length..];
}
