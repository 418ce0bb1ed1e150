using System.Globalization;
using System.Text.RegularExpressions;

namespace Fumidai.Lab;

/// <summary>A template's parameter: its type, default and constraints.</summary>
internal sealed record ParameterDeclaration(string Name, string Type, TemplateNode.Map Node)
{
    private const string Ssm = "AWS::SSM::Parameter::Value<";

    private static readonly HashSet<string> s_members = new(StringComparer.Ordinal)
    {
        "Type", "Default", "Description", "AllowedValues", "AllowedPattern", "ConstraintDescription", "MinLength", "MaxLength", "MinValue", "MaxValue", "NoEcho",
    };

    private static readonly HashSet<string> s_types = new(StringComparer.Ordinal)
    {
        "String", "Number", "List<Number>", "CommaDelimitedList", "AWS::SSM::Parameter::Name",
        "AWS::EC2::VPC::Id", "AWS::EC2::Subnet::Id", "AWS::EC2::SecurityGroup::Id", "AWS::EC2::Image::Id", "AWS::EC2::Instance::Id", "AWS::EC2::AvailabilityZone::Name", "AWS::EC2::KeyPair::KeyName",
        "List<AWS::EC2::VPC::Id>", "List<AWS::EC2::Subnet::Id>", "List<AWS::EC2::SecurityGroup::Id>", "List<AWS::EC2::Image::Id>", "List<AWS::EC2::Instance::Id>", "List<AWS::EC2::AvailabilityZone::Name>",
        Ssm + "String>", Ssm + "AWS::EC2::Image::Id>", Ssm + "List<String>>", Ssm + "CommaDelimitedList>",
    };

    public string? Default => Node["Default"]?.Value;
    public string? Description => Node["Description"]?.Value;
    public bool IsHidden => Node["NoEcho"]?.Value is "true" or "True";
    public bool IsList => Type == "CommaDelimitedList" || Type.StartsWith("List<", StringComparison.Ordinal) || (IsSsm && Kind is "CommaDelimitedList" or "List<String>");
    public bool IsSsm => Type.StartsWith(Ssm, StringComparison.Ordinal);
    public IReadOnlyList<string> AllowedValues => Node["AllowedValues"] is { } allowed ? [.. allowed.Items.Select(i => i.Value ?? "")] : [];

    /// <summary>The type of what the value names in the end.</summary>
    public string Kind => IsSsm ? Type[Ssm.Length..^1] : Type;

    public static IReadOnlyList<ParameterDeclaration> ReadAll(TemplateNode? section)
    {
        if (section is null)
            return [];
        if (section is not TemplateNode.Map map)
            throw Template.Wrong("Template format error: Parameters must be an object.");
        return [.. map.Members.Select(m => Read(m.Key, m.Value))];
    }

    private static ParameterDeclaration Read(string name, TemplateNode node)
    {
        if (!name.All(char.IsAsciiLetterOrDigit))
            throw Template.Wrong($"Template format error: Parameter name {name} is non alphanumeric.");
        if (node is not TemplateNode.Map map || map["Type"]?.Value is not { } type)
            throw Template.Wrong($"Template format error: Every Parameters object must contain a Type member.");
        if (map.Members.Keys.FirstOrDefault(k => !s_members.Contains(k)) is { } unknown)
            throw Template.Wrong($"Invalid template parameter property '{unknown}'");
        if (!s_types.Contains(type))
            throw Template.Wrong($"Template format error: Unrecognized parameter type: {type}");
        if (map["Default"] is not null and not TemplateNode.Scalar)
            throw Template.Wrong("Template format error: Every Default member must be a string.");
        var declared = new ParameterDeclaration(name, type, map);
        if (declared.Default is { } value)
            declared.Check(value);
        return declared;
    }

    public static IEnumerable<string> Split(string list) => list.Split(',', StringSplitOptions.TrimEntries);

    /// <summary>Checks a value against the declaration alone.</summary>
    /// <exception cref="AwsError">ValidationError.</exception>
    public void Check(string value)
    {
        var why = Node["ConstraintDescription"]?.Value;
        AwsError Fails(string otherwise) => Template.Wrong(why is null ? otherwise : $"Parameter {Name} failed to satisfy constraint: {why}");

        foreach (var one in IsList && !IsSsm ? Split(value) : [value])
        {
            if (AllowedValues.Count > 0 && !AllowedValues.Contains(one))
                throw Fails($"Parameter '{Name}' must be one of AllowedValues");
            if (Type is "Number" or "List<Number>")
            {
                if (!double.TryParse(one, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
                    throw Template.Wrong($"Parameter '{Name}' must be a number");
                if (Limit("MinValue") is { } least && number < least)
                    throw Fails($"Parameter '{Name}' must be a number not less than {Node["MinValue"]!.Value}");
                if (Limit("MaxValue") is { } most && number > most)
                    throw Fails($"Parameter '{Name}' must be a number not greater than {Node["MaxValue"]!.Value}");
            }
            if (Limit("MinLength") is { } shortest && one.Length < shortest)
                throw Fails($"Parameter '{Name}' must contain at least {Node["MinLength"]!.Value} characters");
            if (Limit("MaxLength") is { } longest && one.Length > longest)
                throw Fails($"Parameter '{Name}' must contain at most {Node["MaxLength"]!.Value} characters");
            if (Node["AllowedPattern"]?.Value is { } pattern && !IsMatch(pattern, one))
                throw Fails($"Parameter '{Name}' must match pattern {pattern}");
        }
    }

    private bool IsMatch(string pattern, string value)
    {
        try
        {
            // The pattern is a stranger's: it may not run for ever. The whole value must match.
            return Regex.IsMatch(value, $"^(?:{pattern})$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw Template.Wrong($"Template format error: AllowedPattern of parameter {Name} is not a valid pattern (or one with look-around, which this lab does not run).");
        }
    }

    private double? Limit(string name) => Node[name]?.Value is { } text && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var limit) ? limit : null;
}
