using System.Net;
using System.Net.Sockets;
using Fumidai.SessionManager;

namespace Fumidai.Lab;

/// <summary>The network as a virtual instance sees it: the model decides each look-up and each dial anew; nothing is remembered.</summary>
internal sealed class InstanceNetwork(LabModel model, string instanceId, RealEndPoints places, TimeProvider time) : IAgentNetwork
{
    /// <summary>Linux sends six SYNs more and then gives up: about two minutes (aws-facts §2.3).</summary>
    private static readonly TimeSpan s_kernelPatience = TimeSpan.FromSeconds(127);

    public ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (string.Equals(host.TrimEnd('.'), "localhost", StringComparison.OrdinalIgnoreCase))
            return ValueTask.FromResult<IReadOnlyList<IPAddress>>([IPAddress.Loopback]);
        return Reachability.Resolve(model, instanceId, host) is { } address
            ? ValueTask.FromResult<IReadOnlyList<IPAddress>>([address])
            : throw new SocketException((int)SocketError.HostNotFound);
    }

    public async ValueTask<Socket> ConnectAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(s_kernelPatience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        while (true)
        {
            var changed = model.NextChange;
            switch (Reachability.FromInstance(model, instanceId, address, port).Verdict)
            {
                case Verdict.Open:
                    return await DialAsync(address, port, cancellationToken).ConfigureAwait(false);
                case Verdict.Refused:
                    throw new SocketException((int)SocketError.ConnectionRefused);
            }
            try
            {
                // Dropped: a SYN sent again gets through once a rule lets it.
                await changed.WaitAsync(both.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new SocketException((int)SocketError.TimedOut);
            }
        }
    }

    private async Task<Socket> DialAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        var instance = model.Read(m => m.Instances.GetValueOrDefault(instanceId)) ?? throw new SocketException((int)SocketError.NetworkUnreachable);
        var own = model.Stands.Of(instance.VpcId, instance.PrivateAddress);
        // An instance's own loopback is not this machine's: what listens on the instance listens on its private address.
        var inside = address.Equals(IPAddress.Loopback) ? instance.PrivateAddress : address;
        // A lab's network ends at the machine.
        if (inside.AddressFamily != AddressFamily.InterNetwork || (!IPAddress.IsLoopback(inside) && !model.Read(m => m.Vpcs.TryGetValue(instance.VpcId, out var vpc) && vpc.Cidr.Contains(inside))))
            throw new SocketException((int)SocketError.NetworkUnreachable);
        var to = model.Stands.Of(instance.VpcId, inside);
        if (places.TryFind(to, port, out var real))
            return await Gate.DialAsync(real ?? throw new SocketException((int)SocketError.ConnectionRefused), own, cancellationToken).ConfigureAwait(false);
        return await Gate.DialAsync(new IPEndPoint(to, port), own, cancellationToken).ConfigureAwait(false);
    }
}
