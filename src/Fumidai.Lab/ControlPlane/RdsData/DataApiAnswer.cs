using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Fumidai.Postgres;

namespace Fumidai.Lab;

/// <summary>
/// A result in the Data API's shape. Lab only where it says how types are told: AWS's copies name the unsupported ones (multidimensional arrays,
/// geometric, money) and end with "and others"; here everything that has no obvious field is refused, so that a client learns to do without.
/// </summary>
internal sealed class DataApiAnswer(IReadOnlyDictionary<uint, DataApiType> types, bool decimalsAsNumbers, bool longsAsStrings)
{
    private const uint Bool = 16, Bytea = 17, Int8 = 20, Int2 = 21, Int4 = 23, Oid = 26, Float4 = 700, Float8 = 701, TimestampTz = 1184, Numeric = 1700;

    /// <summary>char, name, text, json, xml, cidr, macaddr8, macaddr, inet, bpchar, varchar, date, time, timestamp, interval, timetz, bit, varbit, uuid, jsonb.</summary>
    private static readonly HashSet<uint> s_texts = [18, 19, 25, 114, 142, 650, 774, 829, 869, 1042, 1043, 1082, 1083, 1114, 1186, 1266, 1560, 1562, 2950, 3802];

    public void WriteRecords(Utf8JsonWriter w, IReadOnlyList<QueryColumn> columns, IReadOnlyList<ReadOnlyMemory<byte>?[]> rows)
    {
        w.WriteStartArray("records");
        foreach (var row in rows)
        {
            w.WriteStartArray();
            for (var i = 0; i < columns.Count; i++)
                WriteField(w, types[columns[i].TypeOid], row[i]);
            w.WriteEndArray();
        }
        w.WriteEndArray();
    }

