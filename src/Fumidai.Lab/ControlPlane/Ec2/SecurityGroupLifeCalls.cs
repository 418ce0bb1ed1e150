namespace Fumidai.Lab;

/// <summary>Security groups made and removed.</summary>
internal sealed class SecurityGroupLifeCalls(LabContext context)
{
    /// <summary>The rule that EC2 puts in every new group of a VPC.</summary>
    public static SecurityGroupRule EverythingOut() => new(Ids.Ec2("sgr"), RuleDirection.Egress, "-1", -1, -1, "0.0.0.0/0", null, null);

    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        var name = form.Required("GroupName");
        var description = form.Required("GroupDescription");
        var vpcId = form.Text("VpcId") ?? throw new AwsError("VPCIdNotSpecified", "No default VPC for this user");
        if (name.StartsWith("sg-", StringComparison.Ordinal) || name == "default" || name.Length > 255 || !name.All(IsAllowed))
            throw new AwsError("InvalidParameterValue", $"Value ({name}) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.");
        if (description.Length > 255 || !description.All(IsAllowed))
            throw new AwsError("InvalidParameterValue", $"Value ({description}) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.");
        return context.Model.Change(m =>
        {
            var vpc = Ec2Ids.Vpc.Find(m.Vpcs, call, vpcId);
            if (m.SecurityGroups.Values.Any(g => g.VpcId == vpc.Id && g.Name == name))
                throw new AwsError("InvalidGroup.Duplicate", $"The security group '{name}' already exists for VPC '{vpc.Id}'");
            var group = new SecurityGroup { Id = Ids.Ec2("sg"), Account = vpc.Account, Region = vpc.Region, VpcId = vpc.Id, Name = name, Description = description };
            group.Rules.Add(EverythingOut());
            NetworkCalls.Tag(group, form, "security-group");
            m.SecurityGroups[group.Id] = group;
            return new XmlText().Element("return", true).Element("groupId", group.Id).Element("securityGroupArn", $"arn:aws:ec2:{group.Region}:{group.Account}:security-group/{group.Id}").Tags(group).ToAnswer();
        });
    }

    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        var id = form.Required("GroupId");
        return context.Model.Change(m =>
        {
            var group = Ec2Ids.Group.Find(m.SecurityGroups, call, id);
            if (group.Name == "default")
                throw new AwsError("CannotDelete", $"the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
            var isUsed = m.Instances.Values.Any(i => i.State != "terminated" && i.SecurityGroupIds.Contains(id)) || m.Endpoints.Values.Any(e => e.SecurityGroupIds.Contains(id)) || m.ConnectEndpoints.Values.Any(e => e.SecurityGroupIds.Contains(id))
                || m.DbClusters.Values.Any(c => c.SecurityGroupIds.Contains(id)) || m.SecurityGroups.Values.Any(g => g.Id != id && g.Rules.Any(r => r.GroupId == id));
            if (isUsed)
                throw new AwsError("DependencyViolation", $"resource {id} has a dependent object");
            m.SecurityGroups.Remove(id);
            return new XmlText().Element("return", true).Element("groupId", id).ToAnswer();
        });
    }

    // a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$* (EC2 API, CreateSecurityGroup).
    private static bool IsAllowed(char c) => char.IsAsciiLetterOrDigit(c) || " ._-:/()#,@[]+=&;{}!$*".Contains(c, StringComparison.Ordinal);
}
