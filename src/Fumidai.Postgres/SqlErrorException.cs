namespace Fumidai.Postgres;

/// <summary>A statement that the server refused, field by field as it was told ("Error and Notice Message Fields").</summary>
public sealed class SqlErrorException : Exception
{
    private readonly IReadOnlyDictionary<char, string> _fields;

    /// <param name="fields">By field type.</param>
    public SqlErrorException(IReadOnlyDictionary<char, string> fields) : base(fields is null ? "" : fields.GetValueOrDefault('M', "")) => _fields = fields ?? new Dictionary<char, string>();

    /// <summary>One field; null: not told.</summary>
    /// <param name="type"><c>C</c> SQLSTATE, <c>M</c> message, <c>D</c> detail, <c>H</c> hint, <c>P</c> position …</param>
    public string? this[char type] => _fields.GetValueOrDefault(type);

    /// <summary>SQLSTATE.</summary>
    public string Code => this['C'] ?? "XX000";

    /// <summary>ERROR, FATAL or PANIC.</summary>
    public string Severity => this['V'] ?? this['S'] ?? "ERROR";
}
