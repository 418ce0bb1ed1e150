using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>PostgreSQL's binary format of the built-in types, made of their text. Source: the types' send functions (src/backend/utils/adt).</summary>
internal static class BinaryValue
{
    /// <exception cref="SqlFailure">0A000: a type whose binary form cannot be made here.</exception>
    public static byte[] Write(PostgresType type, string text)
    {
        try
        {
            return type.Element is not null ? Array(type, text) : Scalar(type, text);
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException or IndexOutOfRangeException)
        {
            throw new SqlFailure("0A000", $"a value of type {type.Name} cannot be put into binary form; ask for text", e);
        }
    }

    private static byte[] Scalar(PostgresType type, string text)
    {
        var bytes = new byte[16];
        switch (type.Oid)
        {
            case 16:
                return [(byte)(text == "t" ? 1 : 0)];
            case 17:
                return text.StartsWith("\\x", StringComparison.Ordinal) ? Convert.FromHexString(text.AsSpan(2)) : throw new FormatException();
            case 21:
                BinaryPrimitives.WriteInt16BigEndian(bytes, short.Parse(text, CultureInfo.InvariantCulture));
                return bytes[..2];
            case 23:
                BinaryPrimitives.WriteInt32BigEndian(bytes, int.Parse(text, CultureInfo.InvariantCulture));
                return bytes[..4];
            case 20:
                BinaryPrimitives.WriteInt64BigEndian(bytes, long.Parse(text, CultureInfo.InvariantCulture));
                return bytes[..8];
            case 26 or 28 or 29:
                BinaryPrimitives.WriteUInt32BigEndian(bytes, uint.Parse(text, CultureInfo.InvariantCulture));
                return bytes[..4];
            case 700:
                BinaryPrimitives.WriteSingleBigEndian(bytes, (float)Double(text));
                return bytes[..4];
            case 701:
                BinaryPrimitives.WriteDoubleBigEndian(bytes, Double(text));
                return bytes[..8];
            case 1700:
                return NumericValue.Write(text);
            case 2950:
                return Guid.Parse(text).ToByteArray(bigEndian: true);
            case 1082:
                BinaryPrimitives.WriteInt32BigEndian(bytes, TimeValue.Date(text));
                return bytes[..4];
            case 1083:
                BinaryPrimitives.WriteInt64BigEndian(bytes, TimeValue.Time(text));
                return bytes[..8];
            case 1266:
                var zone = text.AsSpan().IndexOfAny('+', '-');
                BinaryPrimitives.WriteInt64BigEndian(bytes, TimeValue.Time(text[..zone]));
                // Seconds west of Greenwich.
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), (int)(-TimeValue.Zone(text[zone..]) / TimeValue.Second));
                return bytes[..12];
            case 1114 or 1184:
                BinaryPrimitives.WriteInt64BigEndian(bytes, TimeValue.Timestamp(text));
                return bytes[..8];
            case 1186:
                var (months, days, time) = TimeValue.Interval(text);
                BinaryPrimitives.WriteInt64BigEndian(bytes, time);
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), days);
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(12), months);
                return bytes;
            case 3802:
                return [1, .. Encoding.UTF8.GetBytes(text)];
            case 829 or 774:
                return Convert.FromHexString(text.Replace(":", "", StringComparison.Ordinal));
            case 650 or 869:
                return Address(text, isCidr: type.Oid == 650);
            case 1560 or 1562:
                return Bits(text);
            case 2278:
                return [];
            case 18 or 19 or 25 or 114 or 142 or 1042 or 1043 or 705:
                return Encoding.UTF8.GetBytes(text);
            default:
                // Enums are sent as their text; they live above the built-in OIDs, as do other types that are not.
                return type.IsEnum ? Encoding.UTF8.GetBytes(text) : throw new FormatException();
        }
    }

    private static double Double(string text) => text switch
    {
        "NaN" => double.NaN,
        "Infinity" => double.PositiveInfinity,
        "-Infinity" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    private static byte[] Address(string text, bool isCidr)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var address = IPAddress.Parse(slash < 0 ? text : text[..slash]).GetAddressBytes();
        var bits = slash < 0 ? address.Length * 8 : int.Parse(text.AsSpan(slash + 1), CultureInfo.InvariantCulture);
        return [(byte)(address.Length == 4 ? 2 : 3), (byte)bits, (byte)(isCidr ? 1 : 0), (byte)address.Length, .. address];
    }

    private static byte[] Bits(string text)
    {
        var bytes = new byte[4 + ((text.Length + 7) / 8)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, text.Length);
        for (var i = 0; i < text.Length; i++)
            bytes[4 + (i / 8)] |= (byte)(text[i] == '1' ? 0x80 >> (i % 8) : 0);
        return bytes;
    }

    private static byte[] Array(PostgresType type, string text)
    {
        var array = ArrayValue.Parse(text, type.Element!.Oid == 603 ? ';' : ',');
        var writer = new MessageWriter();
        writer.Int32(array.Lengths.Count).Int32(array.Items.Contains(null) ? 1 : 0).Int32((int)type.Element!.Oid);
        for (var i = 0; i < array.Lengths.Count; i++)
            writer.Int32(array.Lengths[i]).Int32(array.Bounds[i]);
        foreach (var item in array.Items)
        {
            // Not one expression for both: a null byte[] would become an empty value.
            if (item is null)
                writer.Int32(-1);
            else
                writer.Value(Write(type.Element, item));
        }
        return writer.Written.ToArray();
    }
}
