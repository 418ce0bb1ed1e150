namespace Fumidai.Lab;

/// <summary>DB subnet groups.</summary>
internal sealed class SubnetGroupCalls(LabContext context)
{
    public AwsAnswer Describe(AwsCall call, QueryForm form) => context.Model.Read(m => RdsList.Set("DBSubnetGroups", "DBSubnetGroup",
        RdsList.Choose(form, RdsList.Mine(m.DbSubnetGroups, call), "DBSubnetGroupName", RdsList.NoSubnetGroup, (_, _) => null), (x, g) => RdsXml.SubnetGroup(x, m, g)));

    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        // Stored in lower case.
        var name = form.Required("DBSubnetGroupName").ToLowerInvariant();
        var description = form.Required("DBSubnetGroupDescription");
        if (name == "default" || name.Length > 255 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ' '))
            throw new AwsError("InvalidParameterValue", $"The parameter DBSubnetGroupName is not a valid identifier: {name}");
        return context.Model.Change(m =>
        {
            if (m.DbSubnetGroups.ContainsKey(name))
                throw new AwsError("DBSubnetGroupAlreadyExists", $"The DB subnet group '{name}' already exists.");
            var subnets = Subnets(m, call, form);
            var group = new DbSubnetGroup { Id = name, Account = call.Caller.Account, Region = call.Region, VpcId = m.Subnets[subnets[0]].VpcId, Description = description };
            group.SubnetIds.AddRange(subnets);
            RdsTags.Put(group, form);
            m.DbSubnetGroups[name] = group;
            return new XmlText().Group("DBSubnetGroup", x => RdsXml.SubnetGroup(x, m, group)).ToAnswer();
        });
    }

    public AwsAnswer Modify(AwsCall call, QueryForm form)
    {
        var name = form.Required("DBSubnetGroupName");
        return context.Model.Change(m =>
        {
            var group = Find(m, call, name);
            var subnets = Subnets(m, call, form);
            if (m.Subnets[subnets[0]].VpcId != group.VpcId)
                throw new AwsError("InvalidParameterValue", "The new Subnets are not in the same Vpc as the existing subnet group");
            group.SubnetIds.Clear();
            group.SubnetIds.AddRange(subnets);
            group.Description = form.Text("DBSubnetGroupDescription") ?? group.Description;
            return new XmlText().Group("DBSubnetGroup", x => RdsXml.SubnetGroup(x, m, group)).ToAnswer();
        });
    }

    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        var name = form.Required("DBSubnetGroupName");
        return context.Model.Change(m =>
        {
            var group = Find(m, call, name);
            if (m.DbClusters.Values.Any(c => c.SubnetGroup == group.Id))
                throw new AwsError("InvalidDBSubnetGroupStateFault", "Cannot delete the subnet group because at least one database instance is still using it.");
            m.DbSubnetGroups.Remove(group.Id);
            return new XmlText().ToAnswer();
        });
    }

    private static DbSubnetGroup Find(LabModel m, AwsCall call, string name) =>
        RdsList.Mine(m.DbSubnetGroups, call).FirstOrDefault(g => string.Equals(g.Id, name, StringComparison.OrdinalIgnoreCase)) ?? throw RdsList.NoSubnetGroup(name);

    private static IReadOnlyList<string> Subnets(LabModel m, AwsCall call, QueryForm form)
    {
        var ids = form.Texts("SubnetIds.SubnetIdentifier") is { Count: > 0 } plain ? plain : form.Texts("SubnetIds.member");
        if (ids.Count == 0)
            throw form.Missing("SubnetIds");
        if (ids.FirstOrDefault(id => !m.Subnets.TryGetValue(id, out var s) || s.Account != call.Caller.Account || s.Region != call.Region) is { } unknown)
            throw new AwsError("InvalidSubnet", $"The subnet ID '{unknown}' does not exist");
        if (ids.Select(id => m.Subnets[id].VpcId).Distinct().Count() > 1)
            throw new AwsError("InvalidSubnet", "The DB subnet group doesn't allow subnets of different VPCs.");
        var zones = ids.Select(id => m.Subnets[id].AvailabilityZone).Distinct(StringComparer.Ordinal).ToList();
        if (zones.Count < 2)
            throw new AwsError("DBSubnetGroupDoesNotCoverEnoughAZs", $"The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: {zones[0]}. Add subnets to cover at least 2 AZs.");
        return ids;
    }
}
