namespace Fumidai.Lab;

/// <summary>What EC2 tells of security groups.</summary>
internal sealed class SecurityGroupCalls(LabContext context)
{
    public AwsAnswer Describe(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var names = form.Texts("GroupName");
        var mine = Mine(m, call).ToList();
        if (names.FirstOrDefault(n => mine.All(g => g.Name != n)) is { } unknown)
            throw new AwsError("InvalidGroup.NotFound", $"The security group '{unknown}' does not exist");
        var found = Ec2List.Choose(form, mine.Where(g => names.Count == 0 || names.Contains(g.Name)), "GroupId", Ec2Ids.Group, (g, f) => f switch
        {
            "group-id" => [g.Id],
            "group-name" => [g.Name],
            "vpc-id" => [g.VpcId],
            "description" => [g.Description],
            "ip-permission.group-id" => g.Rules.Where(r => r.Direction == RuleDirection.Ingress).Select(r => r.GroupId),
            "ip-permission.cidr" => g.Rules.Where(r => r.Direction == RuleDirection.Ingress).Select(r => r.Cidr),
            "egress.ip-permission.group-id" => g.Rules.Where(r => r.Direction == RuleDirection.Egress).Select(r => r.GroupId),
            "egress.ip-permission.cidr" => g.Rules.Where(r => r.Direction == RuleDirection.Egress).Select(r => r.Cidr),
            _ => null,
        });
        return Ec2Xml.Set("securityGroupInfo", found, (x, g) =>
        {
            x.Element("groupId", g.Id).Element("groupName", g.Name).Element("groupDescription", g.Description).Element("ownerId", g.Account).Element("vpcId", g.VpcId)
                .Element("securityGroupArn", $"arn:aws:ec2:{g.Region}:{g.Account}:security-group/{g.Id}");
            Permissions(x, "ipPermissions", g, RuleDirection.Ingress);
            Permissions(x, "ipPermissionsEgress", g, RuleDirection.Egress);
            x.Tags(g);
        });
    });

    public AwsAnswer DescribeRules(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var all = Mine(m, call).SelectMany(g => g.Rules.Select(r => new RuleOfGroup(g, r)));
        var found = Ec2List.Choose(form, all, "SecurityGroupRuleId", Ec2Ids.Rule, (r, f) => f switch
        {
            "group-id" => [r.Group.Id],
            "security-group-rule-id" => [r.Id],
            _ => null,
        });
        return Ec2Xml.Set("securityGroupRuleSet", found, (x, r) => Rule(x, r.Group, r.Rule));
    });

    public static void Rule(XmlText x, SecurityGroup group, SecurityGroupRule rule)
    {
        x.Element("securityGroupRuleId", rule.RuleId).Element("groupId", group.Id).Element("groupOwnerId", group.Account).Element("isEgress", rule.Direction == RuleDirection.Egress)
            .Element("ipProtocol", rule.Protocol).Element("fromPort", rule.FromPort).Element("toPort", rule.ToPort).Element("cidrIpv4", rule.Cidr);
        if (rule.GroupId is { } other)
            x.Group("referencedGroupInfo", r => r.Element("groupId", other).Element("userId", group.Account));
        x.Element("description", rule.Description);
    }

    private static IEnumerable<SecurityGroup> Mine(LabModel m, AwsCall call) => m.SecurityGroups.Values.Where(g => g.Account == call.Caller.Account && g.Region == call.Region);

    /// <summary>EC2 folds rules of the same protocol and ports into one permission.</summary>
    private static void Permissions(XmlText x, string name, SecurityGroup group, RuleDirection direction) =>
        x.List(name, "item", group.Rules.Where(r => r.Direction == direction).GroupBy(r => (r.Protocol, r.FromPort, r.ToPort)), (p, rules) =>
        {
            p.Element("ipProtocol", rules.Key.Protocol);
            if (rules.Key.Protocol != "-1")
                p.Element("fromPort", rules.Key.FromPort).Element("toPort", rules.Key.ToPort);
            p.List("groups", "item", rules.Where(r => r.GroupId is not null), (g, r) => g.Element("userId", group.Account).Element("groupId", r.GroupId).Element("description", r.Description))
                .List("ipRanges", "item", rules.Where(r => r.Cidr is not null), (c, r) => c.Element("cidrIp", r.Cidr).Element("description", r.Description))
                .List("ipv6Ranges", "item", Array.Empty<string>(), (_, _) => { })
                .List("prefixListIds", "item", Array.Empty<string>(), (_, _) => { });
        });

    private sealed class RuleOfGroup : Resource
    {
        [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
        public RuleOfGroup(SecurityGroup group, SecurityGroupRule rule)
        {
            Group = group;
            Rule = rule;
            Id = rule.RuleId;
            Account = group.Account;
            Region = group.Region;
        }

        public SecurityGroup Group { get; }
        public SecurityGroupRule Rule { get; }
    }
}
