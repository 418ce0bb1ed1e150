using System.IO.Pipelines;
using System.Net.WebSockets;
using Fumidai.SessionManager;

namespace Fumidai;

/// <summary>
/// A byte stream in binary frames of one websocket, at most 65,000 bytes each. There is no half-close: the end of what is written closes the
/// websocket. A text frame or a close that is not the normal one is an error, told with its words (aws-facts §6.1).
/// </summary>
internal sealed class WebSocketChannel : RouteChannel
{
    /// <summary>Largest frame sent, in bytes.</summary>
    internal const int MaxFrame = 65_000;

    /// <summary>Most that waits for its reader either way, in bytes.</summary>
    private const int Bound = 256 * 1024;
    private const int WordsBound = 1024;

    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(2);

    private readonly BatchedWebSocket _socket;
    private readonly string _what;
    private readonly Pipe _inbound = NewPipe();
    private readonly Pipe _outbound = NewPipe();
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loops;

    internal WebSocketChannel(BatchedWebSocket socket, string what)
    {
        (_socket, _what) = (socket, what);
        _loops = RunAsync();
    }

    public override PipeReader Input => _inbound.Reader;

    public override PipeWriter Output => _outbound.Writer;

    public override Task<Exception?> Ended => _ended.Task;

    public override void Abort(Exception reason)
    {
        if (!_ended.TrySetResult(reason))
            return;
        _stop.Cancel();
        _socket.Abort();
    }

    public override async ValueTask DisposeAsync()
    {
        Abort(new OperationCanceledException("the channel was closed"));
        await _loops.ConfigureAwait(false);
    }

    private static Pipe NewPipe() => new(new PipeOptions(pauseWriterThreshold: Bound, resumeWriterThreshold: Bound / 2, minimumSegmentSize: 64 * 1024, useSynchronizationContext: false));

    private async Task RunAsync()
    {
        await Task.WhenAll(SendAsync(), ReceiveAsync()).ConfigureAwait(false);
        _ended.TrySetResult(null);
        _socket.Dispose();
    }

    private async Task SendAsync()
    {
        await Task.Yield();
        var reader = _outbound.Reader;
        try
        {
            while (true)
            {
                if (!reader.TryRead(out var result))
                {
                    // Nothing more for now: what has piled up goes out.
                    await _socket.PushAsync(_stop.Token).ConfigureAwait(false);
                    result = await reader.ReadAsync(_stop.Token).ConfigureAwait(false);
                }
                foreach (var segment in result.Buffer)
                {
                    for (var rest = segment; !rest.IsEmpty; rest = rest[Math.Min(rest.Length, MaxFrame)..])
                        await _socket.SendAsync(rest[..Math.Min(rest.Length, MaxFrame)], WebSocketMessageType.Binary, endOfMessage: true, _stop.Token).ConfigureAwait(false);
                }
                reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                    break;
            }
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, _stop.Token).ConfigureAwait(false);
            await _socket.PushAsync(_stop.Token).ConfigureAwait(false);
            _stop.CancelAfter(CloseLimit); // a peer that never closes its half
        }
        catch (Exception e)
        {
            Fail(e);
        }
        await reader.CompleteAsync().ConfigureAwait(false);
    }

    private async Task ReceiveAsync()
    {
        await Task.Yield();
        var writer = _inbound.Writer;
        Exception? failure = null;
        try
        {
            while (true)
            {
                var received = await _socket.ReceiveAsync(writer.GetMemory(32 * 1024), _stop.Token).ConfigureAwait(false);
                if (received.MessageType == WebSocketMessageType.Close)
                    break;
                if (received.MessageType == WebSocketMessageType.Text)
                    throw Lost("it sent a text");
                writer.Advance(received.Count);
                if ((await writer.FlushAsync(_stop.Token).ConfigureAwait(false)).IsCompleted)
                    break;
            }
            if (_socket.CloseStatus is not (null or WebSocketCloseStatus.NormalClosure))
                throw Lost($"{(int)_socket.CloseStatus} {Words(_socket.CloseStatusDescription)}".Trim());
        }
        catch (Exception e)
        {
            failure = Fail(e);
        }
        await writer.CompleteAsync(failure).ConfigureAwait(false);
        // Both halves end together: a TCP connection of the endpoint is over as a whole.
        await _outbound.Writer.CompleteAsync(failure).ConfigureAwait(false);
    }

    private Exception Fail(Exception e)
    {
        Abort(e is FumidaiException or OperationCanceledException ? e : Lost(e.Message));
        return _ended.Task.Result ?? e;
    }

    private FumidaiException Lost(string cause) => new(Reason.RouteLost, _what, cause, retry: true);

    private static string Words(string? text) => string.Concat((text ?? "").Take(WordsBound).Where(c => !char.IsControl(c)));
}
