using System.Collections.Concurrent;
using System.Net;

namespace Fumidai.Lab;

/// <summary>
/// Where the processes behind the model's addresses really listen. Usually there itself; elsewhere when another lab on this machine holds
/// the place, or (macOS) 127.86.0.0/16 cannot be bound, and always for sshd, which stands behind its gate.
/// </summary>
internal sealed class RealEndPoints
{
    private readonly ConcurrentDictionary<(IPAddress, int), IPEndPoint> _places = new();

    /// <summary>The process for an address of the model listens here; null: it stopped.</summary>
    public void Set(IPAddress address, int port, IPEndPoint? real)
    {
        if (real is null)
            _places.TryRemove((address, port), out _);
        else
            _places[(address, port)] = real;
    }

    /// <summary>The known process; null: none is known.</summary>
    public IPEndPoint? Find(IPAddress address, int port) => _places.GetValueOrDefault((address, port));
}
