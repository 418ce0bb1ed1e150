namespace Fumidai.Lab;

/// <summary>One resource as a template declares it.</summary>
internal sealed record TemplateResource(string LogicalId, string Type, TemplateNode.Map Properties, string? Condition, string? DeletionPolicy, string? UpdateReplacePolicy, IReadOnlyList<string> DependsOn);

/// <summary>A template whose shape was checked: sections, types, references. Values are checked when they are known.</summary>
internal sealed class Template
{
    private static readonly HashSet<string> s_sections = new(StringComparer.Ordinal)
    {
        "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Transform", "Rules", "Hooks",
    };

    private static readonly HashSet<string> s_ofResource = new(StringComparer.Ordinal)
    {
        "Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy",
    };

    private Template(string body, TemplateNode.Map root)
    {
        Body = body;
        Root = root;
    }

    public string Body { get; }
    public TemplateNode.Map Root { get; }
    public string? Description => Root["Description"]?.Value;
    public required IReadOnlyList<ParameterDeclaration> Parameters { get; init; }
    public required IReadOnlyDictionary<string, TemplateResource> Resources { get; init; }
    public TemplateNode.Map Mappings => Section("Mappings");
    public TemplateNode.Map Conditions => Section("Conditions");
    public TemplateNode.Map Outputs => Section("Outputs");

    /// <summary>Reads and checks.</summary>
    /// <exception cref="AwsError">ValidationError.</exception>
    public static Template Parse(string body)
    {
        var root = TemplateReader.Read(body);
        if (root.Members.Keys.Where(k => !s_sections.Contains(k)).ToList() is { Count: > 0 } unknown)
            throw Wrong($"Invalid template property or properties [{string.Join(", ", unknown)}]");
        if (root["AWSTemplateFormatVersion"]?.Value is { } version && version != "2010-09-09")
            throw Wrong("Template format error: unsupported value for AWSTemplateFormatVersion.");
        foreach (var name in (string[])["Transform", "Rules", "Hooks"])
        {
            if (root[name] is not null)
                throw Wrong($"Template format error: {name} is not modelled by this lab.");
        }
        if (root["Resources"] is not TemplateNode.Map { Members.Count: > 0 } resources)
            throw Wrong("Template format error: At least one Resources member must be defined.");
        var template = new Template(body, root)
        {
            Parameters = ParameterDeclaration.ReadAll(root["Parameters"]),
            Resources = resources.Members.ToDictionary(r => r.Key, r => Resource(r.Key, r.Value), StringComparer.Ordinal),
        };
        if (template.Resources.Count > 500)
            throw Wrong("Template format error: Number of resources, " + template.Resources.Count + ", is greater than maximum allowed, 500");
        var types = template.Resources.Values.Select(r => r.Type).Distinct().Where(t => ResourceTypes.Find(t) is null).ToList();
        if (types.Count > 0)
            throw Wrong($"Template format error: Unrecognized resource types: [{string.Join(", ", types)}]");
        new TemplateReferences(template).Check();
        _ = template.Order();
        return template;
    }

    /// <summary>IAM resources ask for it: CAPABILITY_NAMED_IAM where a name is given.</summary>
    public (string? Capability, string? Reason) Capability()
    {
        var iam = Resources.Values.Where(r => r.Type.StartsWith("AWS::IAM::", StringComparison.Ordinal)).ToList();
        if (iam.Count == 0)
            return (null, null);
        var isNamed = iam.Any(r => r.Properties["RoleName"] is not null || r.Properties["InstanceProfileName"] is not null);
        return (isNamed ? "CAPABILITY_NAMED_IAM" : "CAPABILITY_IAM", $"The following resource(s) require capabilities: [{string.Join(", ", iam.Select(r => r.Type).Distinct())}]");
    }

    /// <summary>Resources in an order in which each comes after what it needs.</summary>
    public IReadOnlyList<string> Order()
    {
        var needs = Resources.Values.ToDictionary(r => r.LogicalId, r => TemplateReferences.NeedsOf(this, r), StringComparer.Ordinal);
        var order = new List<string>();
        var left = new List<string>(Resources.Keys);
        while (left.Count > 0)
        {
            var ready = left.FirstOrDefault(r => needs[r].All(order.Contains)) ?? throw Wrong($"Circular dependency between resources: [{string.Join(", ", left.Where(r => needs[r].Any(left.Contains)))}]");
            order.Add(ready);
            left.Remove(ready);
        }
        return order;
    }

    private TemplateNode.Map Section(string name) => Root[name] as TemplateNode.Map ?? TemplateNode.Empty;

    private static TemplateResource Resource(string id, TemplateNode node)
    {
        if (id.Length is 0 or > 255 || !id.All(char.IsAsciiLetterOrDigit))
            throw Wrong($"Template format error: Resource name {id} is non alphanumeric.");
        if (node is not TemplateNode.Map map)
            throw Wrong("Template format error: Any Resources member must be an object.");
        if (map.Members.Keys.Where(k => !s_ofResource.Contains(k)).ToList() is { Count: > 0 } unknown)
            throw Wrong($"Invalid template resource property '{unknown[0]}'");
        var type = map["Type"]?.Value ?? throw Wrong($"Template format error: [/Resources/{id}] Every Resources object must contain a Type member.");
        foreach (var policy in (string[])["DeletionPolicy", "UpdateReplacePolicy"])
        {
            if (map[policy] is { } value && value.Value is not ("Delete" or "Retain" or "Snapshot" or "RetainExceptOnCreate"))
                throw Wrong($"Template format error: Unrecognized {policy} {value.Value ?? "value"} for resource {id}");
        }
        if (map["DeletionPolicy"]?.Value == "Snapshot" && type is not ("AWS::RDS::DBCluster" or "AWS::RDS::DBInstance"))
            throw Wrong($"Template error: resource type {type} does not support deletion policy Snapshot");
        if (map["CreationPolicy"] is not null || map["UpdatePolicy"] is not null)
            throw Wrong($"Template format error: CreationPolicy and UpdatePolicy are not modelled by this lab (resource {id}).");
        return new TemplateResource(id, type, map["Properties"] as TemplateNode.Map ?? TemplateNode.Empty, map["Condition"]?.Value, map["DeletionPolicy"]?.Value, map["UpdateReplacePolicy"]?.Value,
            map["DependsOn"] is { } depends ? [.. depends.Items.Select(d => d.Value ?? throw Wrong("Template format error: DependsOn must be a string or list of strings."))] : []);
    }

    public static AwsError Wrong(string message) => TemplateReader.Wrong(message);
}
