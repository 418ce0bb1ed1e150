using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>Writes JSON by hand: no reflection, and a token's <c>+</c> stays one.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions s_relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One object.</summary>
    public static byte[] Bytes(Action<Utf8JsonWriter> properties)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, s_relaxed))
        {
            writer.WriteStartObject();
            properties(writer);
            writer.WriteEndObject();
        }
        return bytes.ToArray();
    }

    /// <summary>One object as text.</summary>
    public static string Of(Action<Utf8JsonWriter> properties) => Encoding.UTF8.GetString(Bytes(properties));

    /// <summary>A text property of an object; null: absent, null or no text.</summary>
    public static string? Text(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
