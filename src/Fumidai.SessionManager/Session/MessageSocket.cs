using System.Net.WebSockets;
using System.Runtime.CompilerServices;

namespace Fumidai.SessionManager;

/// <summary>What a receive brought.</summary>
internal enum Received
{
    /// <summary>A whole message.</summary>
    Message,
    /// <summary>A message above the bound, thrown away.</summary>
    TooLarge,
    /// <summary>The peer closed the websocket.</summary>
    Closed,
}

/// <summary>
/// Whole messages over one websocket. One task reads, one writes. A message is sent as one unfragmented frame and put together again when it
/// arrives in pieces (protocol §1.5), up to 2 MiB: twice what the official ends were seen to take.
/// </summary>
internal sealed class MessageSocket(WebSocket socket, FrameBuffers buffers) : IDisposable
{
    internal const int MaxMessage = 2 << 20;
    private const int FirstRead = AgentMessageLayout.Payload + 1024;

    private readonly BatchedWebSocket? _batched = socket as BatchedWebSocket;
    private const int LargestUsual = 64 * 1024;
    private int _usual = FirstRead;
    private byte[] _buffer = [];
    private int _length;

    /// <summary>The last message; valid until the next receive.</summary>
    internal ReadOnlySpan<byte> Message => _buffer.AsSpan(0, _length);

    /// <summary>Hands the last message's buffer over to the caller.</summary>
    internal byte[] TakeBuffer()
    {
        var taken = _buffer;
        _buffer = [];
        return taken;
    }

    /// <summary>Why the peer closed, e.g. <c>NormalClosure Bye</c>.</summary>
    internal string CloseReason => $"{socket.CloseStatus} {socket.CloseStatusDescription}".Trim();

    /// <summary>Receives the next whole message into <see cref="Message"/>. Text and binary are alike (protocol §1.5).</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<Received> ReceiveAsync()
    {
        _length = 0;
        var dropped = false;
        if (_buffer.Length == 0) _buffer = buffers.Rent(_usual);
        while (true)
        {
            // Not cancelled: that would abort the websocket anyway, which is what stopping does.
            var result = await socket.ReceiveAsync(_buffer.AsMemory(_length), CancellationToken.None);
            if (result.MessageType == WebSocketMessageType.Close) return Received.Closed;
            _length += result.Count;
            // As large as the last one: a message that fits is not copied.
            if (result.EndOfMessage && _length + 1 > _usual) _usual = Math.Min(_length + 1, LargestUsual);
            if (result.EndOfMessage) return dropped ? Received.TooLarge : Received.Message;
            if (_length < _buffer.Length || (!dropped && TryGrow())) continue;
            dropped = true;
            _length = 0;
        }
    }

    private bool TryGrow()
    {
        if (_buffer.Length >= MaxMessage) return false;
        var larger = buffers.Rent(Math.Min(MaxMessage, _buffer.Length * 2));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        buffers.Return(_buffer);
        _buffer = larger;
        return true;
    }

    /// <summary>Sends one binary message into the websocket's batch.</summary>
    internal ValueTask SendAsync(ReadOnlyMemory<byte> message) => socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);

    /// <summary>Sends one text message and pushes it.</summary>
    internal async ValueTask SendTextAsync(ReadOnlyMemory<byte> text, CancellationToken cancellationToken)
    {
        await socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        await PushAsync();
    }

    /// <summary>Pushes the batch, where there is one.</summary>
    internal ValueTask PushAsync() => _batched?.PushAsync(CancellationToken.None) ?? ValueTask.CompletedTask;

    /// <summary>Ends the connection as both official ends do: without a close frame (protocol §1.6). Every call under way fails.</summary>
    internal void Abort() => socket.Abort();

    public void Dispose()
    {
        socket.Abort();
        socket.Dispose();
    }
}
