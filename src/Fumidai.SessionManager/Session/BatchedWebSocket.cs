using System.Net.WebSockets;

namespace Fumidai.SessionManager;

/// <summary>
/// A websocket whose frames pile up below it until somebody pushes, or until its reader has nothing left to read. Without it every frame is a
/// system call and, over TLS, a record of its own.
/// </summary>
public sealed class BatchedWebSocket : WebSocket
{
    private BatchedWebSocket() => throw new NotImplementedException();

    /// <summary>Opens a client websocket. The URL reaches the wire byte for byte.</summary>
    /// <param name="url"><c>wss://</c> or <c>ws://</c>.</param>
    /// <param name="headers">Added to the handshake, e.g. a signature.</param>
    /// <param name="settings">Proxy, roots, limits.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="WebSocketException">Not reached or refused.</exception>
    /// <exception cref="TimeoutException">Not within <see cref="SocketSettings.ConnectTimeout"/>.</exception>
    public static Task<BatchedWebSocket> ConnectAsync(string url, IReadOnlyList<KeyValuePair<string, string>> headers, SocketSettings settings, TimeProvider time, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Runs the websocket protocol over a stream whose HTTP handshake is done.</summary>
    /// <param name="stream">Owned from now on.</param>
    /// <param name="isServer">Which end this is.</param>
    /// <param name="settings">Ping interval and limit.</param>
    public static BatchedWebSocket OverStream(Stream stream, bool isServer, SocketSettings settings) => throw new NotImplementedException();

    /// <summary>Writes out what has piled up. Safe at any time, from any task.</summary>
    public ValueTask PushAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override WebSocketCloseStatus? CloseStatus => throw new NotImplementedException();
    /// <inheritdoc/>
    public override string? CloseStatusDescription => throw new NotImplementedException();
    /// <inheritdoc/>
    public override WebSocketState State => throw new NotImplementedException();
    /// <inheritdoc/>
    public override string? SubProtocol => throw new NotImplementedException();
    /// <inheritdoc/>
    public override void Abort() => throw new NotImplementedException();
    /// <inheritdoc/>
    public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => throw new NotImplementedException();
    /// <inheritdoc/>
    public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => throw new NotImplementedException();
    /// <inheritdoc/>
    public override void Dispose() => throw new NotImplementedException();
    /// <inheritdoc/>
    public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) => throw new NotImplementedException();
    /// <inheritdoc/>
    public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) => throw new NotImplementedException();
}
