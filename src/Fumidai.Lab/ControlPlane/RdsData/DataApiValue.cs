using System.Globalization;
using System.Text;
using System.Text.Json;
using Fumidai.Postgres;

namespace Fumidai.Lab;

/// <summary>Parameters as the Data API takes them: a union of kinds, with a hint for strings (aws-facts §4.1).</summary>
internal static class DataApiValue
{
    private const uint Bool = 16, Bytea = 17, Int8 = 20, Float8 = 701, Varchar = 1043, Date = 1082, Time = 1083, Timestamp = 1114, Numeric = 1700, Uuid = 2950, Jsonb = 3802;

    /// <summary>The values of a statement's parameters, in the order of their numbers.</summary>
    public static List<QueryParameter> Read(IReadOnlyList<string> names, JsonElement? set)
    {
        var given = new Dictionary<string, QueryParameter>(StringComparer.Ordinal);
        if (set is { ValueKind: JsonValueKind.Array } list)
        {
            foreach (var parameter in list.EnumerateArray())
            {
                if (parameter.ValueKind != JsonValueKind.Object || !parameter.TryGetProperty("name", out var name) || name.GetString() is not { Length: > 0 } known)
                    throw new AwsError("BadRequestException", "Named parameters are required: a parameter has no name.");
                given[known] = Of(known, parameter);
            }
        }
        return [.. names.Select(name => given.TryGetValue(name, out var value) ? value : throw new AwsError("BadRequestException", $"Cannot find parameter: {name}"))];
    }

    private static QueryParameter Of(string name, JsonElement parameter)
    {
        if (!parameter.TryGetProperty("value", out var value) || value.ValueKind != JsonValueKind.Object)
            throw new AwsError("BadRequestException", $"Parameter {name} has no value.");
        var hint = parameter.TryGetProperty("typeHint", out var told) ? told.GetString() : null;
        foreach (var member in value.EnumerateObject())
        {
            switch (member.Name)
            {
                case "isNull" when member.Value.ValueKind == JsonValueKind.True:
                    return new(Hinted(hint) ?? 0, null);
                case "booleanValue" when member.Value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                    return Text(Bool, member.Value.GetBoolean() ? "true" : "false");
                case "longValue" when member.Value.TryGetInt64(out var number):
                    return Text(Int8, number.ToString(CultureInfo.InvariantCulture));
                case "doubleValue" when member.Value.ValueKind == JsonValueKind.Number:
                    return Text(Float8, member.Value.GetRawText());
                case "stringValue" when member.Value.GetString() is { } text:
                    return Text(Hinted(hint) ?? Varchar, text);
                case "blobValue" when member.Value.TryGetBytesFromBase64(out var bytes):
                    return Text(Bytea, "\\x" + Convert.ToHexStringLower(bytes));
                case "arrayValue" when member.Value.ValueKind != JsonValueKind.Null:
                    throw new AwsError("ValidationException", "Array parameters are not supported.");
            }
        }
        throw new AwsError("BadRequestException", $"Parameter {name} has a value of no known kind.");
    }

    private static QueryParameter Text(uint type, string text) => new(type, Encoding.UTF8.GetBytes(text));

    private static uint? Hinted(string? hint) => hint switch
    {
        null => null,
        "JSON" => Jsonb,
        "UUID" => Uuid,
        "TIMESTAMP" => Timestamp,
        "DATE" => Date,
        "TIME" => Time,
        "DECIMAL" => Numeric,
        _ => throw new AwsError("ValidationException", $"1 validation error detected: Value '{hint}' at 'typeHint' failed to satisfy constraint: Member must satisfy enum value set: [JSON, UUID, TIMESTAMP, DATE, TIME, DECIMAL]"),
    };
}
