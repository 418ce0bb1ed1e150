using System.Net;
using System.Net.Sockets;

namespace Fumidai;

/// <summary>Addresses and ranges as AWS writes them.</summary>
internal static class Ranges
{
    /// <summary>Whether a range, host bits or not, holds an address.</summary>
    internal static bool Hold(string? cidr, IPAddress address)
    {
        if (cidr?.Split('/') is not [var text, var bits] || !IPAddress.TryParse(text, out var network) || network.AddressFamily != address.AddressFamily
            || !int.TryParse(bits, System.Globalization.CultureInfo.InvariantCulture, out var length) || length < 0 || length > (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128))
            return false;
        var (left, right) = (network.GetAddressBytes(), address.GetAddressBytes());
        for (var bit = 0; bit < length; bit++)
        {
            if (((left[bit >> 3] ^ right[bit >> 3]) & (0x80 >> (bit & 7))) != 0)
                return false;
        }
        return true;
    }

    /// <summary>Length of a range's prefix.</summary>
    internal static int PrefixLength(string cidr) => int.TryParse(cidr.Split('/')[^1], System.Globalization.CultureInfo.InvariantCulture, out var length) ? length : 0;

    /// <summary>Some address of a subnet that a machine may have (the first four are AWS's own).</summary>
    internal static IPAddress? SomeOf(string cidr)
    {
        if (!IPAddress.TryParse(cidr.Split('/')[0], out var first))
            return null;
        var bytes = first.GetAddressBytes();
        bytes[^1] |= 5;
        return new IPAddress(bytes);
    }
}
