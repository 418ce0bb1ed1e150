using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Fumidai.Stacks;

/// <summary>An IPv4 range without host bits.</summary>
internal readonly record struct Ipv4Block(uint First, int Prefix)
{
    public uint Last => First | (uint)(0xFFFF_FFFFUL >> Prefix);

    /// <summary>Whether EC2 would take it for a VPC and nothing special is in it: private ranges, and the shared one of carriers.</summary>
    public bool IsUsable => IsWithin(0x0A00_0000, 8) || IsWithin(0xAC10_0000, 12) || IsWithin(0xC0A8_0000, 16) || IsWithin(0x6440_0000, 10);

    public static bool TryParse(string text, out Ipv4Block block)
    {
        block = default;
        if (text.Split('/') is not [var address, var bits] || !IPAddress.TryParse(address, out var parsed) || parsed.AddressFamily != AddressFamily.InterNetwork
            || address.Count(c => c == '.') != 3 || !int.TryParse(bits, NumberStyles.None, CultureInfo.InvariantCulture, out var prefix) || prefix is < 0 or > 32)
            return false;
        var bytes = parsed.GetAddressBytes();
        var first = (uint)(bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
        block = new Ipv4Block(first, prefix);
        return (first & (uint)(0xFFFF_FFFFUL >> prefix)) == 0;
    }

    public bool Overlaps(Ipv4Block other) => First <= other.Last && other.First <= Last;

    /// <summary>The <paramref name="index"/>th of the sixteen equal parts.</summary>
    public Ipv4Block Sixteenth(int index) => new(First + ((uint)index << (28 - Prefix)), Prefix + 4);

    public override string ToString() => $"{First >> 24}.{First >> 16 & 255}.{First >> 8 & 255}.{First & 255}/{Prefix}";

    private bool IsWithin(uint network, int prefix) => Prefix >= prefix && First >> (32 - prefix) == network >> (32 - prefix);
}
