using System.Net;

namespace Fumidai.Lab;

/// <summary>
/// The mapping between a VPC's own range and this machine. A template may say 10.0.0.0/16; real servers bind, and dials arrive, on loopback
/// addresses. The model, its rules, routes and answers speak of the VPC's address; only where a socket is made is it exchanged for the one that
/// stands for it. Two VPCs may have the same range: their addresses stand apart. The seed's ranges are loopback and stand for themselves.
/// </summary>
internal sealed class LoopbackStands(int second = 86)
{
    // Within 127.86.0.0/16 the seed uses the first subnets, public addresses are in 254, the claim in 255.
    private const int FirstThird = 100;
    private const int LastThird = 239;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string VpcId, IPAddress Address), IPAddress> _stands = [];
    private readonly HashSet<IPAddress> _taken = [];
    private int _next;

    /// <summary>Second part of the lab's loopback block, for public addresses too.</summary>
    public int Second => second;

    /// <summary>The loopback address that stands for a VPC's address; the same at every call.</summary>
    public IPAddress Of(string vpcId, IPAddress address)
    {
        if (IPAddress.IsLoopback(address))
            return address;
        lock (_gate)
        {
            if (_stands.TryGetValue((vpcId, address), out var stand))
                return stand;
            var all = (LastThird - FirstThird + 1) * 250;
            for (var n = 0; n < all; n++)
            {
                var at = _next++ % all;
                var candidate = new IPAddress([127, (byte)second, (byte)(FirstThird + at / 250), (byte)(at % 250 + 1)]);
                if (_taken.Add(candidate))
                    return _stands[(vpcId, address)] = candidate;
            }
        }
        throw new LabException("no loopback address is left to stand for another");
    }

    /// <summary>Whether an address is of this lab's block, which no instance has for its own loopback.</summary>
    public bool IsOfBlock(IPAddress address) => address.GetAddressBytes() is [127, var part, _, _] && (part == second || part == second + 1);

    /// <summary>Whether an address can only stand for another: nothing may be dialled by it.</summary>
    public bool IsStand(IPAddress address) => address.GetAddressBytes() is [127, var part, >= FirstThird and <= LastThird, _] && part == second;

    /// <summary>The VPC is gone: what stood for its addresses is free.</summary>
    public void Forget(string vpcId)
    {
        lock (_gate)
        {
            foreach (var key in _stands.Keys.Where(k => k.VpcId == vpcId).ToList())
            {
                _taken.Remove(_stands[key]);
                _stands.Remove(key);
            }
        }
    }
}
