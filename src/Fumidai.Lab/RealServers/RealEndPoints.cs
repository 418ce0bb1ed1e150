using System.Collections.Concurrent;
using System.Net;

namespace Fumidai.Lab;

/// <summary>
/// Where the processes behind the model's addresses really listen, by the loopback address that stands for each (<see cref="LoopbackStands"/>).
/// Usually there itself; elsewhere when another lab on this machine holds the place, or (macOS) 127.86.0.0/16 cannot be bound, and always for sshd, which stands behind its gate.
/// </summary>
internal sealed class RealEndPoints
{
    private readonly ConcurrentDictionary<(IPAddress, int), IPEndPoint?> _places = new();

    /// <summary>The process for an address of the model listens here; null: it is stopped, its place refuses.</summary>
    public void Set(IPAddress address, int port, IPEndPoint? real) => _places[(address, port)] = real;

    /// <summary>Whoever was there is gone for good.</summary>
    public void Forget(IPAddress address, int port) => _places.TryRemove((address, port), out _);

    /// <summary>Whether the lab runs a process for this address, and where that one listens now; null: stopped.</summary>
    public bool TryFind(IPAddress address, int port, out IPEndPoint? real) => _places.TryGetValue((address, port), out real);
}
