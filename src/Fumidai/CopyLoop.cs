using System.Net.Sockets;

namespace Fumidai;

/// <summary>Whose fault the end of a copied connection was.</summary>
internal enum CopySide
{
    /// <summary>Nobody's: both directions came to their end.</summary>
    None,
    /// <summary>The local client vanished or reset.</summary>
    Client,
    /// <summary>The route's channel failed or was refused.</summary>
    Channel,
    /// <summary>We were told to stop.</summary>
    Stopped,
}

/// <summary>How one copied connection ended.</summary>
/// <param name="Up">Bytes from the client into the channel.</param>
/// <param name="Down">Bytes from the channel to the client.</param>
/// <param name="Blame">Who ended it otherwise than in order.</param>
/// <param name="Reason">Why; null for an orderly end.</param>
internal readonly record struct CopyResult(long Up, long Down, CopySide Blame, Exception? Reason);

/// <summary>
/// Copies bytes between a local client and a channel. The directions are independent: the end of one finishes writing in that direction
/// only (the half-close), a failure in either ends both. Back-pressure is the pipes' own: a slow reader stops the sender. An idle
/// connection holds no buffer: it waits for readiness with a read of zero bytes and rents memory only when there is something to read.
/// </summary>
internal sealed class CopyLoop
{
    /// <summary>Room asked of the channel's pipe for one read, in bytes; the pipe's own segment size decides how much more it gives.</summary>
    private const int LeastRead = 4096;

    private readonly Socket _client;
    private readonly RouteChannel _channel;
    private readonly ChannelNumbers? _numbers;
    private Failure? _first;
    private long _up;
    private long _down;

    private CopyLoop(Socket client, RouteChannel channel, ChannelNumbers? numbers) => (_client, _channel, _numbers) = (client, channel, numbers);

    /// <summary>Copies until both directions are over. Closes the client (with a reset when it ended badly) and disposes the channel.</summary>
    internal static async Task<CopyResult> RunAsync(Socket client, RouteChannel channel, CancellationToken stop, ChannelNumbers? numbers = null)
    {
        var loop = new CopyLoop(client, channel, numbers);
        using (stop.UnsafeRegister(static state => ((CopyLoop)state!).Fail(CopySide.Stopped, new OperationCanceledException("the tunnel is closing")), loop))
        {
            // The channel ends last: bytes it has taken from us may still be on their way when both directions are done here.
            await Task.WhenAll(loop.UpAsync(), loop.DownAsync(), loop.WatchAsync()).ConfigureAwait(false);
        }
        await channel.DisposeAsync().ConfigureAwait(false);
        if (loop._first is not null)
            Reset(client);
        client.Dispose();
        return new CopyResult(loop._up, loop._down, loop._first?.Side ?? CopySide.None, loop._first?.Reason);
    }

    /// <summary>Makes the close of a socket a reset: the client sees that its connection was cut, not that it ended.</summary>
    internal static void Reset(Socket client)
    {
        try
        {
            client.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is gone already.
        }
    }

    private async Task UpAsync()
    {
        var output = _channel.Output;
        try
        {
            while (true)
            {
                if (_client.Available == 0)
                    await _client.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).ConfigureAwait(false);
                var read = await _client.ReceiveAsync(output.GetMemory(LeastRead), SocketFlags.None).ConfigureAwait(false);
                if (read == 0)
                    break;
                output.Advance(read);
                _up += read;
                _numbers?.AddUp(read);
                var flush = await output.FlushAsync().ConfigureAwait(false);
                if (flush.IsCompleted || flush.IsCanceled)
                    break; // the far end reads no more; what it still says is the other direction's business
            }
            await output.CompleteAsync(_first?.Reason).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Fail(e is SocketException or ObjectDisposedException ? CopySide.Client : CopySide.Channel, e);
            await output.CompleteAsync(e).ConfigureAwait(false);
        }
    }

    private async Task DownAsync()
    {
        var input = _channel.Input;
        try
        {
            while (true)
            {
                var result = await input.ReadAsync().ConfigureAwait(false);
                foreach (var segment in result.Buffer)
                    await SendAsync(segment).ConfigureAwait(false);
                input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted || result.IsCanceled)
                    break;
            }
            if (_channel.Ended is { IsCompletedSuccessfully: true, Result: { } reason })
                Fail(CopySide.Channel, reason);
            if (_first is null)
                _client.Shutdown(SocketShutdown.Send);
            await input.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Fail(e is SocketException or ObjectDisposedException ? CopySide.Client : CopySide.Channel, e);
            await input.CompleteAsync(e).ConfigureAwait(false);
        }
    }

    /// <summary>A channel may know more than its pipes say: that the far end refused can look like an early end.</summary>
    private async Task WatchAsync()
    {
        if (await _channel.Ended.ConfigureAwait(false) is { } reason)
            Fail(CopySide.Channel, reason);
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var sent = await _client.SendAsync(bytes, SocketFlags.None).ConfigureAwait(false);
            _down += sent;
            _numbers?.AddDown(sent);
            bytes = bytes[sent..];
        }
    }

    /// <summary>The first failure is the truth; it ends both sides so that the other direction cannot wait for ever.</summary>
    private void Fail(CopySide side, Exception reason)
    {
        if (Interlocked.CompareExchange(ref _first, new Failure(side, reason), null) is not null)
            return;
        _channel.Abort(reason);
        Reset(_client);
        _client.Dispose();
    }

    private sealed record Failure(CopySide Side, Exception Reason);
}
