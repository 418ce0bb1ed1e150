using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Fumidai;

/// <summary>Numeric in binary: digits to the base of 10,000, the weight of the first, a sign, and how many decimals are shown.</summary>
internal static class NumericValue
{
    private const ushort Negative = 0x4000, NaN = 0xC000, PositiveInfinity = 0xD000, NegativeInfinity = 0xF000;

    public static byte[] Write(string text)
    {
        if (text is "NaN" or "Infinity" or "-Infinity")
            return Packed([], 0, text switch { "NaN" => NaN, "Infinity" => PositiveInfinity, _ => NegativeInfinity }, 0);
        var isNegative = text[0] == '-';
        var digits = isNegative ? text[1..] : text;
        var point = digits.IndexOf('.', StringComparison.Ordinal);
        var (whole, part) = point < 0 ? (digits, "") : (digits[..point], digits[(point + 1)..]);
        var scale = part.Length;
        whole = whole.TrimStart('0');
        whole = whole.PadLeft((whole.Length + 3) / 4 * 4, '0');
        part = part.PadRight((part.Length + 3) / 4 * 4, '0');
        var groups = new List<short>();
        foreach (var run in (string[])[whole, part])
        {
            for (var i = 0; i < run.Length; i += 4)
                groups.Add(short.Parse(run.AsSpan(i, 4), NumberStyles.None, CultureInfo.InvariantCulture));
        }
        var weight = (whole.Length / 4) - 1;
        while (groups.Count > 0 && groups[0] == 0)
        {
            groups.RemoveAt(0);
            weight--;
        }
        while (groups.Count > 0 && groups[^1] == 0)
            groups.RemoveAt(groups.Count - 1);
        return Packed(groups, groups.Count == 0 ? 0 : weight, isNegative ? Negative : (ushort)0, scale);
    }

    public static string Read(ReadOnlySpan<byte> bytes)
    {
        int count = BinaryPrimitives.ReadUInt16BigEndian(bytes), weight = BinaryPrimitives.ReadInt16BigEndian(bytes[2..]), scale = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]);
        var sign = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        if (sign is NaN or PositiveInfinity or NegativeInfinity)
            return sign switch { NaN => "NaN", PositiveInfinity => "Infinity", _ => "-Infinity" };
        var text = new StringBuilder();
        for (var i = 0; i <= weight; i++)
            text.Append(Group(bytes, i, count).ToString("0000", CultureInfo.InvariantCulture));
        var whole = text.ToString().TrimStart('0');
        text.Clear();
        for (var i = weight + 1; text.Length < scale; i++)
            text.Append(Group(bytes, i, count).ToString("0000", CultureInfo.InvariantCulture));
        return (sign == Negative ? "-" : "") + (whole.Length == 0 ? "0" : whole) + (scale > 0 ? "." + text.ToString(0, scale) : "");
    }

    private static short Group(ReadOnlySpan<byte> bytes, int at, int count) => at >= 0 && at < count ? BinaryPrimitives.ReadInt16BigEndian(bytes[(8 + (2 * at))..]) : (short)0;

    private static byte[] Packed(List<short> groups, int weight, ushort sign, int scale)
    {
        var bytes = new byte[8 + (2 * groups.Count)];
        BinaryPrimitives.WriteInt16BigEndian(bytes, (short)groups.Count);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(2), checked((short)weight));
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), sign);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(6), checked((ushort)scale));
        for (var i = 0; i < groups.Count; i++)
            BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(8 + (2 * i)), groups[i]);
        return bytes;
    }
}
