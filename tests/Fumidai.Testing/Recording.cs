using System.Text.Json;

namespace Fumidai.Testing;

/// <summary>A recorded conversation (vectors/transcripts; vectors/README.md explains the lines).</summary>
public sealed class Recording
{
    private Recording(JsonElement meta, IReadOnlyList<RecordingLine> lines) => (Meta, Lines) = (meta, lines);

    public JsonElement Meta { get; }
    public IReadOnlyList<RecordingLine> Lines { get; }
    public string SessionId => Meta.GetProperty("sessionId").GetString()!;

    /// <summary>Names of all transcripts there are.</summary>
    public static IEnumerable<string> Names => Directory.EnumerateFiles(Vectors.PathOf("transcripts"), "*.jsonl").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal);

    public static Recording Load(string name)
    {
        JsonElement meta = default;
        var lines = new List<RecordingLine>();
        foreach (var line in File.ReadLines(Vectors.PathOf($"transcripts/{name}.jsonl")))
        {
            using var document = JsonDocument.Parse(line);
            var json = document.RootElement.Clone();
            if (json.TryGetProperty("meta", out var found)) meta = found;
            else lines.Add(new RecordingLine(json));
        }
        return new(meta, lines);
    }
}

/// <summary>One line of a transcript.</summary>
public sealed class RecordingLine(JsonElement json)
{
    public JsonElement Json { get; } = json;
    public string Kind => Text("kind") ?? (Json.TryGetProperty("cut", out _) ? "cut" : "");
    public string? From => Text("from");
    public string? To => Text("to");
    public string? Relay => Text("relay");
    public byte[] Frame => Convert.FromHexString(Text("hex")!);
    public string? Text(string name) => Json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    public override string ToString() => Json.GetRawText();
}
