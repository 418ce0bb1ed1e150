namespace Fumidai.Lab;

/// <summary>
/// The Resource Groups Tagging API's GetResources: what carries which tags, in one region. Lab only: it is exact at once, where AWS's index lags.
/// </summary>
internal sealed class TaggingService(LabContext context) : IAwsService
{
    public string SigningName => "tagging";
    public string PolicyPrefix => "tag";
    public AwsProtocol Protocol => AwsProtocol.Json11;
    public string TargetPrefixOrVersion => "ResourceGroupsTaggingAPI_20170126";

    public ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken)
    {
        if (call.Operation != "GetResources")
            throw ApiDispatch.UnknownOperation(this, call);
        var body = new JsonBody(call.Json!.Value);
        var filters = body.Structures("TagFilters").Select(f => (Key: f.Required("Key"), Values: f.Texts("Values"))).ToList();
        var types = body.Texts("ResourceTypeFilters");
        var arns = body.Texts("ResourceARNList");
        if (arns.Count > 0 && (filters.Count > 0 || types.Count > 0))
            throw new AwsError("InvalidParameterException", "ResourceARNList cannot be used with filters");
        if (body.Number("ResourcesPerPage") is < 1 or > 100)
            throw new AwsError("InvalidParameterException", "ResourcesPerPage must be between 1 and 100");
        var found = All(call).Where(r => r.Tags.Count > 0 && (arns.Count == 0 || arns.Contains(r.Arn)) && (types.Count == 0 || types.Any(t => IsOf(r.Arn, t)))
            && filters.All(f => r.Tags.TryGetValue(f.Key, out var value) && (f.Values.Count == 0 || f.Values.Contains(value)))).OrderBy(r => r.Arn, StringComparer.Ordinal).ToList();
        var token = body.Text("PaginationToken");
        var (page, next) = Paging.Cut(found, token is "" ? null : token, body.Number("ResourcesPerPage") ?? 100, () => new AwsError("PaginationTokenExpiredException", "The pagination token is not valid."));
        return ValueTask.FromResult<AwsAnswer>(JsonBody.Write(json =>
        {
            json.WriteString("PaginationToken", next ?? "");
            json.WriteStartArray("ResourceTagMappingList");
            foreach (var (arn, tags) in page)
            {
                json.WriteStartObject();
                json.WriteString("ResourceARN", arn);
                json.WriteStartArray("Tags");
                foreach (var (key, value) in tags)
                {
                    json.WriteStartObject();
                    json.WriteString("Key", key);
                    json.WriteString("Value", value);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }));
    }

    public IReadOnlyList<PolicyResource> ResourcesOf(AwsCall call) => PolicyResource.Any;

    private IEnumerable<(string Arn, IReadOnlyDictionary<string, string> Tags)> All(AwsCall call)
    {
        bool Mine(Resource r) => r.Account == call.Caller.Account && r.Region == call.Region;
        var (account, region) = (call.Caller.Account, call.Region);
        // A copy of the tags: the model's own change under way.
        return context.Model.Read(m => TagCalls.All(m).Where(Mine).Where(r => r is not Instance { State: "terminated" }).Select(r => (Arn: $"arn:aws:ec2:{region}:{account}:{TagCalls.KindOf(r.Id)}/{r.Id}", r.Tags))
            .Concat(RdsTags.All(m).Where(Mine).Select(r => (Arn: RdsTags.ArnOf(r), r.Tags)))
            .Concat(m.Stacks.Values.Where(s => s.Account == account && s.Region == region && s.Status != "DELETE_COMPLETE").Select(s => (Arn: s.Id, s.Tags)))
            .Concat(m.Secrets.Values.Where(Mine).Select(s => (s.Arn, s.Tags)))
            .Concat(region == LabRegions.Second ? m.Roles.Values.Where(r => r.Account == account).Select(r => (Arn: RoleLifeCalls.ArnOf(r), r.Tags)) : [])
            .Select(r => (r.Arn, (IReadOnlyDictionary<string, string>)new Dictionary<string, string>(r.Tags))).ToList());
    }

    /// <summary><c>ec2</c> or <c>ec2:instance</c>.</summary>
    private static bool IsOf(string arn, string type)
    {
        var parts = arn.Split(':');
        var wanted = type.Split(':', 2);
        return parts[2] == wanted[0] && (wanted.Length == 1 || parts[5].Split('/')[0] == wanted[1]);
    }
}