    /// <summary>One object a row with the labels as names; PostgreSQL's text of a type that has no JSON of its own.</summary>
    public string FormatRecords(IReadOnlyList<QueryColumn> columns, IReadOnlyList<ReadOnlyMemory<byte>?[]> rows)
    {
        using var bytes = new MemoryStream();
        using (var w = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            w.WriteStartArray();
            foreach (var row in rows)
            {
                w.WriteStartObject();
                for (var i = 0; i < columns.Count; i++)
                {
                    w.WritePropertyName(columns[i].Name);
                    if (row[i] is not { } value)
                        w.WriteNullValue();
                    else if (columns[i].TypeOid == Bool)
                        w.WriteBooleanValue(value.Span[0] == (byte)'t');
                    else if (columns[i].TypeOid is Int2 or Int4 or Int8 or Float4 or Float8 or Numeric && IsNumber(value.Span))
                        w.WriteRawValue(value.Span);
                    else
                        w.WriteStringValue(value.Span);
                }
                w.WriteEndObject();
            }
            w.WriteEndArray();
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    public void WriteMetadata(Utf8JsonWriter w, IReadOnlyList<QueryColumn> columns)
    {
        w.WriteStartArray("columnMetadata");
        foreach (var column in columns)
        {
            var type = types[column.TypeOid];
            var (precision, scale) = Size(column);
            w.WriteStartObject();
            w.WriteNumber("arrayBaseColumnType", 0);
            w.WriteBoolean("isAutoIncrement", false);
            w.WriteBoolean("isCaseSensitive", type.Category == 'S');
            w.WriteBoolean("isCurrency", false);
            w.WriteBoolean("isSigned", type.Category == 'N');
            w.WriteString("label", column.Name);
            w.WriteString("name", column.Name);
            w.WriteNumber("nullable", 2);
            w.WriteNumber("precision", precision);
            w.WriteNumber("scale", scale);
            w.WriteString("schemaName", "");
            w.WriteString("tableName", "");
            w.WriteNumber("type", JdbcType(column.TypeOid, type));
            w.WriteString("typeName", type.Name);
            w.WriteEndObject();
        }
        w.WriteEndArray();
    }

    private void WriteField(Utf8JsonWriter w, DataApiType type, ReadOnlyMemory<byte>? value)
    {
        if (!IsSupported(type))
            throw Unsupported(type);
        w.WriteStartObject();
        if (value is not { } bytes)
            w.WriteBoolean("isNull", true);
        else if (type.Element != 0)
            WriteArray(w, type, Encoding.UTF8.GetString(bytes.Span));
        else
            WriteScalar(w, type, bytes.Span);
        w.WriteEndObject();
    }

    private void WriteScalar(Utf8JsonWriter w, DataApiType type, ReadOnlySpan<byte> value)
    {
        switch (type.Oid)
        {
            case Bool:
                w.WriteBoolean("booleanValue", value[0] == (byte)'t');
                break;
            case Int2 or Int4 or Int8 or Oid when !longsAsStrings:
                w.WritePropertyName("longValue");
                w.WriteRawValue(value);
                break;
            case Float4 or Float8 when IsNumber(value):
            case Numeric when decimalsAsNumbers && IsNumber(value):
                w.WritePropertyName(type.Oid == Numeric && !value.ContainsAny((byte)'.', (byte)'e') && value.Length <= 18 ? "longValue" : "doubleValue");
                w.WriteRawValue(value);
                break;
            case Bytea:
                w.WriteBase64String("blobValue", Convert.FromHexString(Encoding.ASCII.GetString(value[2..])));
                break;
            case TimestampTz:
                // The session's zone is UTC; the offset is left out.
                w.WriteString("stringValue", value.EndsWith("+00"u8) ? value[..^3] : value);
                break;
            default:
                w.WriteString("stringValue", value);
                break;
        }
    }

    private void WriteArray(Utf8JsonWriter w, DataApiType type, string text)
    {
        var items = ArrayText.Split(text) ?? throw Unsupported(type);
        w.WriteStartObject("arrayValue");
        var (member, isNumber) = type.Element switch
        {
            Bool => ("booleanValues", false),
            Int2 or Int4 or Int8 or Oid => ("longValues", true),
            Float4 or Float8 => ("doubleValues", true),
            _ => ("stringValues", false),
        };
        w.WriteStartArray(member);
        foreach (var item in items)
        {
            if (item is null)
                w.WriteNullValue();
            else if (type.Element == Bool)
                w.WriteBooleanValue(item == "t");
            else if (isNumber && IsNumber(Encoding.UTF8.GetBytes(item)))
                w.WriteRawValue(item);
            else
                w.WriteStringValue(item);
        }
        w.WriteEndArray();
        w.WriteEndObject();
    }

    private bool IsSupported(DataApiType type) => type.Element != 0 ? types.TryGetValue(type.Element, out var element) && element.Element == 0 && IsSupported(element)
        : type.Kind == 'e' || s_texts.Contains(type.Oid) || type.Oid is Bool or Bytea or Int2 or Int4 or Int8 or Oid or Float4 or Float8 or TimestampTz or Numeric;

    private static AwsError Unsupported(DataApiType type) => new("UnsupportedResultException", $"The result contains the unsupported data type {type.Name.ToUpperInvariant()}.");

    private static bool IsNumber(ReadOnlySpan<byte> value) => value.Length > 0 && (char.IsAsciiDigit((char)value[^1])) && !value.ContainsAnyInRange((byte)'A', (byte)'Z');

    private static (int Precision, int Scale) Size(QueryColumn column)
    {
        var modifier = column.TypeModifier;
        return column.TypeOid switch
        {
            Numeric when modifier >= 4 => (((modifier - 4) >> 16) & 0xFFFF, ((((modifier - 4) & 0x7FF) ^ 1024) - 1024)),
            1042 or 1043 when modifier >= 4 => (modifier - 4, 0),
            1042 or 1043 or 25 => (int.MaxValue, 0),
            1083 or 1114 or 1184 or 1266 => (29, modifier >= 0 ? modifier : 6),
            Int2 => (5, 0),
            Int4 => (10, 0),
            Int8 => (19, 0),
            Float4 => (8, 8),
            Float8 => (17, 17),
            Bool => (1, 0),
            _ => (0, 0),
        };
    }

    /// <summary>java.sql.Types.</summary>
    private static int JdbcType(uint oid, DataApiType type) => oid switch
    {
        Bool or 1560 => -7,
        Int2 => 5,
        Int4 => 4,
        Int8 or Oid => -5,
        Float4 => 7,
        Float8 => 8,
        Numeric => 2,
        Bytea => -2,
        1082 => 91,
        1083 or 1266 => 92,
        1114 or TimestampTz => 93,
        18 or 1042 => 1,
        _ when type.Element != 0 => 2003,
        _ when type.Kind == 'e' || type.Category == 'S' => 12,
        _ => 1111,
    };
}

/// <summary>PostgreSQL's text of an array.</summary>
internal static class ArrayText
{
    /// <summary>Elements of a one-dimensional array that begins at 1; null: it is of another shape.</summary>
    public static IReadOnlyList<string?>? Split(string text)
    {
        if (text.Length < 2 || text[0] != '{')
            return null;
        var items = new List<string?>();
        for (var at = 1; text[at] != '}' || items.Count > 0;)
        {
            if (text[at] == '{')
                return null;
            var item = new StringBuilder();
            var isQuoted = text[at] == '"';
            for (at += isQuoted ? 1 : 0; isQuoted ? text[at] != '"' : text[at] is not (',' or '}'); at++)
                item.Append(text[at] == '\\' ? text[++at] : text[at]);
            items.Add(!isQuoted && item.Equals("NULL") ? null : item.ToString());
            at += isQuoted ? 1 : 0;
            if (text[at++] == '}')
                break;
        }
        return items;
    }
}
