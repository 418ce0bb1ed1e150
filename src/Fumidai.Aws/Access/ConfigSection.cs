namespace Fumidai.Aws;

/// <summary>One section of the AWS configuration files: keys in lower case, and one level of nested keys (<c>services</c>).</summary>
internal sealed class ConfigSection(string name)
{
    private readonly Dictionary<string, string> _values = new(StringComparer.OrdinalIgnoreCase);

    public string Name { get; } = name;

    /// <summary>The value, or null when it is missing or empty.</summary>
    public string? this[string key] => _values.TryGetValue(key, out var value) && value.Length > 0 ? value : null;

    /// <summary>A nested value, e.g. <c>ssm</c> → <c>endpoint_url</c>.</summary>
    public string? this[string key, string nested] => this[Nested(key, nested)];

    public bool Has(string key) => this[key] is not null;

    public void Set(string key, string value) => _values[key] = value;

    public void Set(string key, string nested, string value) => _values[Nested(key, nested)] = value;

    private static string Nested(string key, string nested) => $"{key}\n{nested}";
}
