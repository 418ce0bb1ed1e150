namespace Fumidai.SessionManager.Tests;

/// <summary>An smux client and server on a pair of channels, with their loops running.</summary>
internal sealed class MuxPair : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loops;

    public MuxPair(TimeSpan holdLimit = default, TimeProvider? time = null, int window = 64, int maxPayload = 1024)
    {
        Channels = new PayloadPair(window, maxPayload);
        Client = new MuxSession(Channels.Client, MuxRole.Client, holdLimit, time ?? TimeProvider.System);
        Server = new MuxSession(Channels.Agent, MuxRole.Server, TimeSpan.Zero, time ?? TimeProvider.System);
        _loops = Task.WhenAll(
            ReceiveAsync(Channels.Client, Client), ReceiveAsync(Channels.Agent, Server),
            Client.RunSenderAsync(_stop.Token), Server.RunSenderAsync(_stop.Token));
    }

    public PayloadPair Channels { get; }

    public MuxSession Client { get; }

    public MuxSession Server { get; }

    public async Task<(MuxStream Client, MuxStream Server)> OpenAsync()
    {
        var client = Client.Open();
        var server = await Server.AcceptAsync(CancellationToken.None).AsTask().Soon();
        return (client, server!);
    }

    public async ValueTask DisposeAsync()
    {
        var end = new SessionEnd(SessionEndKind.Local, "");
        Client.End(new SessionEndedException(end));
        Server.End(new SessionEndedException(end));
        Channels.End(end);
        await _stop.CancelAsync();
        await _loops.Quietly();
        _stop.Dispose();
    }

    private async Task ReceiveAsync(MemoryChannel channel, MuxSession session)
    {
        while (await channel.ReadAsync(_stop.Token))
        {
            session.Receive(channel.Current.Payload.Span);
            await session.WhenRoomAsync();
        }
    }
}
