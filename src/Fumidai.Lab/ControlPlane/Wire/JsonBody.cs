using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>A JSON call's body, read member by member; wrong kinds are refused as AWS's parser refuses them.</summary>
internal sealed class JsonBody(JsonElement body)
{
    public string? Text(string name) => Member(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => throw Wrong(name),
    };

    /// <exception cref="AwsError">ValidationException.</exception>
    public string Required(string name) => Text(name) is { Length: > 0 } text
        ? text
        : throw new AwsError("ValidationException", $"1 validation error detected: Value null at '{char.ToLowerInvariant(name[0])}{name[1..]}' failed to satisfy constraint: Member must not be null");

    public bool? Flag(string name) => Member(name) is { } value && value.ValueKind is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False ? value.GetBoolean() : null;

    public int? Number(string name) => Member(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) => number,
        _ => throw Wrong(name),
    };

    public IReadOnlyList<string> Texts(string name) => [.. Items(name).Select(i => i.ValueKind == JsonValueKind.String ? i.GetString()! : throw Wrong(name))];

    public IReadOnlyList<JsonBody> Structures(string name) => [.. Items(name).Select(i => i.ValueKind == JsonValueKind.Object ? new JsonBody(i) : throw Wrong(name))];

    private IEnumerable<JsonElement> Items(string name) => Member(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } value => value.EnumerateArray(),
        _ => throw Wrong(name),
    };

    private JsonElement? Member(string name) => body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static AwsError Wrong(string name) => new("SerializationException", $"{name} has a value of another type than expected");

    /// <summary>Writes an answer: the members of one object.</summary>
    public static AwsAnswer.Json Write(Action<Utf8JsonWriter> members)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }
        return new AwsAnswer.Json(Encoding.UTF8.GetString(bytes.ToArray()));
    }

    /// <summary>Seconds since 1970 with milliseconds, as JSON services write times.</summary>
    public static double Epoch(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;
}
