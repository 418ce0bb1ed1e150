using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;

namespace Fumidai.SessionManager;

/// <summary>
/// A websocket whose frames pile up below it until somebody pushes, or until its reader has nothing left to read. Without it every frame is a
/// system call and, over TLS, a record of its own. At most 64 KiB pile up before a send waits for the network. Pings are sent and their pongs
/// watched as <see cref="SocketSettings"/> says; that needs a receive to be under way.
/// </summary>
public sealed class BatchedWebSocket : WebSocket
{
    private const int PileLimit = 64 * 1024;
    private readonly WebSocket _socket;
    private readonly BatchStream _stream;
    private readonly IDisposable? _owned;

    private BatchedWebSocket(WebSocket socket, BatchStream stream, IDisposable? owned)
    {
        (_socket, _stream, _owned) = (socket, stream, owned);
        _stream.Hold = true;
    }

    /// <summary>Opens a client websocket. The URL reaches the wire byte for byte.</summary>
    /// <param name="url"><c>wss://</c> or <c>ws://</c>.</param>
    /// <param name="headers">Added to the handshake, e.g. a signature.</param>
    /// <param name="settings">Proxy, roots, limits.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="WebSocketException">Not reached, or refused; the HTTP status is in its <see cref="Exception.Data"/> under <c>HttpStatus</c>.</exception>
    /// <exception cref="TimeoutException">Not within <see cref="SocketSettings.ConnectTimeout"/>.</exception>
    public static async Task<BatchedWebSocket> ConnectAsync(string url, IReadOnlyList<KeyValuePair<string, string>> headers, SocketSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        BatchStream? stream = null;
        var handler = new SocketsHttpHandler
        {
            // Last one wins: through a proxy the tunnel's own connection passes here first.
            PlaintextStreamFilter = (context, _) => ValueTask.FromResult<Stream>(stream = new BatchStream(context.PlaintextStream, settings.GatherTime, time)),
            UseProxy = settings.Proxy is not null,
            Proxy = settings.Proxy,
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = settings.ConnectTimeout,
        };
        if (settings.Roots is { } roots) handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trusting(roots) };
        var invoker = new HttpMessageInvoker(handler);
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.KeepAliveInterval = settings.PingInterval;
            socket.Options.KeepAliveTimeout = settings.PongTimeout;
            socket.Options.CollectHttpResponseDetails = true;
            foreach (var (name, value) in headers)
                socket.Options.SetRequestHeader(name, value);
            using var limit = new CancellationTokenSource(settings.ConnectTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                await socket.ConnectAsync(Verbatim(url), invoker, either.Token);
            }
            catch (Exception) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"no answer to the websocket handshake within {settings.ConnectTimeout.TotalSeconds:0} s");
            }
            catch (WebSocketException e)
            {
                if (socket.HttpStatusCode != 0) e.Data["HttpStatus"] = (int)socket.HttpStatusCode;
                throw;
            }
            var opened = new BatchedWebSocket(socket, stream ?? throw new InvalidOperationException("the handler did not show its stream"), invoker);
            socket = null;
            invoker = null;
            return opened;
        }
        finally
        {
            socket?.Dispose();
            invoker?.Dispose();
        }
    }

    /// <summary>A path and query that nobody tidies: a StreamUrl holds raw <c>+</c>, <c>/</c>, <c>=</c> and <c>@</c> (protocol §1.1).</summary>
    private static Uri Verbatim(string url) => new(url, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

    private static X509ChainPolicy Trusting(X509Certificate2Collection roots)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(roots);
        return policy;
    }

    /// <summary>Runs the websocket protocol over a stream whose HTTP handshake is done.</summary>
    /// <param name="stream">Owned from now on.</param>
    /// <param name="isServer">Which end this is.</param>
    /// <param name="settings">Ping interval and limit.</param>
    public static BatchedWebSocket OverStream(Stream stream, bool isServer, SocketSettings settings)
    {
        var batch = new BatchStream(stream, TimeSpan.Zero, TimeProvider.System);
        var socket = CreateFromStream(batch, new WebSocketCreationOptions
        {
            IsServer = isServer,
            KeepAliveInterval = settings.PingInterval,
            KeepAliveTimeout = settings.PongTimeout,
        });
        return new BatchedWebSocket(socket, batch, null);
    }

    /// <summary>Writes out what has piled up. Safe at any time, from any task. A relay calls it when the side it reads from has nothing more for now.</summary>
    public ValueTask PushAsync(CancellationToken cancellationToken) => _stream.PushAsync(cancellationToken);

    /// <summary>Sends one frame into the pile; waits for the network only when more than 64 KiB have piled up.</summary>
    public override ValueTask SendAsync(ReadOnlyMemory<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
    {
        var sent = _socket.SendAsync(buffer, messageType, endOfMessage, cancellationToken);
        if (!sent.IsCompletedSuccessfully) return SlowAsync(sent, cancellationToken);
        sent.GetAwaiter().GetResult();
        return _stream.Piled < PileLimit ? ValueTask.CompletedTask : _stream.PushAsync(cancellationToken);
    }

    private async ValueTask SlowAsync(ValueTask sent, CancellationToken cancellationToken)
    {
        await sent;
        if (_stream.Piled >= PileLimit) await _stream.PushAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) => _socket.ReceiveAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override WebSocketCloseStatus? CloseStatus => _socket.CloseStatus;
    /// <inheritdoc/>
    public override string? CloseStatusDescription => _socket.CloseStatusDescription;
    /// <inheritdoc/>
    public override WebSocketState State => _socket.State;
    /// <inheritdoc/>
    public override string? SubProtocol => _socket.SubProtocol;
    /// <inheritdoc/>
    public override void Abort() => _socket.Abort();
    /// <inheritdoc/>
    public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
        => _socket.CloseAsync(closeStatus, statusDescription, cancellationToken);
    /// <inheritdoc/>
    public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
        => _socket.CloseOutputAsync(closeStatus, statusDescription, cancellationToken);
    /// <inheritdoc/>
    public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) => _socket.ReceiveAsync(buffer, cancellationToken);
    /// <inheritdoc/>
    public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
        => SendAsync((ReadOnlyMemory<byte>)buffer, messageType, endOfMessage, cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Dispose()
    {
        _socket.Dispose();
        _owned?.Dispose();
    }
}
