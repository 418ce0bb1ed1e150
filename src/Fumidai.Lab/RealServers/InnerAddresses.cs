using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Fumidai.Lab;

/// <summary>
/// Loopback addresses of the lab's own plumbing (gates, inner servers), outside of every network the model can have: 127.251.0.0 and up, a random
/// part of it for each lab.
/// </summary>
internal sealed class InnerAddresses
{
    private readonly int _second = RandomNumberGenerator.GetInt32(251, 255);
    private readonly int _third = RandomNumberGenerator.GetInt32(0, 256);
    private int _next;

    /// <summary>A fresh one on which this port can be bound.</summary>
    public IPAddress Next(int port)
    {
        for (var attempt = 0; attempt < 250; attempt++)
        {
            var n = Interlocked.Increment(ref _next);
            var address = new IPAddress([127, (byte)_second, (byte)((_third + n / 250) % 256), (byte)(n % 250 + 1)]);
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new IPEndPoint(address, port));
                return address;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another lab drew the same part.
            }
        }
        throw new LabException("no inner loopback address is left");
    }
}
