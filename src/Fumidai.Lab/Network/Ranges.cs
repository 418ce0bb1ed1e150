using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Fumidai.Lab;

/// <summary>Arithmetic of IPv4 ranges.</summary>
internal static class Ranges
{
    public static uint Number(IPAddress address) => BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());

    public static IPAddress Address(uint number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes);
    }

    public static uint Last(IPNetwork range) => Number(range.BaseAddress) + (uint)((1UL << (32 - range.PrefixLength)) - 1);

    public static bool Overlap(IPNetwork a, IPNetwork b) => Number(a.BaseAddress) <= Last(b) && Number(b.BaseAddress) <= Last(a);

    public static bool Holds(IPNetwork outer, IPNetwork inner) => outer.Contains(inner.BaseAddress) && inner.PrefixLength >= outer.PrefixLength;

    /// <summary>Reads a range in dotted form. EC2 clears its host bits (10.0.0.1/16 becomes 10.0.0.0/16).</summary>
    public static bool TryParse(string cidr, out IPNetwork range)
    {
        range = default;
        if (cidr.Split('/') is not [var address, var length] || address.Count(c => c == '.') != 3 || !IPAddress.TryParse(address, out var ip) || ip.AddressFamily != AddressFamily.InterNetwork
            || !int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) || bits > 32)
            return false;
        range = new IPNetwork(Address(bits == 0 ? 0 : Number(ip) & (uint.MaxValue << (32 - bits))), bits);
        return true;
    }

    /// <summary>The blocks that Fn::Cidr cuts from a range: <paramref name="count"/> of them with <paramref name="hostBits"/> host bits each; null: they do not fit.</summary>
    public static IReadOnlyList<string>? Cut(IPNetwork range, int count, int hostBits)
    {
        if (count is < 1 or > 256 || hostBits < 1 || hostBits > 32 - range.PrefixLength || ((ulong)count << hostBits) > 1UL << (32 - range.PrefixLength))
            return null;
        return [.. Enumerable.Range(0, count).Select(n => $"{Address(Number(range.BaseAddress) + ((uint)n << hostBits))}/{32 - hostBits}")];
    }
}
