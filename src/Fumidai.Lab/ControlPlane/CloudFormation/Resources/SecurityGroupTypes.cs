using System.Globalization;

namespace Fumidai.Lab;

/// <summary>Rules as templates write them, EC2 takes them and the model has them.</summary>
internal static class TemplateRules
{
    /// <summary>The parameters of one IpPermissions entry.</summary>
    public static IEnumerable<(string, string?)> Permission(string prefix, TemplateNode rule, RuleDirection direction)
    {
        var group = rule.Member(GroupProperty(direction))?.Value;
        var cidr = rule.Member("CidrIp")?.Value;
        return
        [
            ($"{prefix}.IpProtocol", rule.Member("IpProtocol")?.Value), ($"{prefix}.FromPort", rule.Member("FromPort")?.Value), ($"{prefix}.ToPort", rule.Member("ToPort")?.Value),
            ($"{prefix}.IpRanges.1.CidrIp", cidr), ($"{prefix}.IpRanges.1.Description", cidr is null ? null : rule.Member("Description")?.Value),
            ($"{prefix}.Groups.1.GroupId", group), ($"{prefix}.Groups.1.Description", group is null ? null : rule.Member("Description")?.Value),
        ];
    }

    public static string GroupProperty(RuleDirection direction) => direction == RuleDirection.Ingress ? "SourceSecurityGroupId" : "DestinationSecurityGroupId";

    /// <summary>A rule of the model as a template writes it.</summary>
    public static TemplateNode.Map Of(SecurityGroupRule rule)
    {
        var members = new Dictionary<string, TemplateNode>(StringComparer.Ordinal) { ["IpProtocol"] = new TemplateNode.Scalar(rule.Protocol) };
        if (rule.Protocol != "-1")
        {
            members["FromPort"] = new TemplateNode.Scalar(rule.FromPort.ToString(CultureInfo.InvariantCulture), true);
            members["ToPort"] = new TemplateNode.Scalar(rule.ToPort.ToString(CultureInfo.InvariantCulture), true);
        }
        if (rule.Cidr is { } cidr)
            members["CidrIp"] = new TemplateNode.Scalar(cidr);
        if (rule.GroupId is { } group)
            members[GroupProperty(rule.Direction)] = new TemplateNode.Scalar(group);
        if (rule.Description is { } description)
            members["Description"] = new TemplateNode.Scalar(description);
        return new TemplateNode.Map(members);
    }

    /// <summary>A template's rule in the form in which EC2 keeps it, so that both can be compared.</summary>
    public static TemplateNode Normal(TemplateNode rule)
    {
        if (rule is not TemplateNode.Map map)
            return rule;
        var members = new Dictionary<string, TemplateNode>(map.Members, StringComparer.Ordinal);
        var protocol = members.GetValueOrDefault("IpProtocol")?.Value;
        protocol = protocol switch { "6" => "tcp", "17" => "udp", "1" => "icmp", "all" => "-1", _ => protocol };
        members["IpProtocol"] = new TemplateNode.Scalar(protocol ?? "");
        if (protocol == "-1")
        {
            members.Remove("FromPort");
            members.Remove("ToPort");
        }
        if (members.GetValueOrDefault("CidrIp")?.Value is { } cidr && Ranges.TryParse(cidr, out var range))
            members["CidrIp"] = new TemplateNode.Scalar(range.ToString());
        return new TemplateNode.Map(members);
    }

    public static IReadOnlyList<TemplateNode> List(TemplateNode.Map properties, RuleDirection direction) =>
        properties[direction == RuleDirection.Ingress ? "SecurityGroupIngress" : "SecurityGroupEgress"]?.Items ?? [];
}

