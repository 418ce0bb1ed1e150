using System.Globalization;
using System.Text;

namespace Fumidai.Lab;

/// <summary>What a template's names mean for one stack.</summary>
internal interface ITemplateScope
{
    string StackName { get; }
    string StackId { get; }
    string Account { get; }
    string Region { get; }
    Template Template { get; }

    /// <summary>A parameter's value as text; lists are joined by commas.</summary>
    string Parameter(string name);

    /// <summary>What Ref of a resource gives.</summary>
    string Reference(string logicalId);

    /// <summary>What GetAtt of a resource gives.</summary>
    TemplateNode Attribute(string logicalId, string attribute);
}

/// <summary>Evaluates intrinsic functions. Reference: "Intrinsic function reference", CloudFormation user guide.</summary>
internal sealed class TemplateFunctions(ITemplateScope scope)
{
    private readonly Dictionary<string, bool> _conditions = new(StringComparer.Ordinal);
    private readonly HashSet<string> _open = new(StringComparer.Ordinal);

    /// <summary>The value of a piece; null: AWS::NoValue, it is left out.</summary>
    public TemplateNode? Resolve(TemplateNode node)
    {
        switch (node)
        {
            case TemplateNode.Sequence sequence:
                return new TemplateNode.Sequence([.. sequence.Items.Select(Resolve).OfType<TemplateNode>()]);
            case TemplateNode.Map { Members.Count: 1 } map when map.Members.First() is var (name, value) && (name == "Ref" || name.StartsWith("Fn::", StringComparison.Ordinal)):
                return Call(name, value);
            case TemplateNode.Map map:
                var members = new Dictionary<string, TemplateNode>(StringComparer.Ordinal);
                foreach (var (key, member) in map.Members)
                {
                    if (Resolve(member) is { } resolved)
                        members[key] = resolved;
                }
                return new TemplateNode.Map(members);
            default:
                return node;
        }
    }

    /// <summary>Resolves to a text.</summary>
    public string Text(TemplateNode node) => Resolve(node) switch
    {
        TemplateNode.Scalar scalar => scalar.Text,
        _ => throw Template.Wrong("Template error: a function was given a list or an object where it takes a String"),
    };

    /// <summary>Whether a named condition holds.</summary>
    public bool Condition(string name)
    {
        if (_conditions.TryGetValue(name, out var known))
            return known;
        if (!_open.Add(name))
            throw Template.Wrong($"Template format error: Circular dependency in conditions: [{name}]");
        var node = scope.Template.Conditions[name] ?? throw Template.Wrong($"Template error: unresolved condition {name}");
        return _conditions[name] = Holds(node);
    }

    private bool Holds(TemplateNode node)
    {
        if (node is not TemplateNode.Map { Members.Count: 1 } map)
            throw Template.Wrong("Template format error: Conditions can only be boolean operations on parameters and other conditions");
        var (name, value) = map.Members.First();
        return name switch
        {
            "Condition" => Condition(value.Value ?? ""),
            "Fn::Equals" when value.Items is [var a, var b] => TemplateNode.Same(Resolve(a), Resolve(b)),
            "Fn::Not" when value.Items is [var one] => !Holds(one),
            "Fn::And" when value.Items.Count is >= 2 and <= 10 => value.Items.All(Holds),
            "Fn::Or" when value.Items.Count is >= 2 and <= 10 => value.Items.Any(Holds),
            _ => throw Template.Wrong("Template format error: Conditions can only be boolean operations on parameters and other conditions"),
        };
    }

    private TemplateNode? Call(string name, TemplateNode value) => name switch
    {
        "Ref" => Reference(value.Value!),
        "Fn::If" when value.Items is [{ Value: { } condition }, var then, var otherwise] => Resolve(Condition(condition) ? then : otherwise),
        "Fn::GetAtt" => TemplateReferences.GetAttOf(value) is var (resource, attribute) ? scope.Attribute(resource, attribute ?? Text(value.Items[1])) : null,
        "Fn::Sub" => new TemplateNode.Scalar(Substitute(value)),
        "Fn::Join" when value.Items is [{ Value: { } between }, var list] => new TemplateNode.Scalar(string.Join(between, List(list).Select(i => i.Value ?? throw Template.Wrong("Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.")))),
        "Fn::Select" when value.Items is [var index, var list] => Select(Text(index), List(list)),
        "Fn::Split" when value.Items is [{ Value: { } at }, var text] => new TemplateNode.Sequence([.. Text(text).Split(at).Select(p => new TemplateNode.Scalar(p))]),
        "Fn::GetAZs" => new TemplateNode.Sequence([.. Zones(Text(value)).Select(z => new TemplateNode.Scalar(z))]),
        "Fn::Base64" => new TemplateNode.Scalar(Convert.ToBase64String(Encoding.UTF8.GetBytes(Text(value)))),
        "Fn::FindInMap" when value.Items is [var map, var first, var second] => FindInMap(Text(map), Text(first), Text(second)),
        "Fn::Cidr" when value.Items is [var range, var count, ..] => Cidr(Text(range), Text(count), value.Items.Count > 2 ? Text(value.Items[2]) : "8"),
        "Fn::Equals" or "Fn::And" or "Fn::Or" or "Fn::Not" => throw Template.Wrong($"Template error: {name} is allowed in the Conditions section only"),
        _ => throw Template.Wrong($"Template error: {name} has arguments of another kind or number than it takes"),
    };

