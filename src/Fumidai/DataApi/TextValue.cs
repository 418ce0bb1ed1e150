using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace Fumidai;

/// <summary>The text of values that a client sent in PostgreSQL's binary format. Source: the types' receive functions (src/backend/utils/adt).</summary>
internal static class TextValue
{
    private static readonly UTF8Encoding s_utf8 = new(false, throwOnInvalidBytes: true);

    /// <exception cref="SqlFailure">22P03: no such value of that type; 0A000: a type whose binary form is not known here.</exception>
    public static string Read(PostgresType type, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return type.Element is not null ? Array(type, bytes) : Scalar(type, bytes);
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException)
        {
            throw new SqlFailure("22P03", $"incorrect binary data format for a value of type {type.Name}", e);
        }
    }

    private static string Scalar(PostgresType type, ReadOnlySpan<byte> bytes)
    {
        switch (type.Oid)
        {
            case 16:
                return bytes[0] == 0 ? "f" : "t";
            case 17:
                return "\\x" + Convert.ToHexStringLower(bytes);
            case 21:
                return BinaryPrimitives.ReadInt16BigEndian(bytes).ToString(CultureInfo.InvariantCulture);
            case 23:
                return BinaryPrimitives.ReadInt32BigEndian(bytes).ToString(CultureInfo.InvariantCulture);
            case 20:
                return BinaryPrimitives.ReadInt64BigEndian(bytes).ToString(CultureInfo.InvariantCulture);
            case 26 or 28 or 29:
                return BinaryPrimitives.ReadUInt32BigEndian(bytes).ToString(CultureInfo.InvariantCulture);
            case 700:
                return Double(BinaryPrimitives.ReadSingleBigEndian(bytes), BinaryPrimitives.ReadSingleBigEndian(bytes).ToString("R", CultureInfo.InvariantCulture));
            case 701:
                return Double(BinaryPrimitives.ReadDoubleBigEndian(bytes), BinaryPrimitives.ReadDoubleBigEndian(bytes).ToString("R", CultureInfo.InvariantCulture));
            case 1700:
                return NumericValue.Read(bytes);
            case 2950:
                return new Guid(bytes, bigEndian: true).ToString();
            case 1082:
                return TimeValue.DateText(BinaryPrimitives.ReadInt32BigEndian(bytes));
            case 1083:
                return TimeValue.TimeText(BinaryPrimitives.ReadInt64BigEndian(bytes));
            case 1266:
                var west = BinaryPrimitives.ReadInt32BigEndian(bytes[8..]);
                return TimeValue.TimeText(BinaryPrimitives.ReadInt64BigEndian(bytes)) + (west > 0 ? "-" : "+") + TimeValue.TimeText(Math.Abs((long)west) * TimeValue.Second);
            case 1114 or 1184:
                return TimeValue.TimestampText(BinaryPrimitives.ReadInt64BigEndian(bytes), type.Oid == 1184);
            case 1186:
                return TimeValue.IntervalText(BinaryPrimitives.ReadInt32BigEndian(bytes[12..]), BinaryPrimitives.ReadInt32BigEndian(bytes[8..]), BinaryPrimitives.ReadInt64BigEndian(bytes));
            case 3802:
                return bytes[0] == 1 ? s_utf8.GetString(bytes[1..]) : throw new ArgumentException("a version of jsonb that is not known");
            case 829 or 774:
                return string.Join(':', bytes.ToArray().Select(b => b.ToString("x2", CultureInfo.InvariantCulture)));
            case 650 or 869:
                return $"{new IPAddress(bytes[4..])}/{bytes[1].ToString(CultureInfo.InvariantCulture)}";
            case 1560 or 1562:
                return Bits(bytes);
            case 18 or 19 or 25 or 114 or 142 or 1042 or 1043 or 705:
                return s_utf8.GetString(bytes);
            default:
                return type.IsEnum ? s_utf8.GetString(bytes) : throw new SqlFailure("0A000", $"a parameter of type {type.Name} in binary form is not possible over the Data API; send text");
        }
    }

    private static string Double(double value, string text) => double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? value > 0 ? "Infinity" : "-Infinity" : text;

    private static string Bits(ReadOnlySpan<byte> bytes)
    {
        var count = BinaryPrimitives.ReadInt32BigEndian(bytes);
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
            text.Append((bytes[4 + (i / 8)] & (0x80 >> (i % 8))) == 0 ? '0' : '1');
        return text.ToString();
    }

    private static string Array(PostgresType type, ReadOnlySpan<byte> bytes)
    {
        var dimensions = BinaryPrimitives.ReadInt32BigEndian(bytes);
        if (dimensions is < 0 or > 6)
            throw new ArgumentException("a number of dimensions that no array has");
        bytes = bytes[12..];
        var (lengths, bounds, count) = (new List<int>(), new List<int>(), dimensions == 0 ? 0 : 1L);
        for (var i = 0; i < dimensions; i++, bytes = bytes[8..])
        {
            lengths.Add(BinaryPrimitives.ReadInt32BigEndian(bytes));
            bounds.Add(BinaryPrimitives.ReadInt32BigEndian(bytes[4..]));
            count *= lengths[^1];
        }
        // Each item has a length of four bytes at least.
        if (count < 0 || count * 4 > bytes.Length)
            throw new ArgumentException("more items than there are bytes");
        var items = new List<string?>();
        for (var i = 0; i < count; i++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes);
            bytes = bytes[4..];
            if (length >= 0)
            {
                items.Add(Read(type.Element!, bytes[..length]));
                bytes = bytes[length..];
            }
            else
            {
                items.Add(null);
            }
        }
        return new ArrayValue(lengths, bounds, items).ToString();
    }
}
