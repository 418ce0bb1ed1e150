namespace Fumidai.Lab;

/// <summary>How RDS's describe calls choose: one identifier, filters, pages by Marker.</summary>
internal static class RdsList
{
    public static (IReadOnlyList<T> Page, string? Next) Choose<T>(QueryForm form, IEnumerable<T> all, string idParameter, Func<string, AwsError> notFound, Func<T, string, IEnumerable<string?>?> values)
        where T : Resource
    {
        var items = all.ToList();
        var limit = form.Number("MaxRecords");
        if (limit is < 20 or > 100)
            throw new AwsError("InvalidParameterValue", $"Invalid value {limit} for MaxRecords. Must be between 20 and 100");
        if (form.Text(idParameter) is { } id)
        {
            // Identifiers are lower-case; an ARN is accepted in their place.
            var name = id.StartsWith("arn:", StringComparison.Ordinal) ? id.Split(':')[^1] : id;
            items = [.. items.Where(i => string.Equals(i.Id, name, StringComparison.OrdinalIgnoreCase))];
            if (items.Count == 0)
                throw notFound(name);
        }
        foreach (var prefix in form.Structures("Filters.Filter"))
        {
            var name = form.Required($"{prefix}.Name");
            var wanted = form.Texts($"{prefix}.Values.Value");
            items = [.. items.Where(i => (values(i, name) ?? throw new AwsError("InvalidParameterValue", $"Unrecognized filter name: {name}")).Any(v => v is not null && wanted.Contains(v)))];
        }
        return Paging.Cut(items, form.Text("Marker"), limit ?? 100, () => new AwsError("InvalidParameterValue", "The request marker is invalid"));
    }

    public static AwsAnswer Set<T>(string name, string item, (IReadOnlyList<T> Page, string? Next) found, Action<XmlText, T> write) =>
        new XmlText().Element("Marker", found.Next).List(name, item, found.Page, write).ToAnswer();

    public static AwsError NoCluster(string id) => new("DBClusterNotFoundFault", $"DBCluster {id} not found.", 404);

    public static AwsError NoInstance(string id) => new("DBInstanceNotFound", $"DBInstance {id} not found.", 404);

    public static AwsError NoSubnetGroup(string id) => new("DBSubnetGroupNotFoundFault", $"DB subnet group '{id}' does not exist.", 404);

    public static IEnumerable<T> Mine<T>(Dictionary<string, T> all, AwsCall call) where T : Resource => all.Values.Where(r => r.Account == call.Caller.Account && r.Region == call.Region);
}
