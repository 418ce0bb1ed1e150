namespace Fumidai.Lab;

/// <summary>How EC2's describe calls choose: explicit ids, filters with wildcards, pages.</summary>
internal static class Ec2List
{
    /// <summary>A resource's values for one filter; null: it has no such filter.</summary>
    public delegate IEnumerable<string?>? FilterValues<in T>(T item, string filter);

    /// <param name="form">The call's parameters.</param>
    /// <param name="all">What the caller's account has in the region.</param>
    /// <param name="idParameter">e.g. <c>InstanceId</c>.</param>
    /// <param name="kind">What unknown ids are answered with.</param>
    /// <param name="values">Filters.</param>
    /// <param name="filterParameter"><c>Filter</c> for all calls here.</param>
    public static (IReadOnlyList<T> Page, string? Next) Choose<T>(QueryForm form, IEnumerable<T> all, string idParameter, Ec2Ids kind, FilterValues<T> values, string filterParameter = "Filter")
        where T : Resource
    {
        var items = all.ToList();
        var ids = form.Texts(idParameter);
        var limit = form.Number("MaxResults");
        if (limit is not null && ids.Count > 0)
            throw new AwsError("InvalidParameterCombination", $"The parameter {idParameter}s cannot be used with the parameter maxResults");
        if (limit is < 5)
            throw new AwsError("InvalidParameterValue", $"Value ( {limit} ) for parameter maxResults is invalid. Expecting a value greater than or equal to 5.");
        foreach (var id in ids)
        {
            kind.DemandWellFormed(id);
            if (items.All(i => i.Id != id))
                throw kind.NotFound(id);
        }
        if (ids.Count > 0)
            items = [.. items.Where(i => ids.Contains(i.Id))];
        foreach (var filter in FiltersOf(form, filterParameter))
            items = [.. items.Where(i => Holds(i, filter, values))];
        return Paging.Cut(items, form.Text("NextToken"), limit ?? 1000, () => new AwsError("InvalidNextToken", "The token is invalid."));
    }

    private static IEnumerable<Filter> FiltersOf(QueryForm form, string parameter) =>
        form.Structures(parameter).Select(p => new Filter(form.Required($"{p}.Name"), form.Texts($"{p}.Value")));

    private static bool Holds<T>(T item, Filter filter, FilterValues<T> values) where T : Resource
    {
        IEnumerable<string?> have = filter.Name switch
        {
            "tag-key" => item.Tags.Keys,
            "owner-id" => [item.Account],
            _ when filter.Name.StartsWith("tag:", StringComparison.Ordinal) => item.Tags.TryGetValue(filter.Name[4..], out var tag) ? [tag] : [],
            _ => values(item, filter.Name) ?? throw new AwsError("InvalidParameterValue", $"The filter '{filter.Name}' is invalid"),
        };
        return have.Any(h => h is not null && filter.Values.Any(v => Wildcard.Matches(v, h)));
    }
}

/// <summary>How a kind of id looks and what EC2 answers for a wrong or unknown one.</summary>
internal sealed record Ec2Ids(string Prefix, string Code, string Noun)
{
    public static readonly Ec2Ids Instance = new("i-", "InvalidInstanceID", "instance ID");
    public static readonly Ec2Ids Vpc = new("vpc-", "InvalidVpcID", "vpc ID");
    public static readonly Ec2Ids Subnet = new("subnet-", "InvalidSubnetID", "subnet ID");
    public static readonly Ec2Ids Group = new("sg-", "InvalidGroup", "security group") { MalformedCode = "InvalidGroupId.Malformed" };
    public static readonly Ec2Ids Rule = new("sgr-", "InvalidSecurityGroupRuleId", "security group rule ID");
    public static readonly Ec2Ids RouteTable = new("rtb-", "InvalidRouteTableID", "routeTable ID");
    public static readonly Ec2Ids NetworkAcl = new("acl-", "InvalidNetworkAclID", "networkAcl ID");
    public static readonly Ec2Ids ConnectEndpoint = new("eice-", "InvalidInstanceConnectEndpointId", "Instance Connect Endpoint Id");
    public static readonly Ec2Ids Endpoint = new("vpce-", "InvalidVpcEndpointId", "Vpc Endpoint Id");
    public static readonly Ec2Ids InternetGateway = new("igw-", "InvalidInternetGatewayID", "internetGateway ID");
    public static readonly Ec2Ids Nat = new("nat-", "InvalidNatGatewayID", "NAT gateway ID");
    public static readonly Ec2Ids Allocation = new("eipalloc-", "InvalidAllocationID", "allocation ID");
    public static readonly Ec2Ids ProfileAssociation = new("iip-assoc-", "InvalidAssociationID", "association ID");

    public string? MalformedCode { get; init; }

    public AwsError NotFound(string id) => new($"{Code}.NotFound", $"The {Noun} '{id}' does not exist");

    public void DemandWellFormed(string id)
    {
        var hex = id.StartsWith(Prefix, StringComparison.Ordinal) ? id[Prefix.Length..] : "";
        if (hex.Length is not (8 or 17) || !hex.All(char.IsAsciiHexDigitLower))
            throw new AwsError(MalformedCode ?? $"{Code}.Malformed", $"Invalid id: \"{id}\" (expecting \"{Prefix}...\")");
    }

    /// <summary>The one resource of this id in the caller's account and region.</summary>
    public T Find<T>(Dictionary<string, T> among, AwsCall call, string id) where T : Resource
    {
        DemandWellFormed(id);
        return among.TryGetValue(id, out var found) && found.Account == call.Caller.Account && found.Region == call.Region ? found : throw NotFound(id);
    }
}
