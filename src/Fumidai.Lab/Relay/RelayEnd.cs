using System.Net.WebSockets;
using Fumidai.SessionManager;

namespace Fumidai.Lab;

/// <summary>Which end of a session a websocket is.</summary>
internal enum RelayRole
{
    Client,
    Agent,
}

/// <summary>One connected websocket of a session. Sends are served one after the other; a failed one is nobody's concern but its own reader's.</summary>
/// <param name="socket">Owned from now on.</param>
/// <param name="clientId">What it called itself in its first text message.</param>
/// <param name="cut">Cuts the connection below; a stream taken over from the web server does not end with its websocket.</param>
internal sealed class RelayEnd(BatchedWebSocket socket, string clientId, Action cut) : IDisposable
{
    private readonly SemaphoreSlim _sending = new(1);

    public BatchedWebSocket Socket => socket;

    /// <summary>What it called itself in its first text message.</summary>
    public string ClientId => clientId;

    /// <summary>pause_publication was sent and no start_publication since.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Queues one binary message behind what is queued; waits while the peer does not read.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> message)
    {
        await _sending.WaitAsync().ConfigureAwait(false);
        try
        {
            await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (IsLoss(error))
        {
            // Dropped, as for a side that is away: the peers' own retransmission repairs it.
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Lets go what is queued.</summary>
    public async ValueTask PushAsync()
    {
        try
        {
            await socket.PushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (IsLoss(error))
        {
        }
    }

    /// <summary>Sends and pushes.</summary>
    public async Task SendNowAsync(AgentMessage message)
    {
        await SendAsync(message.ToArray()).ConfigureAwait(false);
        await PushAsync().ConfigureAwait(false);
    }

    /// <summary>Sends a close frame; the socket ends when its peer answers or hangs up.</summary>
    public async Task CloseAsync(WebSocketCloseStatus status, string reason)
    {
        await _sending.WaitAsync().ConfigureAwait(false);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await socket.CloseOutputAsync(status, reason, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (IsLoss(error))
        {
        }
        finally
        {
            _sending.Release();
        }
        await PushAsync().ConfigureAwait(false);
    }

    /// <summary>Ends it at once: its reader, which may be waiting, too.</summary>
    public void Abort()
    {
        socket.Abort();
        cut();
    }

    /// <summary>Whether an exception only says that the connection is gone.</summary>
    public static bool IsLoss(Exception error) => error is WebSocketException or IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException or System.Net.Sockets.SocketException;

    public void Dispose() => socket.Dispose();
}
