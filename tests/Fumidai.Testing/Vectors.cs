using System.Text.Json;

namespace Fumidai.Testing;

/// <summary>Single messages with the official parsers' verdicts (vectors/messages.json).</summary>
public static class Vectors
{
    private static readonly Lazy<IReadOnlyList<MessageVector>> All = new(() =>
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(PathOf("messages.json")));
        return [.. document.RootElement.EnumerateArray().Select(e => new MessageVector(e.Clone()))];
    });

    /// <summary>All entries, smux ones included.</summary>
    public static IReadOnlyList<MessageVector> Messages => All.Value;

    /// <summary>The entry of that name.</summary>
    public static MessageVector Message(string name) => Messages.Single(m => m.Name == name);

    /// <summary>Where a vector file lies beside the test program.</summary>
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "vectors", name);
}

/// <summary>One entry of messages.json.</summary>
public sealed class MessageVector(JsonElement json)
{
    public JsonElement Json { get; } = json;
    public string Name => Json.GetProperty("name").GetString()!;
    public bool IsSmux => Json.TryGetProperty("kind", out var kind) && kind.GetString() == "smux";
    public byte[]? Bytes => Json.TryGetProperty("hex", out var hex) && hex.ValueKind == JsonValueKind.String ? Convert.FromHexString(hex.GetString()!) : null;
    public JsonElement Fields => Json.GetProperty("fields");
    public bool Accepted => Json.GetProperty("accepted_by_official").GetBoolean();
    public string? MadeBy => Json.TryGetProperty("madeBy", out var by) ? by.GetString() : null;
    public string? Receiver => Json.TryGetProperty("receiver", out var receiver) ? receiver.GetString() : null;

    /// <summary>What one official reader said of the message alone, before looking at its payload.</summary>
    public bool? HeaderAcceptedBy(string program) =>
        Json.TryGetProperty("verdicts", out var verdicts) && verdicts.ValueKind == JsonValueKind.Object && verdicts.TryGetProperty(program, out var verdict)
            ? verdict.GetProperty("accepted").GetBoolean()
            : null;

    public override string ToString() => Name;
}
