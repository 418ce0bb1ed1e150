using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Fumidai.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>A client's and an agent's channel over real sockets. They count the whole process's allocations, so nothing may run beside them.</summary>
[Collection("alone")]
public sealed class RealSocketTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly FakeSessionControl _control = new();
    private WebSocket? _atClient;
    private WebSocket? _atAgent;

    public RealSocketTests() => _listener.Start();

    public void Dispose() => _listener.Dispose();

    private async Task<(DataChannel Client, DataChannel Agent)> OpenAsync(int payload)
    {
        var opening = DataChannel.ConnectAsync(_control.Ticket, _control, new ClientChannelOptions
        {
            MaxPayload = payload,
            MessagesPerSecond = 0,
            Connect = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(_listener.LocalEndpoint, token);
                return _atClient = BatchedWebSocket.OverStream(new NetworkStream(socket, ownsSocket: true), isServer: false, new SocketSettings());
            },
        }, CancellationToken.None);
        var serving = DataChannel.ServeAsync(new AgentChannelOptions
        {
            SessionId = _control.Ticket.SessionId,
            InstanceId = "i-0abc",
            MaxPayload = payload,
            Connect = async token => _atAgent = BatchedWebSocket.OverStream((await _listener.AcceptTcpClientAsync(token)).GetStream(), isServer: true, new SocketSettings()),
        }, CancellationToken.None);
        return (await opening.Guarded(), await serving.Guarded());
    }

    [Fact]
    public async Task Sixty_four_MiB_go_through_cut_sockets_once_in_order_and_whole()
    {
        const int payload = 8 * 1024;
        const int messages = 4 * 1024;   // 32 MiB each way
        var (client, agent) = await OpenAsync(payload);
        await using var _ = client;
        await using var __ = agent;
        var cuts = new Random(2026);
        var next = cuts.Next(100, 600);
        var received = 0;
        void Count()
        {
            // By what has arrived and not by the clock: the same cuts on every machine.
            if (Interlocked.Increment(ref received) != Volatile.Read(ref next)) return;
            (cuts.Next(2) == 0 ? _atClient : _atAgent)!.Abort();
            Volatile.Write(ref next, received + cuts.Next(100, 600));
        }
        var up = HashAsync(agent, messages, payload, Count);
        var down = HashAsync(client, messages, payload, static () => { });
        var sent = await Task.WhenAll(Task.Run(() => SendAsync(client, messages, payload, 1)), Task.Run(() => SendAsync(agent, messages, payload, 2))).Guarded();
        Assert.Equal(sent[0], await up.Guarded());
        Assert.Equal(sent[1], await down.Guarded());
        Assert.True(_control.Resumed >= 3);
    }

    [Fact]
    public async Task The_steady_state_allocates_next_to_nothing()
    {
        const int payload = 1024;
        const int messages = 8 * 1024;   // 8 MiB each way
        var (client, agent) = await OpenAsync(payload);
        await using var _ = client;
        await using var __ = agent;
        async Task MoveAsync()
        {
            var sending = Task.WhenAll(Task.Run(() => SendAsync(client, messages, payload, 1)), Task.Run(() => SendAsync(agent, messages, payload, 2)));
            await Task.WhenAll(HashAsync(agent, messages, payload, static () => { }), HashAsync(client, messages, payload, static () => { })).Guarded();
            await sending;
        }
        await MoveAsync();
        // What tests before it left behind may still allocate in this process, and only ever adds: the leanest round is the channels' own.
        var perMiB = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await MoveAsync();
            perMiB = Math.Min(perMiB, (GC.GetTotalAllocatedBytes(precise: true) - before) / 16);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{perMiB} bytes a MiB, both ends");
        // A MiB is 1,024 messages and as many acknowledgements, so this is 16 bytes for each; the leanest of five rounds was 4 KB when this was written.
        Assert.InRange(perMiB, 0, 32 * 1024);
    }

    private static async Task<string> SendAsync(DataChannel channel, int messages, int payload, uint seed)
    {
        var bytes = ChannelPair.Pattern(payload, seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < messages; i++)
        {
            BitConverter.TryWriteBytes(bytes, i);
            hash.AppendData(bytes);
            await channel.SendAsync(PayloadType.Output, bytes, CancellationToken.None);
        }
        await channel.FlushAsync(CancellationToken.None);
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static async Task<string> HashAsync(DataChannel channel, int messages, int payload, Action arrived)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var left = (long)messages * payload; left > 0 && await channel.ReadAsync(CancellationToken.None); left -= channel.Current.Payload.Length)
        {
            hash.AppendData(channel.Current.Payload.Span);
            arrived();
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
