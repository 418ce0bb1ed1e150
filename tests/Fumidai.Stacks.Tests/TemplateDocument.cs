using YamlDotNet.RepresentationModel;

namespace Fumidai.Stacks.Tests;

/// <summary>A template read by a YAML reader that knows nothing of ours.</summary>
internal sealed class TemplateDocument
{
    private readonly YamlMappingNode _root;

    public TemplateDocument(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        _root = (YamlMappingNode)stream.Documents[0].RootNode;
    }

    public IReadOnlyDictionary<string, YamlMappingNode> Section(string name) => _root.Children.TryGetValue(name, out var section)
        ? ((YamlMappingNode)section).Children.ToDictionary(p => p.Key.ToString(), p => (YamlMappingNode)p.Value, StringComparer.Ordinal)
        : new Dictionary<string, YamlMappingNode>();

    public IReadOnlyDictionary<string, YamlMappingNode> Resources => Section("Resources");

    public IEnumerable<string> OfType(string type) => Resources.Where(r => Type(r.Key) == type).Select(r => r.Key);

    public string Type(string resource) => Text(Resources[resource], "Type")!;

    public YamlNode? Property(string resource, params string[] path) => At(Resources[resource], ["Properties", .. path]);

    public string? PropertyText(string resource, params string[] path) => Property(resource, path) is YamlScalarNode s ? s.Value : null;

    /// <summary>What is referred to, in any spelling, anywhere beneath a node.</summary>
    public static IEnumerable<string> References(YamlNode node)
    {
        switch (node)
        {
            case YamlScalarNode { Tag: { IsEmpty: false, Value: "!Ref" } } s:
                yield return s.Value!;
                break;
            case YamlScalarNode { Tag: { IsEmpty: false, Value: "!GetAtt" } } s:
                yield return s.Value!.Split('.')[0];
                break;
            case YamlScalarNode { Tag: { IsEmpty: false, Value: "!Sub" } } s:
                foreach (System.Text.RegularExpressions.Match m in System.Text.RegularExpressions.Regex.Matches(s.Value!, @"\$\{([A-Za-z0-9:]+)"))
                    yield return m.Groups[1].Value;
                break;
            case YamlMappingNode map:
                foreach (var inner in map.Children.Values.SelectMany(References))
                    yield return inner;
                break;
            case YamlSequenceNode list:
                foreach (var inner in list.Children.SelectMany(References))
                    yield return inner;
                break;
        }
    }

    public static YamlNode? At(YamlNode node, params string[] path)
    {
        foreach (var step in path)
        {
            if (node is YamlSequenceNode list && int.TryParse(step, System.Globalization.CultureInfo.InvariantCulture, out var index))
                node = list.Children[index];
            else if (node is YamlMappingNode map && map.Children.TryGetValue(step, out var next))
                node = next;
            else
                return null;
        }
        return node;
    }

    public static string? Text(YamlNode node, params string[] path) => At(node, path) is YamlScalarNode s ? s.Value : null;

    public IEnumerable<string> DependsOn(string resource) => At(Resources[resource], "DependsOn") switch
    {
        YamlScalarNode s => [s.Value!],
        YamlSequenceNode list => list.Children.Select(c => ((YamlScalarNode)c).Value!),
        _ => [],
    };
}
