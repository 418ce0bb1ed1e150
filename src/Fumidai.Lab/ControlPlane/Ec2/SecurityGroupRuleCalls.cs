namespace Fumidai.Lab;

/// <summary>Rules put into groups and taken out. They count for the next connection; those there are live on (groups track connections).</summary>
internal sealed class SecurityGroupRuleCalls(LabContext context)
{
    public AwsAnswer Authorize(AwsCall call, QueryForm form, RuleDirection direction)
    {
        var wanted = Rules(form, direction);
        if (wanted.Count == 0)
            throw new AwsError("MissingParameter", "The request must contain the parameter IpPermissions");
        return context.Model.Change(m =>
        {
            var group = Find(m, call, form);
            foreach (var rule in wanted)
            {
                // A group of another VPC or none cannot be named by a rule.
                if (rule.GroupId is { } other && Ec2Ids.Group.Find(m.SecurityGroups, call, other).VpcId != group.VpcId)
                    throw new AwsError("InvalidGroup.NotFound", $"You have specified two resources that belong to different networks.");
                if (wanted.Count(w => Same(w, rule)) > 1)
                    throw new AwsError("InvalidParameterValue", "The same permission must not appear multiple times");
                if (group.Rules.Any(r => Same(r, rule)))
                    throw new AwsError("InvalidPermission.Duplicate", $"the specified rule \"{Words(rule)}\" already exists");
            }
            group.Rules.AddRange(wanted);
            return new XmlText().Element("return", true).List("securityGroupRuleSet", "item", wanted, (x, r) => SecurityGroupCalls.Rule(x, group, r)).ToAnswer();
        });
    }

    public AwsAnswer Revoke(AwsCall call, QueryForm form, RuleDirection direction)
    {
        var ids = form.Texts("SecurityGroupRuleId");
        var wanted = Rules(form, direction);
        if (ids.Count == 0 && wanted.Count == 0)
            throw new AwsError("MissingParameter", "The request must contain the parameter IpPermissions");
        return context.Model.Change(m =>
        {
            var group = Find(m, call, form);
            var found = new List<SecurityGroupRule>();
            foreach (var id in ids)
            {
                found.Add(group.Rules.FirstOrDefault(r => r.RuleId == id && r.Direction == direction)
                    ?? throw new AwsError("InvalidSecurityGroupRuleId.NotFound", $"The security group rule ID '{id}' does not exist"));
            }
            foreach (var rule in wanted)
            {
                found.Add(group.Rules.FirstOrDefault(r => Same(r, rule))
                    ?? throw new AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group."));
            }
            foreach (var rule in found)
                group.Rules.Remove(rule);
            return new XmlText().Element("return", true)
                .List("revokedSecurityGroupRuleSet", "item", found, (x, r) =>
                {
                    x.Element("securityGroupRuleId", r.RuleId).Element("groupId", group.Id).Element("isEgress", r.Direction == RuleDirection.Egress).Element("ipProtocol", r.Protocol)
                        .Element("fromPort", r.FromPort).Element("toPort", r.ToPort).Element("cidrIpv4", r.Cidr).Element("referencedGroupId", r.GroupId).Element("description", r.Description);
                }).ToAnswer();
        });
    }

    private static SecurityGroup Find(LabModel m, AwsCall call, QueryForm form)
    {
        if (form.Text("GroupId") is { } id)
            return Ec2Ids.Group.Find(m.SecurityGroups, call, id);
        // Names are for default VPCs, of which the lab has none.
        throw form.Text("GroupName") is { } name
            ? new AwsError("InvalidGroup.NotFound", $"The security group '{name}' does not exist in default VPC")
            : new AwsError("MissingParameter", "The request must contain the parameter groupName or groupId");
    }

    private static bool Same(SecurityGroupRule a, SecurityGroupRule b) =>
        a.Direction == b.Direction && a.Protocol == b.Protocol && (a.Protocol == "-1" || (a.FromPort == b.FromPort && a.ToPort == b.ToPort)) && a.Cidr == b.Cidr && a.GroupId == b.GroupId;

    private static string Words(SecurityGroupRule rule) => rule.Protocol == "-1"
        ? $"peer: {rule.Cidr ?? rule.GroupId}, ALL, ALLOW"
        : $"peer: {rule.Cidr ?? rule.GroupId}, {rule.Protocol.ToUpperInvariant()}, from port: {rule.FromPort}, to port: {rule.ToPort}, ALLOW";

    /// <summary>The rules of a call, in its flat form (IpProtocol, CidrIp …) or as IpPermissions.</summary>
    private static List<SecurityGroupRule> Rules(QueryForm form, RuleDirection direction)
    {
        var rules = new List<SecurityGroupRule>();
        if (form.Text("CidrIp") is { } cidr)
            rules.Add(Rule(form, "", direction, cidr, null, null));
        else if (form.Text("SourceSecurityGroupName") is { } name)
            throw new AwsError("InvalidGroup.NotFound", $"The security group '{name}' does not exist in default VPC");
        foreach (var permission in form.Structures("IpPermissions"))
        {
            var before = rules.Count;
            foreach (var range in form.Structures($"{permission}.IpRanges"))
                rules.Add(Rule(form, permission + ".", direction, form.Required($"{range}.CidrIp"), null, form.Text($"{range}.Description")));
            foreach (var pair in form.Structures($"{permission}.Groups"))
                rules.Add(Rule(form, permission + ".", direction, null, form.Required($"{pair}.GroupId"), form.Text($"{pair}.Description")));
            if (form.Has($"{permission}.Ipv6Ranges") || form.Has($"{permission}.PrefixListIds"))
                throw new AwsError("InvalidParameterValue", "IPv6 ranges and prefix lists are not modelled by this lab.");
            if (rules.Count == before)
                throw new AwsError("InvalidParameterValue", "A permission must name ranges or groups.");
        }
        return rules;
    }

    private static SecurityGroupRule Rule(QueryForm form, string prefix, RuleDirection direction, string? cidr, string? groupId, string? description)
    {
        var protocol = form.Required(prefix + "IpProtocol") switch
        {
            "6" => "tcp",
            "17" => "udp",
            "1" => "icmp",
            "all" => "-1",
            var other => other,
        };
        if (protocol is not ("tcp" or "udp" or "icmp" or "-1"))
            throw new AwsError("InvalidParameterValue", $"Invalid value '{protocol}' for IP protocol. Unknown protocol.");
        var from = protocol == "-1" ? -1 : form.Number(prefix + "FromPort") ?? throw new AwsError("InvalidParameterValue", $"Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
        var to = protocol == "-1" ? -1 : form.Number(prefix + "ToPort") ?? from;
        if (protocol is "tcp" or "udp" && (from is < 0 or > 65_535 || to is < 0 or > 65_535 || to < from))
            throw new AwsError("InvalidParameterValue", $"Invalid value '{from}-{to}' for portRange.");
        if (cidr is not null)
        {
            if (!Ranges.TryParse(cidr, out var range))
                throw new AwsError("InvalidParameterValue", $"CIDR block {cidr} is malformed");
            cidr = range.ToString();
        }
        // Descriptions are ASCII only (aws-facts §8.1).
        if (description is not null && (description.Length > 255 || !description.All(c => c is >= ' ' and <= '~')))
            throw new AwsError("InvalidParameterValue", $"Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*");
        return new SecurityGroupRule(Ids.Ec2("sgr"), direction, protocol, from, to, cidr, groupId, description);
    }
}
