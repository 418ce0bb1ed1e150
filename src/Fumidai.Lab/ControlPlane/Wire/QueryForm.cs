using System.Globalization;

namespace Fumidai.Lab;

/// <summary>The parameters of a query or ec2 call, read as these protocols write lists and structures.</summary>
internal sealed class QueryForm(IReadOnlyDictionary<string, string> form, AwsProtocol protocol)
{
    public static QueryForm Of(AwsCall call, AwsProtocol protocol) => new(call.Form!, protocol);

    public string? Text(string name) => form.GetValueOrDefault(name);

    /// <exception cref="AwsError">Missing, in the words of the protocol.</exception>
    public string Required(string name) => form.TryGetValue(name, out var value) && value.Length > 0 ? value : throw Missing(name);

    public AwsError Missing(string name) => protocol == AwsProtocol.Ec2
        ? new("MissingParameter", $"The request must contain the parameter {name}")
        : new("MissingParameter", $"The request must contain the parameter {name}.");

    public bool? Flag(string name) => Text(name) switch
    {
        null => null,
        "true" or "True" => true,
        "false" or "False" => false,
        var other => throw new AwsError("InvalidParameterValue", $"Invalid value '{other}' for boolean parameter {name}"),
    };

    public int? Number(string name)
    {
        if (Text(name) is not { } text)
            return null;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new AwsError("InvalidParameterValue", $"Invalid value '{text}' for integer parameter {name}");
    }

    public double? Real(string name)
    {
        if (Text(name) is not { } text)
            return null;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new AwsError("InvalidParameterValue", $"Invalid value '{text}' for parameter {name}");
    }

    /// <summary>NAME.1, NAME.2 …</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        var values = new List<string>();
        for (var i = 1; Text($"{name}.{i}") is { } value; i++)
            values.Add(value);
        return values;
    }

    /// <summary>The prefixes NAME.1, NAME.2 … of structures that have at least one member.</summary>
    public IReadOnlyList<string> Structures(string name)
    {
        // One pass over the parameters, so that a call of many structures costs no more than its size.
        var below = name + ".";
        var numbers = form.Keys.Where(k => k.StartsWith(below, StringComparison.Ordinal))
            .Select(k => k.AsSpan(below.Length) is var rest && rest.IndexOf('.') is > 0 and var dot && int.TryParse(rest[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)
            .Where(n => n > 0).ToHashSet();
        var prefixes = new List<string>();
        for (var i = 1; numbers.Contains(i); i++)
            prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"{name}.{i}"));
        return prefixes;
    }

    /// <summary>Whether any parameter stands below this prefix.</summary>
    public bool Has(string prefix) => form.Keys.Any(k => k.StartsWith(prefix + ".", StringComparison.Ordinal));
}

/// <summary>One filter of a describe call.</summary>
internal sealed record Filter(string Name, IReadOnlyList<string> Values);
