namespace Fumidai.Lab;

/// <summary>
/// A type of resources in templates: its properties and what making, changing and removing one comes to. Reference: "Resource and property types
/// reference", CloudFormation user guide.
/// </summary>
internal abstract class ResourceType
{
    private readonly Dictionary<string, bool> _properties = new(StringComparer.Ordinal);
    private readonly List<string> _required = [];
    private readonly List<string> _free = [];
    private readonly HashSet<string> _replacing = new(StringComparer.Ordinal);

    /// <param name="name">e.g. <c>AWS::EC2::VPC</c>.</param>
    /// <param name="properties">Names, nested ones with dots: <c>^</c> before one whose change replaces the resource, <c>!</c> after a required one, <c>.*</c> after one of which all below is free.</param>
    /// <param name="attributes">What GetAtt gives.</param>
    protected ResourceType(string name, string properties, string attributes)
    {
        Name = name;
        Attributes = attributes.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);
        foreach (var word in properties.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries))
        {
            var property = word.TrimStart('^').TrimEnd('!');
            var isFree = property.EndsWith(".*", StringComparison.Ordinal);
            property = isFree ? property[..^2] : property;
            if (isFree)
                _free.Add(property);
            for (var dot = property.Length; dot > 0; dot = property.LastIndexOf('.', dot - 1))
                _properties[property[..dot]] = true;
            if (word.StartsWith('^'))
                _replacing.Add(property.Split('.')[0]);
            if (word.EndsWith('!'))
                _required.Add(property);
        }
    }

    public string Name { get; }

    public IReadOnlySet<string> Attributes { get; }

    /// <summary>Whether the type has tags of its own.</summary>
    public bool HasTags => _properties.ContainsKey("Tags");

    /// <summary>Whether a change of the property makes a new resource.</summary>
    public bool Replaces(string property) => _replacing.Contains(property);

    public abstract Task CreateAsync(ResourceWork work);

    /// <param name="work">With the new properties.</param>
    /// <param name="before">The old ones.</param>
    /// <param name="changed">Names of those that differ; Tags when the stack's differ.</param>
    public virtual Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed) => Task.CompletedTask;

    public abstract Task DeleteAsync(ResourceWork work);

    /// <summary>What it is in the model; null: it is gone, or nothing of its own.</summary>
    public virtual Resource? Find(LabModel m, StackResource resource) => null;

    /// <summary>What Ref gives.</summary>
    public virtual string Reference(LabModel m, StackResource resource) => resource.PhysicalId!;

    /// <summary>What GetAtt gives; null: not known now.</summary>
    public virtual string? Attribute(LabModel m, StackResource resource, string name) => resource.PhysicalId;

    /// <summary>Whether drift of the type can be found.</summary>
    public virtual bool KnowsDrift => true;

    /// <summary>Properties as they are now, as far as the type can tell; null: the resource is gone.</summary>
    public virtual TemplateNode.Map? Current(LabModel m, StackResource resource) => Find(m, resource) is { } found ? Compose(Properties(m, found)) : null;

    /// <summary>Properties of what stands in the model.</summary>
    protected virtual IEnumerable<(string Name, TemplateNode? Value)> Properties(LabModel m, Resource found) => [];

    /// <summary>Refuses properties that the type does not have, and the lack of those it needs.</summary>
    /// <exception cref="AwsError">With the words of the resource's failure.</exception>
    public void Check(string logicalId, TemplateNode.Map properties)
    {
        CheckBelow("", properties);
        foreach (var property in _required)
        {
            if (properties[property] is null)
                throw Template.Wrong($"Properties validation failed for resource {logicalId} with message: #: required key [{property}] not found");
        }
    }

    private void CheckBelow(string path, TemplateNode node)
    {
        if (_free.Contains(path))
            return;
        switch (node)
        {
            case TemplateNode.Sequence sequence:
                foreach (var item in sequence.Items)
                    CheckBelow(path, item);
                break;
            case TemplateNode.Map map:
                foreach (var (name, value) in map.Members)
                {
                    var below = path.Length == 0 ? name : $"{path}.{name}";
                    if (!_properties.ContainsKey(below))
                        throw Template.Wrong($"Encountered unsupported property {name}");
                    CheckBelow(below, value);
                }
                break;
        }
    }

    protected static TemplateNode.Map Compose(IEnumerable<(string Name, TemplateNode? Value)> members) =>
        new(members.Where(m => m.Value is not null).ToDictionary(m => m.Name, m => m.Value!, StringComparer.Ordinal));

    protected static TemplateNode Of(string text) => new TemplateNode.Scalar(text);

    protected static TemplateNode Of(bool flag) => new TemplateNode.Scalar(flag ? "true" : "false", true);

    protected static TemplateNode Of(IEnumerable<string> texts) => new TemplateNode.Sequence([.. texts.Select(Of)]);
}

/// <summary>The types that this lab builds.</summary>
internal static class ResourceTypes
{
    private static readonly Dictionary<string, ResourceType> s_all = ((ResourceType[])
    [
        new VpcType(), new SubnetType(), new InternetGatewayType(), new GatewayAttachmentType(), new RouteTableType(), new RouteType(), new RouteAssociationType(),
        new SecurityGroupType(), new SecurityGroupRuleType(RuleDirection.Ingress), new SecurityGroupRuleType(RuleDirection.Egress), new VpcEndpointType(), new ConnectEndpointType(), new NatGatewayType(), new ElasticAddressType(), new InstanceType(),
        new RoleType(), new InstanceProfileType(), new InlinePolicyType(), new DbSubnetGroupType(), new DbClusterType(), new DbInstanceType(),
    ]).ToDictionary(t => t.Name, StringComparer.Ordinal);

    public static ResourceType? Find(string name) => s_all.GetValueOrDefault(name);
}
