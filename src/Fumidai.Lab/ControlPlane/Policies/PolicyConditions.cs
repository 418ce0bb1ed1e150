using System.Net;

namespace Fumidai.Lab;

/// <summary>
/// The condition operators that policies around Session Manager use. A document with another is refused when it is put (AWS has more: numbers,
/// dates, binary), rather than read as if the condition were not there.
/// </summary>
internal static class PolicyConditions
{
    private const string IfExists = "IfExists";

    private static readonly HashSet<string> s_operators = new(StringComparer.Ordinal)
    {
        "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike",
        "Bool", "IpAddress", "NotIpAddress", "Null",
    };

    public static bool IsKnown(string name) => s_operators.Contains(Plain(name));

    /// <summary>Whether a condition holds. <paramref name="value"/> null: the request has no such key.</summary>
    public static bool Holds(PolicyCondition condition, string? value, Func<string, string> expand)
    {
        var plain = Plain(condition.Operator);
        if (plain == "Null")
            return condition.Values.Any(v => string.Equals(v, "true", StringComparison.OrdinalIgnoreCase) == value is null);
        var isNegative = plain is "StringNotEquals" or "StringNotLike" or "ArnNotEquals" or "ArnNotLike" or "NotIpAddress";
        // A missing key satisfies …IfExists, ForAllValues and the negated operators, and nothing else.
        if (value is null)
            return isNegative || condition.Operator.EndsWith(IfExists, StringComparison.Ordinal) || condition.Operator.StartsWith("ForAllValues:", StringComparison.Ordinal);
        var wanted = condition.Values.Select(expand);
        return plain switch
        {
            "StringEquals" => wanted.Contains(value, StringComparer.Ordinal),
            "StringNotEquals" => !wanted.Contains(value, StringComparer.Ordinal),
            "StringEqualsIgnoreCase" or "Bool" => wanted.Contains(value, StringComparer.OrdinalIgnoreCase),
            "StringLike" or "ArnEquals" or "ArnLike" => wanted.Any(w => Wildcard.Matches(w, value)),
            "StringNotLike" or "ArnNotEquals" or "ArnNotLike" => !wanted.Any(w => Wildcard.Matches(w, value)),
            "IpAddress" => wanted.Any(w => InRange(w, value)),
            "NotIpAddress" => !wanted.Any(w => InRange(w, value)),
            _ => false,
        };
    }

    private static string Plain(string name)
    {
        foreach (var prefix in (string[])["ForAnyValue:", "ForAllValues:"])
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
                name = name[prefix.Length..];
        }
        return name.EndsWith(IfExists, StringComparison.Ordinal) ? name[..^IfExists.Length] : name;
    }

    private static bool InRange(string range, string address) => IPAddress.TryParse(address, out var ip)
        && (IPNetwork.TryParse(range, out var network) ? network.Contains(ip) : IPAddress.TryParse(range, out var one) && one.Equals(ip));
}

/// <summary>IAM's and EC2's wildcards: <c>*</c> any text, <c>?</c> any one character.</summary>
internal static class Wildcard
{
    public static bool Matches(string pattern, string text, StringComparison comparison = StringComparison.Ordinal)
    {
        // Greedy with one step back to the last star: linear in practice, no recursion.
        int p = 0, t = 0, star = -1, mark = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                mark = t;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || text.AsSpan(t, 1).Equals(pattern.AsSpan(p, 1), comparison)))
            {
                p++;
                t++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++mark;
            }
            else
            {
                return false;
            }
        }
        return pattern.AsSpan(p).TrimStart('*').IsEmpty;
    }
}
