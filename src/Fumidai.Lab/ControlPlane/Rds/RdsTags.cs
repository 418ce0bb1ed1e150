namespace Fumidai.Lab;

/// <summary>Tags of RDS's resources, by ARN.</summary>
internal sealed class RdsTags(LabContext context)
{
    private static readonly AwsAnswer s_done = new XmlText().ToAnswer();

    /// <summary>Puts the tags of a create call.</summary>
    public static void Put(Resource resource, QueryForm form)
    {
        foreach (var tag in form.Structures("Tags.Tag").Concat(form.Structures("Tags.member")))
        {
            var (key, value) = (form.Required($"{tag}.Key"), form.Text($"{tag}.Value") ?? "");
            if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
                throw new AwsError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use");
            resource.Tags[key] = value;
        }
    }

    public AwsAnswer Add(AwsCall call, QueryForm form)
    {
        var name = form.Required("ResourceName");
        return context.Model.Change(m =>
        {
            Put(Find(m, call, name), form);
            return s_done;
        });
    }

    public AwsAnswer Remove(AwsCall call, QueryForm form)
    {
        var name = form.Required("ResourceName");
        return context.Model.Change(m =>
        {
            var resource = Find(m, call, name);
            foreach (var key in form.Texts("TagKeys.member"))
                resource.Tags.Remove(key);
            return s_done;
        });
    }

    public AwsAnswer List(AwsCall call, QueryForm form)
    {
        var name = form.Required("ResourceName");
        return context.Model.Read(m => new XmlText().List("TagList", "Tag", Find(m, call, name).Tags, (t, tag) => t.Element("Key", tag.Key).Element("Value", tag.Value)).ToAnswer());
    }

    public static string ArnOf(Resource resource) => $"arn:aws:rds:{resource.Region}:{resource.Account}:{resource switch
    {
        DbCluster => "cluster",
        DbInstance => "db",
        DbSubnetGroup => "subgrp",
        _ => "cluster-snapshot",
    }}:{resource.Id}";

    /// <summary>Everything of RDS's that carries tags.</summary>
    public static IEnumerable<Resource> All(LabModel m) => [.. m.DbClusters.Values, .. m.DbInstances.Values, .. m.DbSubnetGroups.Values, .. m.DbClusterSnapshots.Values];

    private static Resource Find(LabModel m, AwsCall call, string arn) => All(m).FirstOrDefault(r => r.Account == call.Caller.Account && r.Region == call.Region && ArnOf(r) == arn)
        ?? throw (arn.Split(':') is [_, _, _, _, _, var kind, ..] ? kind switch
        {
            "cluster" => RdsList.NoCluster(arn),
            "db" => RdsList.NoInstance(arn),
            "subgrp" => RdsList.NoSubnetGroup(arn),
            "cluster-snapshot" => SnapshotCalls.NoSnapshot(arn),
            _ => new AwsError("InvalidParameterValue", $"Invalid resource name: {arn}"),
        } : new AwsError("InvalidParameterValue", $"Invalid resource name: {arn}"));
}
