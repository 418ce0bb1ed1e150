namespace Fumidai.Lab;

/// <summary>Tags of EC2's resources.</summary>
internal sealed class TagCalls(LabContext context)
{
    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        var ids = Ids(form);
        var tags = form.Structures("Tag").Select(p => (Key: form.Required($"{p}.Key"), Value: form.Text($"{p}.Value") ?? "")).ToList();
        if (tags.Count == 0)
            throw form.Missing("TagSet");
        foreach (var (key, value) in tags)
            Check(key, value);
        return context.Model.Change(m =>
        {
            foreach (var resource in Find(m, call, ids))
            {
                foreach (var (key, value) in tags)
                    resource.Tags[key] = value;
            }
            return Ec2Xml.True;
        });
    }

    /// <summary>A tag with a value goes only if it has that value; without tags, all of the user's own go.</summary>
    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        var ids = Ids(form);
        var tags = form.Structures("Tag").Select(p => (Key: form.Required($"{p}.Key"), Value: form.Text($"{p}.Value"))).ToList();
        return context.Model.Change(m =>
        {
            foreach (var resource in Find(m, call, ids))
            {
                foreach (var key in resource.Tags.Keys.Where(k => !k.StartsWith("aws:", StringComparison.OrdinalIgnoreCase)).ToList())
                {
                    if (tags.Count == 0 || tags.Any(t => t.Key == key && (t.Value is null || t.Value == resource.Tags[key])))
                        resource.Tags.Remove(key);
                }
            }
            return Ec2Xml.True;
        });
    }

    public AwsAnswer Describe(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var rows = All(m).Where(r => r.Account == call.Caller.Account && r.Region == call.Region).SelectMany(r => r.Tags, (r, t) => (Resource: r, t.Key, t.Value)).ToList();
        foreach (var prefix in form.Structures("Filter"))
        {
            var wanted = form.Texts($"{prefix}.Value");
            Func<(Resource Resource, string Key, string Value), string?> part = form.Required($"{prefix}.Name") switch
            {
                "resource-id" => r => r.Resource.Id,
                "resource-type" => r => KindOf(r.Resource.Id),
                "key" => r => r.Key,
                "value" => r => r.Value,
                var name when name.StartsWith("tag:", StringComparison.Ordinal) => r => r.Key == name[4..] ? r.Value : null,
                var other => throw new AwsError("InvalidParameterValue", $"The filter '{other}' is invalid"),
            };
            rows = [.. rows.Where(r => part(r) is { } have && wanted.Any(w => Wildcard.Matches(w, have)))];
        }
        var (page, next) = Paging.Cut(rows, form.Text("NextToken"), form.Number("MaxResults") ?? 1000, () => new AwsError("InvalidNextToken", "The token is invalid."));
        return new XmlText().List("tagSet", "item", page, (x, r) => x.Element("resourceId", r.Resource.Id).Element("resourceType", KindOf(r.Resource.Id)).Element("key", r.Key).Element("value", r.Value))
            .Element("nextToken", next).ToAnswer();
    });

    /// <summary>Refuses what EC2 refuses of a tag.</summary>
    public static void Check(string key, string value)
    {
        if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
            throw new AwsError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use");
        if (key.Length is 0 or > 128)
            throw new AwsError("InvalidParameterValue", "Tag keys must be between 1 and 128 characters in length");
        if (value.Length > 256)
            throw new AwsError("InvalidParameterValue", "Tag values must be between 0 and 256 characters in length");
    }

    /// <summary>Everything of EC2's that carries tags.</summary>
    public static IEnumerable<Resource> All(LabModel m) =>
    [
        .. m.Instances.Values, .. m.Vpcs.Values, .. m.Subnets.Values, .. m.RouteTables.Values, .. m.SecurityGroups.Values, .. m.Endpoints.Values, .. m.InternetGateways.Values, .. m.NatGateways.Values,
        .. m.ElasticAddresses.Values, .. m.NetworkAcls.Values, .. m.ConnectEndpoints.Values,
    ];

    /// <summary>The kind in ARNs and policies that an id's prefix tells.</summary>
    public static string KindOf(string id) => id[..Math.Max(0, id.LastIndexOf('-'))] switch
    {
        "i" => "instance",
        "sg" => "security-group",
        "vpce" => "vpc-endpoint",
        "rtb" => "route-table",
        "acl" => "network-acl",
        "igw" => "internet-gateway",
        "nat" => "natgateway",
        "eipalloc" => "elastic-ip",
        "eice" => "instance-connect-endpoint",
        "sgr" => "security-group-rule",
        var other => other,
    };

    private static IReadOnlyList<string> Ids(QueryForm form) => form.Texts("ResourceId") is { Count: > 0 } ids ? ids : throw form.Missing("ResourceIdSet");

    private static List<Resource> Find(LabModel m, AwsCall call, IReadOnlyList<string> ids) =>
        [.. ids.Select(id => All(m).FirstOrDefault(r => r.Id == id && r.Account == call.Caller.Account && r.Region == call.Region) ?? throw new AwsError("InvalidID", $"The ID '{id}' is not valid"))];
}
