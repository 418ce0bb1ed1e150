using System.Text.Json;
using System.Xml.Linq;

namespace Fumidai.Aws;

/// <summary>Reading answers by local names; missing and empty are both null.</summary>
internal static class Answers
{
    public static XElement? Child(this XElement element, string name) => element.Elements().FirstOrDefault(e => e.Name.LocalName == name);

    public static IEnumerable<XElement> Children(this XElement? element, string list, string item) =>
        element?.Child(list)?.Elements().Where(e => e.Name.LocalName == item) ?? [];

    public static string? Text(this XElement? element, string name) => element?.Child(name)?.Value is { Length: > 0 } text ? text : null;

    public static string? Text(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            && value.GetString() is { Length: > 0 } text ? text : null;
}
