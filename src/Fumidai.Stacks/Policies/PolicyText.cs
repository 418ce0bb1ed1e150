using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fumidai.Stacks;

/// <summary>One Allow statement.</summary>
/// <param name="Sid">What it is for, in one word.</param>
/// <param name="Actions">Actions.</param>
/// <param name="Resources">ARNs, or <c>*</c>.</param>
/// <param name="Conditions">Operator, key and values.</param>
internal sealed record PolicyStatement(string Sid, IReadOnlyList<string> Actions, IReadOnlyList<string> Resources, params (string Operator, string Key, string[] Values)[] Conditions);

/// <summary>Writes statements as an IAM policy document.</summary>
internal static class PolicyText
{
    private static readonly JsonWriterOptions Readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    public static string Of(IEnumerable<PolicyStatement> statements)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Readable))
        {
            json.WriteStartObject();
            json.WriteString("Version", "2012-10-17");
            json.WriteStartArray("Statement");
            foreach (var statement in statements)
                Write(json, statement);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter json, PolicyStatement statement)
    {
        json.WriteStartObject();
        json.WriteString("Sid", statement.Sid);
        json.WriteString("Effect", "Allow");
        Write(json, "Action", statement.Actions);
        Write(json, "Resource", statement.Resources);
        if (statement.Conditions.Length > 0)
        {
            json.WriteStartObject("Condition");
            foreach (var group in statement.Conditions.GroupBy(c => c.Operator, StringComparer.Ordinal))
            {
                json.WriteStartObject(group.Key);
                foreach (var (_, key, values) in group)
                    Write(json, key, values);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        if (values.Count == 1)
        {
            json.WriteString(name, values[0]);
            return;
        }
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
