using System.Text.RegularExpressions;

namespace Fumidai.Lab;

/// <summary>What a template's pieces refer to: checked to exist, and the order that follows from it.</summary>
internal sealed partial class TemplateReferences(Template template)
{
    public static readonly IReadOnlySet<string> Pseudo = new HashSet<string>(StringComparer.Ordinal)
    {
        "AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
    };

    private static readonly string[] s_functions =
    [
        "Fn::Base64", "Fn::GetAtt", "Fn::GetAZs", "Fn::ImportValue", "Fn::Join", "Fn::Split", "Fn::FindInMap", "Fn::Select", "Ref", "Fn::Equals", "Fn::If", "Fn::Not", "Condition", "Fn::And", "Fn::Or", "Fn::Sub", "Fn::Cidr",
    ];

    /// <exception cref="AwsError">ValidationError.</exception>
    public void Check()
    {
        foreach (var condition in template.Conditions.Members.Values)
            Check(condition, "Conditions", false);
        foreach (var resource in template.Resources.Values)
        {
            if (resource.Condition is { } condition && template.Conditions[condition] is null)
                throw Template.Wrong($"Template format error: Unresolved condition dependency {condition} in the Resources block of the template");
            if (resource.DependsOn.Where(d => !template.Resources.ContainsKey(d)).ToList() is { Count: > 0 } missing)
                throw Template.Wrong($"Template format error: Unresolved resource dependencies [{string.Join(", ", missing)}] in the Resources block of the template");
            Check(resource.Properties, "Resources", true);
        }
        foreach (var (name, output) in template.Outputs.Members)
        {
            if (output.Member("Value") is not { } value)
                throw Template.Wrong($"Template format error: Output {name} is malformed. Every Outputs member must contain a Value object");
            if (output.Member("Export") is not null)
                throw Template.Wrong($"Template format error: Exports are not modelled by this lab (output {name}).");
            if (output.Member("Condition")?.Value is { } condition && template.Conditions[condition] is null)
                throw Template.Wrong($"Template format error: Unresolved condition dependency {condition} in the Outputs block of the template");
            Check(value, "Outputs", true);
        }
    }

    /// <summary>The resources that one must wait for.</summary>
    public static IReadOnlySet<string> NeedsOf(Template template, TemplateResource resource)
    {
        var needs = new HashSet<string>(resource.DependsOn, StringComparer.Ordinal);
        Collect(resource.Properties, needs);
        needs.RemoveWhere(n => !template.Resources.ContainsKey(n));
        return needs;
    }

    /// <summary>The names in <c>${NAME}</c>; <c>${!NAME}</c> is literal.</summary>
    [GeneratedRegex(@"\$\{(!?)([^${}]*)\}")]
    public static partial Regex Variables();

    private static void Collect(TemplateNode node, HashSet<string> into)
    {
        switch (node)
        {
            case TemplateNode.Sequence sequence:
                foreach (var item in sequence.Items)
                    Collect(item, into);
                break;
            case TemplateNode.Map map:
                foreach (var (name, value) in map.Members)
                {
                    if (name == "Ref" && value.Value is { } target)
                        into.Add(target);
                    else if (name == "Fn::GetAtt")
                        into.Add(GetAttOf(value).Resource);
                    else if (name == "Fn::Sub")
                        into.UnionWith(VariablesOf(value).Select(v => v.Split('.')[0]));
                    Collect(value, into);
                }
                break;
        }
    }