    private TemplateNode? Reference(string name) => name switch
    {
        "AWS::NoValue" => null,
        "AWS::NotificationARNs" => new TemplateNode.Sequence([]),
        _ when scope.Template.Parameters.FirstOrDefault(p => p.Name == name) is { IsList: true } => new TemplateNode.Sequence([.. ParameterDeclaration.Split(scope.Parameter(name)).Select(p => new TemplateNode.Scalar(p))]),
        _ => new TemplateNode.Scalar(Named(name)),
    };

    private string Named(string name) => name switch
    {
        "AWS::AccountId" => scope.Account,
        "AWS::Partition" => "aws",
        "AWS::Region" => scope.Region,
        "AWS::StackId" => scope.StackId,
        "AWS::StackName" => scope.StackName,
        "AWS::URLSuffix" => "amazonaws.com",
        _ when scope.Template.Parameters.Any(p => p.Name == name) => scope.Parameter(name),
        _ => scope.Reference(name),
    };

    private string Substitute(TemplateNode value)
    {
        var text = value is TemplateNode.Sequence pair ? pair.Items[0].Value! : value.Value!;
        var own = value is TemplateNode.Sequence { Items: [_, TemplateNode.Map map] } ? map : TemplateNode.Empty;
        return TemplateReferences.Variables().Replace(text, match =>
        {
            var name = match.Groups[2].Value;
            if (match.Groups[1].Length > 0)
                return $"${{{name}}}";
            if (own[name] is { } given)
                return Text(given);
            return name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
                ? scope.Attribute(name[..dot], name[(dot + 1)..]).Value ?? throw Template.Wrong($"Template error: {name} is no String")
                : Named(name);
        });
    }

    /// <summary>What is known only after the change has no pieces yet: any piece of it is unknown too.</summary>
    private static bool IsUnknown(TemplateNode? node) => node?.Value?.Contains(PlanScope.Unknown, StringComparison.Ordinal) == true;

    private IReadOnlyList<TemplateNode> List(TemplateNode node) => Resolve(node) is var found && found is TemplateNode.Sequence list ? list.Items : IsUnknown(found) ? [found!] : throw Template.Wrong("Template error: a function was given something else where it takes a list");

    private static TemplateNode Select(string index, IReadOnlyList<TemplateNode> list) => int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at < list.Count
        ? list[at]
        : list.FirstOrDefault(IsUnknown) is { } unknown ? unknown
        : throw Template.Wrong($"Template error: Fn::Select cannot select nonexistent value at index {index}");

    private IReadOnlyList<string> Zones(string region) => region.Length == 0 || region == scope.Region
        ? ZonesCalls.Of(scope.Region)
        : LabRegions.All.Contains(region) ? ZonesCalls.Of(region) : throw Template.Wrong($"Template error: Fn::GetAZs: {region} is not a region of this account");

    private TemplateNode FindInMap(string map, string first, string second)
    {
        var mapping = scope.Template.Mappings[map] ?? throw Template.Wrong($"Template error: Mapping named '{map}' is not present in the 'Mappings' section of template.");
        return mapping.Member(first)?.Member(second) ?? throw Template.Wrong($"Template error: Unable to get mapping for {map}::{first}::{second}");
    }

    private static TemplateNode.Sequence Cidr(string range, string count, string bits) => range.Contains(PlanScope.Unknown, StringComparison.Ordinal)
        ? new TemplateNode.Sequence([.. Enumerable.Repeat(new TemplateNode.Scalar(PlanScope.Unknown), int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var copies) ? Math.Min(copies, 256) : 1)])
        : Ranges.TryParse(range, out var whole) && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && int.TryParse(bits, NumberStyles.None, CultureInfo.InvariantCulture, out var host)
            && Ranges.Cut(whole, n, host) is { } blocks
            ? new TemplateNode.Sequence([.. blocks.Select(b => new TemplateNode.Scalar(b))])
            : throw Template.Wrong($"Template error: Fn::Cidr cannot cut {count} blocks with {bits} host bits from {range}");
}