/// <summary>AWS::EC2::SecurityGroup.</summary>
internal sealed class SecurityGroupType() : Ec2Type("AWS::EC2::SecurityGroup", """
    ^GroupDescription! ^GroupName ^VpcId
    SecurityGroupIngress.IpProtocol SecurityGroupIngress.FromPort SecurityGroupIngress.ToPort SecurityGroupIngress.CidrIp SecurityGroupIngress.SourceSecurityGroupId SecurityGroupIngress.Description
    SecurityGroupEgress.IpProtocol SecurityGroupEgress.FromPort SecurityGroupEgress.ToPort SecurityGroupEgress.CidrIp SecurityGroupEgress.DestinationSecurityGroupId SecurityGroupEgress.Description
    """ + TagProperties, "GroupId VpcId Id")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        var answer = await work.CallAsync("ec2", "CreateSecurityGroup",
            [("GroupName", work.Text("GroupName") ?? work.Name(255)), ("GroupDescription", work.Text("GroupDescription")), ("VpcId", work.Text("VpcId")), .. work.TagSpecification("security-group")]).ConfigureAwait(false);
        work.Made(answer.Element("groupId")!.Value);
        await AuthorizeAsync(work, TemplateRules.List(work.Properties, RuleDirection.Ingress), RuleDirection.Ingress).ConfigureAwait(false);
        // Own rules for the way out take the place of the one that EC2 makes.
        if (TemplateRules.List(work.Properties, RuleDirection.Egress) is { Count: > 0 } outward)
        {
            await RevokeAsync(work, [TemplateRules.Of(SecurityGroupLifeCalls.EverythingOut())], RuleDirection.Egress).ConfigureAwait(false);
            await AuthorizeAsync(work, outward, RuleDirection.Egress).ConfigureAwait(false);
        }
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        foreach (var direction in (RuleDirection[])[RuleDirection.Ingress, RuleDirection.Egress])
        {
            var old = Wanted(before, direction);
            var wanted = Wanted(work.Properties, direction);
            await RevokeAsync(work, [.. old.Where(o => !wanted.Any(w => TemplateNode.Same(o, w)))], direction).ConfigureAwait(false);
            await AuthorizeAsync(work, [.. wanted.Where(w => !old.Any(o => TemplateNode.Same(o, w)))], direction).ConfigureAwait(false);
        }
        await base.UpdateAsync(work, before, changed).ConfigureAwait(false);
    }

    public override Task DeleteAsync(ResourceWork work) => work.RemoveAsync("ec2", "DeleteSecurityGroup", ("GroupId", work.PhysicalId));

    public override string? Attribute(LabModel m, StackResource resource, string name) => name == "VpcId" ? (Find(m, resource) as SecurityGroup)?.VpcId : resource.PhysicalId;

    public override TemplateNode.Map? Current(LabModel m, StackResource resource)
    {
        if (Find(m, resource) is not SecurityGroup group)
            return null;
        // Rules that other resources of a template put in are theirs.
        var foreign = m.Stacks.Values.SelectMany(s => s.Resources.Values).Where(r => r.Type is SecurityGroupRuleType && r.IsThere).Select(r => r.PhysicalId).ToHashSet(StringComparer.Ordinal);
        var own = group.Rules.Where(r => !foreign.Contains(r.RuleId)).ToList();
        return Compose(
        [
            ("GroupDescription", Of(group.Description)), ("GroupName", Of(group.Name)), ("VpcId", Of(group.VpcId)),
            ("SecurityGroupIngress", new TemplateNode.Sequence([.. own.Where(r => r.Direction == RuleDirection.Ingress).Select(TemplateRules.Of)])),
            ("SecurityGroupEgress", new TemplateNode.Sequence([.. own.Where(r => r.Direction == RuleDirection.Egress).Select(TemplateRules.Of)])),
        ]);
    }

    /// <summary>The rules that properties come to: for the way out EC2's own where none is written.</summary>
    public static IReadOnlyList<TemplateNode> Wanted(TemplateNode.Map properties, RuleDirection direction)
    {
        var written = TemplateRules.List(properties, direction).Select(TemplateRules.Normal).ToList();
        return written.Count == 0 && direction == RuleDirection.Egress ? [TemplateRules.Of(SecurityGroupLifeCalls.EverythingOut())] : written;
    }

    private static Task AuthorizeAsync(ResourceWork work, IReadOnlyList<TemplateNode> rules, RuleDirection direction) => rules.Count == 0 ? Task.CompletedTask
        : work.CallAsync("ec2", $"AuthorizeSecurityGroup{direction}", [("GroupId", work.PhysicalId), .. rules.SelectMany((r, i) => TemplateRules.Permission($"IpPermissions.{i + 1}", r, direction))]);

    /// <summary>One by one: a rule that somebody took out already is no fault.</summary>
    private static async Task RevokeAsync(ResourceWork work, IReadOnlyList<TemplateNode> rules, RuleDirection direction)
    {
        foreach (var rule in rules)
            await work.RemoveAsync("ec2", $"RevokeSecurityGroup{direction}", [("GroupId", work.PhysicalId), .. TemplateRules.Permission("IpPermissions.1", rule, direction)]).ConfigureAwait(false);
    }
}

/// <summary>AWS::EC2::SecurityGroupIngress and …Egress: one rule each.</summary>
internal sealed class SecurityGroupRuleType(RuleDirection direction) : ResourceType($"AWS::EC2::SecurityGroup{direction}",
    "^GroupId! ^IpProtocol! ^FromPort ^ToPort ^CidrIp ^Description ^" + TemplateRules.GroupProperty(direction), "Id")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        var answer = await work.CallAsync("ec2", $"AuthorizeSecurityGroup{direction}", [("GroupId", work.Text("GroupId")), .. TemplateRules.Permission("IpPermissions.1", work.Properties, direction)]).ConfigureAwait(false);
        work.Made(answer.Element("securityGroupRuleSet")!.Element("item")!.Element("securityGroupRuleId")!.Value);
    }

    public override Task DeleteAsync(ResourceWork work) =>
        work.RemoveAsync("ec2", $"RevokeSecurityGroup{direction}", ("GroupId", work.Text("GroupId")), ("SecurityGroupRuleId.1", work.PhysicalId));

    public override TemplateNode.Map? Current(LabModel m, StackResource resource)
    {
        var found = m.SecurityGroups.Values.SelectMany(g => g.Rules, (g, r) => (Group: g, Rule: r)).FirstOrDefault(r => r.Rule.RuleId == resource.PhysicalId);
        return found.Rule is null ? null : Compose([("GroupId", Of(found.Group.Id)), .. TemplateRules.Of(found.Rule).Members.Select(p => (p.Key, (TemplateNode?)p.Value))]);
    }
}
