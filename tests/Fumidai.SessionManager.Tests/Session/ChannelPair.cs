using Fumidai.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Fumidai.SessionManager.Tests;

/// <summary>A client's and an agent's data channel with a link between them.</summary>
internal sealed class ChannelPair : IAsyncDisposable
{
    internal static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);

    private ChannelPair(FaultyLink link, FakeSessionControl control, DataChannel client, DataChannel agent, FakeTimeProvider? fake)
        => (Link, Control, Client, Agent, FakeTime) = (link, control, client, agent, fake);

    internal FaultyLink Link { get; }
    internal FakeSessionControl Control { get; }
    internal DataChannel Client { get; }
    internal DataChannel Agent { get; }
    internal FakeTimeProvider? FakeTime { get; }

    internal static async Task<ChannelPair> OpenAsync(FaultyLink link, FakeTimeProvider? fake = null, int window = 1000, Func<ClientChannelOptions, ClientChannelOptions>? client = null, Func<AgentChannelOptions, AgentChannelOptions>? agent = null)
    {
        var time = fake ?? TimeProvider.System;
        var control = new FakeSessionControl();
        var clientOptions = new ClientChannelOptions
        {
            Connect = (_, token) => link.ConnectClientAsync(token),
            MessagesPerSecond = 0,
            WindowMessages = window,
            HandshakeTimeout = TimeSpan.FromHours(10),
            Time = time,
        };
        var agentOptions = new AgentChannelOptions
        {
            SessionId = control.Ticket.SessionId,
            InstanceId = "i-0123456789abcdef0",
            Properties = new Dictionary<string, string> { ["type"] = "LocalPortForwarding", ["portNumber"] = "5432" },
            Connect = link.ConnectAgentAsync,
            WindowMessages = window,
            HandshakeTimeout = TimeSpan.FromHours(10),
            Time = time,
        };
        var opening = DataChannel.ConnectAsync(control.Ticket, control, client?.Invoke(clientOptions) ?? clientOptions, CancellationToken.None);
        var serving = DataChannel.ServeAsync(agent?.Invoke(agentOptions) ?? agentOptions, CancellationToken.None);
        var both = Task.WhenAll(opening, serving);
        if (fake is not null) await DriveAsync(fake, link, both);
        await both.Guarded();
        return new(link, control, await opening, await serving, fake);
    }

    /// <summary>Moves the clock whenever nothing moves by itself, until the task is done.</summary>
    internal static async Task DriveAsync(FakeTimeProvider time, FaultyLink link, Task until)
    {
        var limit = Environment.TickCount64 + (long)Guard.TotalMilliseconds;
        while (!until.IsCompleted && Environment.TickCount64 < limit)
        {
            var before = link.Activity;
            for (var i = 0; i < 50 && !until.IsCompleted; i++) await Task.Yield();
            if (before == link.Activity) time.Advance(TimeSpan.FromMilliseconds(50));
        }
        if (!until.IsCompleted) throw new TimeoutException("nothing more happens");
        await until;
    }

    internal Task DriveAsync(Task until) => FakeTime is { } fake ? DriveAsync(fake, Link, until) : until.Guarded();

    /// <summary>Sends bytes in pieces of the given sizes, over and over.</summary>
    internal static async Task SendAsync(DataChannel channel, byte[] bytes, params int[] pieces)
    {
        for (int at = 0, i = 0; at < bytes.Length; i++)
        {
            var size = Math.Min(pieces[i % pieces.Length], bytes.Length - at);
            await channel.SendAsync(PayloadType.Output, bytes.AsMemory(at, size), CancellationToken.None);
            at += size;
        }
        await channel.FlushAsync(CancellationToken.None);
    }

    internal static async Task<byte[]> ReceiveAsync(DataChannel channel, int length)
    {
        var received = new MemoryStream();
        while (received.Length < length && await channel.ReadAsync(CancellationToken.None))
            received.Write(channel.Current.Payload.Span);
        return received.ToArray();
    }

    internal static byte[] Pattern(int length, uint seed)
    {
        var bytes = new byte[length];
        foreach (ref var b in bytes.AsSpan())
        {
            seed = (seed * 1664525) + 1013904223;
            b = (byte)(seed >> 24);
        }
        return bytes;
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Agent.DisposeAsync();
        Link.Dispose();
    }
}
