using System.Text.Json;

namespace Fumidai;

/// <summary>A resource policy read as far as a few plain actions need: Allow and Deny, Action and NotAction with wildcards. Conditions count as met by Allow and as not met by Deny.</summary>
internal static class PolicyReading
{
    /// <summary>The first of the actions that the document does not allow; null: it allows them all, or cannot be read.</summary>
    internal static string? Denied(string document, IEnumerable<string> actions)
    {
        try
        {
            using var json = JsonDocument.Parse(document);
            if (!json.RootElement.TryGetProperty("Statement", out var all))
                return null;
            var statements = all.ValueKind == JsonValueKind.Array ? all.EnumerateArray().ToList() : [all];
            return actions.FirstOrDefault(a => !statements.Exists(s => Is(s, "Allow") && Names(s, a)) || statements.Exists(s => Is(s, "Deny") && !s.TryGetProperty("Condition", out _) && Names(s, a)));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool Is(JsonElement statement, string effect) => statement.TryGetProperty("Effect", out var e) && e.ValueEquals(effect);

    private static bool Names(JsonElement statement, string action)
    {
        if (statement.TryGetProperty("Action", out var actions))
            return Texts(actions).Any(p => Matches(p, action));
        return statement.TryGetProperty("NotAction", out var others) && !Texts(others).Any(p => Matches(p, action));
    }

    private static IEnumerable<string> Texts(JsonElement value) => value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(v => v.GetString() ?? "") : [value.GetString() ?? ""];

    private static bool Matches(string pattern, string text) => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, text, ignoreCase: true);
}
