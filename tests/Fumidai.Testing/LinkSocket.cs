using System.Net.WebSockets;
using System.Threading.Channels;

namespace Fumidai.Testing;

/// <summary>One end of a websocket that exists in memory only. What it sends goes to a delegate; what it receives is put in by the test.</summary>
public sealed class LinkSocket(Action<LinkSocket, byte[], WebSocketMessageType> onSent) : WebSocket
{
    private readonly Channel<(byte[] Bytes, WebSocketMessageType Type)> _incoming = System.Threading.Channels.Channel.CreateUnbounded<(byte[], WebSocketMessageType)>();
    private readonly MemoryStream _outgoing = new();
    private byte[]? _partial;
    private WebSocketMessageType _partialType;
    private int _partialAt;
    private WebSocketState _state = WebSocketState.Open;
    private WebSocketCloseStatus? _closeStatus;
    private string? _closeText;

    /// <summary>Makes the socket receive a message.</summary>
    public void Deliver(byte[] message, WebSocketMessageType type = WebSocketMessageType.Binary) => _incoming.Writer.TryWrite((message, type));

    /// <summary>Makes the socket receive a close frame after what was delivered.</summary>
    public void DeliverClose(WebSocketCloseStatus status, string text)
    {
        (_closeStatus, _closeText) = (status, text);
        _incoming.Writer.TryWrite(([], WebSocketMessageType.Close));
    }

    public override async ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_partial is null)
        {
            try
            {
                (_partial, _partialType) = await _incoming.Reader.ReadAsync(cancellationToken);
            }
            catch (ChannelClosedException)
            {
                throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely);
            }
            _partialAt = 0;
        }
        if (_partialType == WebSocketMessageType.Close) return new(0, WebSocketMessageType.Close, true);
        var count = Math.Min(buffer.Length, _partial.Length - _partialAt);
        _partial.AsMemory(_partialAt, count).CopyTo(buffer);
        _partialAt += count;
        var end = _partialAt == _partial.Length;
        if (end) _partial = null;
        return new(count, _partialType, end);
    }

    public override ValueTask SendAsync(ReadOnlyMemory<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
    {
        if (_state != WebSocketState.Open) throw new WebSocketException(WebSocketError.InvalidState);
        _outgoing.Write(buffer.Span);
        if (!endOfMessage) return ValueTask.CompletedTask;
        var message = _outgoing.ToArray();
        _outgoing.SetLength(0);
        onSent(this, message, messageType);
        return ValueTask.CompletedTask;
    }

    /// <summary>The connection is lost: calls under way and later ones fail.</summary>
    public override void Abort()
    {
        _state = WebSocketState.Aborted;
        _incoming.Writer.TryComplete();
        while (_incoming.Reader.TryRead(out _))
        {
        }
    }

    public override void Dispose() => Abort();

    public override async Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken)
    {
        var result = await ReceiveAsync((Memory<byte>)buffer, cancellationToken);
        return new(result.Count, result.MessageType, result.EndOfMessage);
    }

    public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
        => SendAsync((ReadOnlyMemory<byte>)buffer, messageType, endOfMessage, cancellationToken).AsTask();

    public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => CloseOutputAsync(closeStatus, statusDescription, cancellationToken);

    public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
    {
        _state = WebSocketState.CloseSent;
        return Task.CompletedTask;
    }

    public override WebSocketCloseStatus? CloseStatus => _closeStatus;
    public override string? CloseStatusDescription => _closeText;
    public override WebSocketState State => _state;
    public override string? SubProtocol => null;
}
