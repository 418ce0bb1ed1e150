using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>One condition: every operator must hold, any of its values suffices.</summary>
internal sealed record PolicyCondition(string Operator, string Key, IReadOnlyList<string> Values);

/// <summary>One statement of a policy. Exactly one of Actions and NotActions is set, likewise for resources; trust policies have principals instead.</summary>
internal sealed record PolicyStatement(bool IsAllow, IReadOnlyList<string>? Actions, IReadOnlyList<string>? NotActions,
    IReadOnlyList<string>? Resources, IReadOnlyList<string>? NotResources, IReadOnlyList<string>? Principals, IReadOnlyList<PolicyCondition> Conditions);

/// <summary>A policy document as IAM's grammar has it.</summary>
internal sealed record PolicyDocument(IReadOnlyList<PolicyStatement> Statements)
{
    /// <summary>Reads a document.</summary>
    /// <exception cref="AwsError">MalformedPolicyDocument, as IAM answers.</exception>
    public static PolicyDocument Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("Statement", out var statements))
                throw Malformed("Syntax errors in policy.");
            return new PolicyDocument([.. (statements.ValueKind == JsonValueKind.Array ? statements.EnumerateArray().ToArray() : [statements]).Select(Statement)]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Malformed("Syntax errors in policy.");
        }
    }

    private static AwsError Malformed(string message) => new("MalformedPolicyDocument", message);

    private static PolicyStatement Statement(JsonElement statement)
    {
        IReadOnlyList<string>? List(string name) => statement.TryGetProperty(name, out var value) ? Strings(value) : null;

        var effect = statement.TryGetProperty("Effect", out var e) ? e.GetString() : null;
        if (effect is not ("Allow" or "Deny"))
            throw Malformed("Syntax errors in policy.");
        var actions = List("Action");
        var notActions = List("NotAction");
        if (actions is null == notActions is null)
            throw Malformed("Policy statement must contain actions.");
        if (actions is not null && actions.Any(a => a != "*" && !a.Contains(':', StringComparison.Ordinal)))
            throw Malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
        IReadOnlyList<string>? principals = null;
        if (statement.TryGetProperty("Principal", out var principal))
            principals = principal.ValueKind == JsonValueKind.Object ? [.. principal.EnumerateObject().SelectMany(p => Strings(p.Value))] : Strings(principal);
        var resources = List("Resource");
        var notResources = List("NotResource");
        if (principals is null && resources is null == notResources is null)
            throw Malformed("Policy statement must contain resources.");
        var conditions = new List<PolicyCondition>();
        if (statement.TryGetProperty("Condition", out var condition))
        {
            foreach (var group in condition.EnumerateObject())
            {
                if (!PolicyConditions.IsKnown(group.Name))
                    throw Malformed($"Invalid Condition type : {group.Name}.");
                foreach (var key in group.Value.EnumerateObject())
                    conditions.Add(new PolicyCondition(group.Name, key.Name, Strings(key.Value)));
            }
        }
        return new PolicyStatement(effect == "Allow", actions, notActions, resources, notResources, principals, conditions);
    }

    private static string[] Strings(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => [.. value.EnumerateArray().Select(One)],
        _ => [One(value)],
    };

    private static string One(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Number => value.GetRawText(),
        _ => throw Malformed("Syntax errors in policy."),
    };
}
