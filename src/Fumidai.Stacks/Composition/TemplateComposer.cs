using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Fumidai.Stacks;

/// <summary>Merges parts into one template, keeping their comments.</summary>
internal static class TemplateComposer
{
    /// <param name="description">The template's description.</param>
    /// <param name="parts">Parts in the order of their text.</param>
    /// <param name="without">Resources to leave out.</param>
    /// <param name="values">Parameter values, which become the defaults, so that the text alone can be deployed.</param>
    /// <returns>The text, the parameters it has, and its resources.</returns>
    public static (string Text, IReadOnlyDictionary<string, string> Parameters, IReadOnlyList<TemplateEntry> Resources) Compose(
        string description, IReadOnlyList<TemplatePart> parts, IReadOnlySet<string> without, IReadOnlyDictionary<string, string> values)
    {
        var resources = parts.SelectMany(p => p.Section("Resources")).Where(r => !without.Contains(r.Name)).ToList();
        var outputs = parts.SelectMany(p => p.Section("Outputs")).ToList();
        var built = resources.Select(r => r.Name).ToHashSet(StringComparer.Ordinal);
        var body = string.Join('\n', resources.Concat(outputs).SelectMany(e => e.Lines));
        var parameters = parts.SelectMany(p => p.Section("Parameters")).Where(p => !built.Contains(p.Name)).DistinctBy(p => p.Name)
            .Where(p => IsReferredTo(p.Name, body)).Select(p => WithDefault(p, values)).ToList();
        var text = new StringBuilder("AWSTemplateFormatVersion: \"2010-09-09\"\n").Append("Description: ").Append(Quoted(description)).Append('\n');
        Write(text, "Parameters", parameters);
        Write(text, "Resources", resources);
        Write(text, "Outputs", outputs);
        return (text.ToString(), parameters.Where(p => values.ContainsKey(p.Name)).ToDictionary(p => p.Name, p => values[p.Name], StringComparer.Ordinal), resources);
    }

    /// <summary>A string as YAML and JSON both read it.</summary>
    public static string Quoted(string text) => '"' + JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString() + '"';

    private static bool IsReferredTo(string name, string body) => Regex.IsMatch(body, $@"(!Ref ""?|\$\{{){name}\b", RegexOptions.CultureInvariant);

    private static TemplateEntry WithDefault(TemplateEntry parameter, IReadOnlyDictionary<string, string> values)
    {
        var lines = parameter.Lines.Where(l => !l.StartsWith("    Default:", StringComparison.Ordinal)).ToList();
        if (!values.TryGetValue(parameter.Name, out var value))
            return parameter;
        var after = lines.FindLastIndex(l => l.StartsWith("    Type:", StringComparison.Ordinal) || l.StartsWith("    Description:", StringComparison.Ordinal));
        lines.Insert(after + 1, "    Default: " + (parameter.Type == "Number" ? value : Quoted(value)));
        return parameter with { Lines = lines };
    }

    private static void Write(StringBuilder text, string section, IReadOnlyList<TemplateEntry> entries)
    {
        if (entries.Count == 0)
            return;
        text.Append('\n').Append(section).Append(":\n");
        foreach (var (i, entry) in entries.Index())
        {
            // Resources breathe; parameters and outputs stand close.
            if (i > 0 && section == "Resources")
                text.Append('\n');
            foreach (var line in entry.Lines)
                text.Append(line).Append('\n');
        }
    }
}
