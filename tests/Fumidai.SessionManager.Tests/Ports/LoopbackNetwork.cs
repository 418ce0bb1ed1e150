using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Fumidai.SessionManager.Tests;

/// <summary>A bastion's network whose every address is one listener of the test.</summary>
internal sealed class LoopbackNetwork : IAgentNetwork, IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Channel<Socket> _dialled = Channel.CreateUnbounded<Socket>();
    private int _dials;
    private int _lookups;

    public LoopbackNetwork()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(200);
    }

    public bool Refuses { get; set; }

    /// <summary>Dials wait for this.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public Dictionary<string, IPAddress[]> Names { get; } = new() { ["localhost"] = [IPAddress.Loopback] };

    public int Dials => Volatile.Read(ref _dials);

    public int Lookups => Volatile.Read(ref _lookups);

    public ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _lookups);
        return Names.TryGetValue(host, out var addresses)
            ? ValueTask.FromResult<IReadOnlyList<IPAddress>>(addresses)
            : throw new SocketException((int)SocketError.HostNotFound);
    }

    public async ValueTask<Socket> ConnectAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _dials);
        await Gate.WaitAsync(cancellationToken);
        if (Refuses) throw new SocketException((int)SocketError.ConnectionRefused);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_listener.LocalEndPoint!, cancellationToken);
        _dialled.Writer.TryWrite(socket);
        return socket;
    }

    /// <summary>The target's end of the next connection, and the agent's, once both are connected.</summary>
    public async Task<(Socket Target, Socket Agent)> AcceptAsync()
    {
        var target = await _listener.AcceptAsync(CancellationToken.None).AsTask().Soon();
        return (target, await _dialled.Reader.ReadAsync(CancellationToken.None).AsTask().Soon());
    }

    /// <summary>Lets the target send back whatever it gets, on every connection, until the test is over.</summary>
    public async Task EchoAsync()
    {
        try
        {
            while (true) _ = EchoOneAsync(await _listener.AcceptAsync(CancellationToken.None));
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    public void Dispose() => _listener.Dispose();

    private static async Task EchoOneAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                socket.NoDelay = true;
                var buffer = new byte[64 * 1024];
                while (await socket.ReceiveAsync(buffer, SocketFlags.None) is var count and > 0)
                    for (var sent = 0; sent < count;) sent += await socket.SendAsync(buffer.AsMemory(sent, count - sent), SocketFlags.None);
            }
            catch (SocketException)
            {
                // Reset by the agent.
            }
        }
    }
}
