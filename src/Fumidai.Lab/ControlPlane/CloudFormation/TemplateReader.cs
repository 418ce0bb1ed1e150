using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Fumidai.Lab;

/// <summary>Reads a template's text, YAML with short tags or JSON (which YAML contains), without recursion deeper than templates need.</summary>
internal sealed class TemplateReader
{
    /// <summary>Bytes of a TemplateBody (CreateStack, API 2010-05-15).</summary>
    public const int LongestBody = 51_200;

    private const int Deepest = 60;

    private static readonly HashSet<string> s_plain = new(StringComparer.Ordinal) { "Ref", "Condition" };

    private readonly Parser _parser;

    private TemplateReader(string text) => _parser = new Parser(new StringReader(text));

    /// <exception cref="AwsError">ValidationError, as CloudFormation words it.</exception>
    public static TemplateNode.Map Read(string body)
    {
        if (Encoding.UTF8.GetByteCount(body) > LongestBody)
            throw Wrong("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200");
        var isJson = body.TrimStart().StartsWith('{');
        try
        {
            var reader = new TemplateReader(body);
            reader._parser.Consume<StreamStart>();
            if (reader._parser.Accept<StreamEnd>(out _))
                throw Wrong("Template format error: unsupported structure.");
            reader._parser.Consume<DocumentStart>();
            var root = reader.Node(0);
            reader._parser.Consume<DocumentEnd>();
            if (!reader._parser.Accept<StreamEnd>(out _))
                throw Wrong("Template format error: YAML not well-formed. (a second document)");
            return root as TemplateNode.Map ?? throw Wrong("Template format error: unsupported structure.");
        }
        catch (YamlException e)
        {
            throw Wrong(isJson
                ? $"Template format error: JSON not well-formed. (line {e.Start.Line}, column {e.Start.Column})"
                : $"Template format error: YAML not well-formed. (line {e.Start.Line}, column {e.Start.Column})");
        }
    }

    public static AwsError Wrong(string message) => new("ValidationError", message);

    private TemplateNode Node(int depth)
    {
        if (depth > Deepest)
            throw Wrong("Template format error: the template is nested too deeply.");
        switch (_parser.Current)
        {
            case AnchorAlias:
                throw Wrong("Template error: YAML aliases are not allowed in CloudFormation templates");
            case Scalar scalar:
                _parser.MoveNext();
                var isPlain = scalar.Style == ScalarStyle.Plain;
                if (isPlain && scalar.Tag.IsEmpty && scalar.Value is "" or "null" or "~" && isPlain)
                    throw Wrong($"Template format error: [line {scalar.Start.Line}] Null values are not allowed in templates");
                return Tagged(scalar.Tag, new TemplateNode.Scalar(scalar.Value, isPlain));
            case SequenceStart start:
                _parser.MoveNext();
                var items = new List<TemplateNode>();
                while (!_parser.Accept<SequenceEnd>(out _))
                    items.Add(Node(depth + 1));
                _parser.MoveNext();
                return Tagged(start.Tag, new TemplateNode.Sequence(items));
            case MappingStart start:
                _parser.MoveNext();
                var members = new Dictionary<string, TemplateNode>(StringComparer.Ordinal);
                while (!_parser.Accept<MappingEnd>(out _))
                {
                    var at = _parser.Current!.Start;
                    var key = _parser.Current is Scalar name ? name.Value : throw Wrong($"Template format error: YAML not well-formed. (line {at.Line}, column {at.Column})");
                    _parser.MoveNext();
                    if (!members.TryAdd(key, Node(depth + 1)))
                        throw Wrong($"Template format error: duplicate key {key} (line {at.Line}, column {at.Column})");
                }
                _parser.MoveNext();
                return Tagged(start.Tag, new TemplateNode.Map(members));
            default:
                throw Wrong("Template format error: unsupported structure.");
        }
    }

    /// <summary><c>!Sub x</c> is <c>{"Fn::Sub": "x"}</c>; <c>!GetAtt A.B.C</c> splits at its first dot.</summary>
    private static TemplateNode Tagged(TagName tag, TemplateNode value)
    {
        if (tag.IsEmpty || tag.IsNonSpecific)
            return value;
        var name = tag.Value;
        if (!name.StartsWith('!') || name.StartsWith("tag:", StringComparison.Ordinal))
            return name.StartsWith("tag:yaml.org,2002:", StringComparison.Ordinal) ? value : throw Wrong($"Template format error: the tag {name} is not known.");
        name = name[1..];
        if (name == "GetAtt" && value is TemplateNode.Scalar { Text: var path })
        {
            var dot = path.IndexOf('.', StringComparison.Ordinal);
            if (dot < 0)
                throw Wrong("Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute");
            value = new TemplateNode.Sequence([new TemplateNode.Scalar(path[..dot]), new TemplateNode.Scalar(path[(dot + 1)..])]);
        }
        return new TemplateNode.Map(new Dictionary<string, TemplateNode> { [s_plain.Contains(name) ? name : "Fn::" + name] = value });
    }
}
