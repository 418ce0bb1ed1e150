using System.Net;
using System.Net.Sockets;

namespace Fumidai.Lab;

/// <summary>
/// The loopback addresses that stand for a lab's private and public ones: 127.86.0.0/16 for the seed's region and 127.87.0.0/16 for the second.
/// Where another lab runs on this machine already, the next free pair is taken; the claim is a bound socket and ends with the process.
/// </summary>
internal sealed class AddressPlan : IDisposable
{
    private const int ClaimPort = 8686;
    private readonly Socket? _claim;

    private AddressPlan(int second, Socket? claim)
    {
        Second = second;
        _claim = claim;
    }

    private int Second { get; }

    /// <summary>The seed's network.</summary>
    public IPNetwork Main => IPNetwork.Parse($"127.{Second}.0.0/16");

    /// <summary>The second region's network.</summary>
    public IPNetwork Other => IPNetwork.Parse($"127.{Second + 1}.0.0/16");

    /// <summary>An address of the seed's network.</summary>
    public IPAddress Address(int third, int fourth) => IPAddress.Parse($"127.{Second}.{third}.{fourth}");

    /// <summary>A subnet of the seed's network.</summary>
    public IPNetwork Subnet(int third) => IPNetwork.Parse($"127.{Second}.{third}.0/24");

    /// <summary>Claims the first free pair.</summary>
    public static AddressPlan Claim()
    {
        for (var second = 86; second < 250; second += 2)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Parse($"127.{second}.255.254"), ClaimPort));
                // Bound sockets share an address until one listens.
                socket.Listen(1);
                return new AddressPlan(second, socket);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                // Only Linux and Windows have all of 127/8 without set-up; elsewhere there is nothing to claim.
                if (e.SocketErrorCode == SocketError.AddressNotAvailable)
                    return new AddressPlan(86, null);
                if (e.SocketErrorCode != SocketError.AddressAlreadyInUse)
                    throw new LabException($"The lab's addresses cannot be claimed: {e.Message}", e);
            }
        }
        throw new LabException("Too many labs run on this machine: no block of loopback addresses is left.");
    }

    /// <summary>A model whose loopback addresses are of this block.</summary>
    public LoopbackStands Stands() => new(Second);

    /// <summary>The next free address of a subnet. As on AWS the first four and the last are never given out; in the usual sizes those below .10 are left to the seed.</summary>
    public static IPAddress Next(LabModel model, Subnet subnet)
    {
        var groups = model.DbSubnetGroups.Values.Where(g => g.VpcId == subnet.VpcId).Select(g => g.Id).ToHashSet(StringComparer.Ordinal);
        var taken = model.Instances.Values.Where(i => i.SubnetId == subnet.Id && i.State != "terminated").Select(i => i.PrivateAddress)
            .Concat(model.Endpoints.Values.SelectMany(e => e.Interfaces.Where(f => f.Key == subnet.Id).Select(f => f.Value)))
            .Concat(model.ConnectEndpoints.Values.Where(e => e.SubnetId == subnet.Id).Select(e => e.Address))
            .Concat(model.NatGateways.Values.Where(n => n.SubnetId == subnet.Id).Select(n => n.PrivateAddress).OfType<IPAddress>())
            .Concat(model.DbClusters.Values.Where(c => groups.Contains(c.SubnetGroup)).SelectMany(c => c.FormerAddresses.Append(c.Address))).ToHashSet();
        var size = 1u << (32 - subnet.Cidr.PrefixLength);
        var first = Ranges.Number(subnet.Cidr.BaseAddress);
        for (var offset = size >= 256 ? 10u : 4u; offset < size - 1; offset++)
        {
            var address = Ranges.Address(first + offset);
            if (!taken.Contains(address))
                return address;
        }
        throw new AwsError("InsufficientFreeAddressesInSubnet", $"There are not enough free addresses in subnet '{subnet.Id}' to satisfy the requested number of instances.");
    }

    /// <summary>The next free public address. The seed's networks have theirs in their own last but one /24, all others in the first network's.</summary>
    public static IPAddress NextPublic(LabModel model, IPNetwork? cidr)
    {
        var taken = model.Instances.Values.Where(i => i.State != "terminated").Select(i => i.PublicAddress).Concat(model.ElasticAddresses.Values.Select(e => e.Address)).ToHashSet();
        byte[] bytes = cidr is { } own && IPAddress.IsLoopback(own.BaseAddress) ? own.BaseAddress.GetAddressBytes() : [127, (byte)model.Stands.Second, 0, 0];
        bytes[2] = 254;
        for (var last = 10; last < 255; last++)
        {
            bytes[3] = (byte)last;
            var address = new IPAddress(bytes);
            if (!taken.Contains(address))
                return address;
        }
        throw new AwsError("InsufficientAddressCapacity", "There are not enough public addresses.");
    }

    public void Dispose() => _claim?.Dispose();
}