    private void Check(TemplateNode node, string block, bool mayUseResources)
    {
        switch (node)
        {
            case TemplateNode.Sequence sequence:
                foreach (var item in sequence.Items)
                    Check(item, block, mayUseResources);
                break;
            case TemplateNode.Map map:
                foreach (var (name, value) in map.Members)
                {
                    if (name.StartsWith("Fn::", StringComparison.Ordinal))
                        CheckFunction(map, name, value, block, mayUseResources);
                    else if (name == "Ref" && map.Members.Count == 1)
                        Demand(value.Value ?? throw Template.Wrong("Template error: every Ref object must have a single String value."), block, mayUseResources);
                    else if (name == "Condition" && map.Members.Count == 1 && value.Value is { } condition && block == "Conditions" && template.Conditions[condition] is null)
                        throw Template.Wrong($"Template format error: Unresolved condition dependency {condition} in the {block} block of the template");
                    Check(value, block, mayUseResources);
                }
                break;
        }
    }

    private void CheckFunction(TemplateNode.Map map, string name, TemplateNode value, string block, bool mayUseResources)
    {
        if (!s_functions.Contains(name))
            throw Template.Wrong($"Template error: Encountered unsupported function: {name} Supported functions are: [{string.Join(", ", s_functions)}]");
        if (map.Members.Count != 1)
            throw Template.Wrong($"Template error: {name} must stand alone in its object");
        switch (name)
        {
            case "Fn::ImportValue":
                throw Template.Wrong("Template error: Fn::ImportValue is not modelled by this lab: no stack of it exports anything");
            case "Fn::GetAtt":
                var (resource, attribute) = GetAttOf(value);
                if (!mayUseResources || !template.Resources.TryGetValue(resource, out var known))
                    throw Template.Wrong($"Template error: instance of Fn::GetAtt references undefined resource {resource}");
                if (attribute is not null && !ResourceTypes.Find(known.Type)!.Attributes.Contains(attribute))
                    throw Template.Wrong($"Template error: resource {resource} does not support attribute type {attribute} in Fn::GetAtt");
                break;
            case "Fn::Sub":
                foreach (var variable in VariablesOf(value))
                {
                    var parts = variable.Split('.', 2);
                    if (parts.Length == 1)
                        Demand(variable, block, mayUseResources);
                    else
                        CheckFunction(map, "Fn::GetAtt", new TemplateNode.Sequence([new TemplateNode.Scalar(parts[0]), new TemplateNode.Scalar(parts[1])]), block, mayUseResources);
                }
                break;
            case "Fn::If" when value.Items is [var condition, ..]:
                if (condition.Value is not { } named || template.Conditions[named] is null)
                    throw Template.Wrong($"Template error: unresolved condition dependency {condition.Value} in Fn::If");
                break;
            case "Fn::FindInMap" when value.Items is [{ Value: { } mapping }, ..] && template.Mappings[mapping] is null:
                throw Template.Wrong($"Template error: Mapping named '{mapping}' is not present in the 'Mappings' section of template.");
        }
    }

    private void Demand(string name, string block, bool mayUseResources)
    {
        if (!Pseudo.Contains(name) && template.Parameters.All(p => p.Name != name) && !(mayUseResources && template.Resources.ContainsKey(name)))
            throw Template.Wrong($"Template format error: Unresolved resource dependencies [{name}] in the {block} block of the template");
    }

    /// <summary>Resource and attribute; the attribute is null where a function tells it.</summary>
    public static (string Resource, string? Attribute) GetAttOf(TemplateNode value) => value switch
    {
        TemplateNode.Scalar { Text: var path } when path.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot => (path[..dot], path[(dot + 1)..]),
        TemplateNode.Sequence { Items: [{ Value: { } resource }, var attribute] } => (resource, attribute.Value),
        _ => throw Template.Wrong("Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"),
    };

    private static IEnumerable<string> VariablesOf(TemplateNode value)
    {
        var (text, own) = value switch
        {
            TemplateNode.Scalar scalar => (scalar.Text, []),
            TemplateNode.Sequence { Items: [TemplateNode.Scalar scalar, TemplateNode.Map map] } => (scalar.Text, map.Members.Keys),
            _ => throw Template.Wrong("Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"),
        };
        return Variables().Matches(text).Where(m => m.Groups[1].Length == 0).Select(m => m.Groups[2].Value).Where(v => !own.Contains(v));
    }
}
