using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;

namespace Fumidai;

/// <summary>
/// Copies between a local client and a server behind TLS, without looking at a byte. As <see cref="CopyLoop"/>: the end of one direction ends that direction
/// only, a failure ends both, and an idle connection holds no buffer.
/// </summary>
internal sealed class TlsCopy
{
    /// <summary>Two TLS records fit; more would only fill caches.</summary>
    private const int BufferSize = 32 * 1024;

    private readonly Socket _client;
    private readonly SslStream _server;
    private readonly RouteChannel _channel;
    private readonly ChannelNumbers? _numbers;
    private Exception? _first;
    private CopySide _blame;
    private long _up;
    private long _down;

    private TlsCopy(Socket client, SslStream server, RouteChannel channel, ChannelNumbers? numbers) => (_client, _server, _channel, _numbers) = (client, server, channel, numbers);

    /// <summary>Copies until both directions are over. Closes the client and disposes the channel.</summary>
    internal static async Task<CopyResult> RunAsync(Socket client, SslStream server, RouteChannel channel, ChannelNumbers? numbers, CancellationToken stop)
    {
        var copy = new TlsCopy(client, server, channel, numbers);
        using (stop.UnsafeRegister(static state => ((TlsCopy)state!).Fail(CopySide.Stopped, new OperationCanceledException("the tunnel is closing")), copy))
            await Task.WhenAll(copy.UpAsync(), copy.DownAsync(), copy.WatchAsync()).ConfigureAwait(false);
        await channel.DisposeAsync().ConfigureAwait(false);
        if (copy._first is not null)
            CopyLoop.Reset(client);
        client.Dispose();
        return new CopyResult(copy._up, copy._down, copy._blame, copy._first);
    }

    private async Task UpAsync()
    {
        byte[]? buffer = null;
        try
        {
            while (true)
            {
                if (_client.Available == 0)
                {
                    Return(ref buffer);
                    await _client.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).ConfigureAwait(false);
                }
                buffer ??= ArrayPool<byte>.Shared.Rent(BufferSize);
                var read = await _client.ReceiveAsync(buffer.AsMemory(), SocketFlags.None).ConfigureAwait(false);
                if (read == 0)
                    break;
                await _server.WriteAsync(buffer.AsMemory(0, read)).ConfigureAwait(false);
                _up += read;
                _numbers?.AddUp(read);
            }
            await _server.ShutdownAsync().ConfigureAwait(false);
            await _channel.Output.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Fail(e is SocketException or ObjectDisposedException ? CopySide.Client : CopySide.Channel, e);
            await _channel.Output.CompleteAsync(e).ConfigureAwait(false);
        }
        finally
        {
            Return(ref buffer);
        }
    }

    private async Task DownAsync()
    {
        byte[]? buffer = null;
        try
        {
            while (true)
            {
                // A read of nothing waits without a buffer; what has arrived is then there at once.
                await _server.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
                buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
                var read = await _server.ReadAsync(buffer).ConfigureAwait(false);
                if (read == 0)
                    break;
                for (var rest = buffer.AsMemory(0, read); !rest.IsEmpty;)
                    rest = rest[await _client.SendAsync(rest, SocketFlags.None).ConfigureAwait(false)..];
                _down += read;
                _numbers?.AddDown(read);
                Return(ref buffer);
            }
            if (_channel.Ended is { IsCompletedSuccessfully: true, Result: { } reason })
                Fail(CopySide.Channel, reason);
            if (_first is null)
                _client.Shutdown(SocketShutdown.Send);
            await _channel.Input.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Fail(e is SocketException or ObjectDisposedException ? CopySide.Client : CopySide.Channel, e);
            await _channel.Input.CompleteAsync(e).ConfigureAwait(false);
        }
        finally
        {
            Return(ref buffer);
        }
    }

    private async Task WatchAsync()
    {
        if (await _channel.Ended.ConfigureAwait(false) is { } reason)
            Fail(CopySide.Channel, reason);
    }

    private static void Return(ref byte[]? buffer)
    {
        if (buffer is null)
            return;
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
    }

    /// <summary>The first failure is the truth; it ends both sides so that the other direction cannot wait for ever.</summary>
    private void Fail(CopySide side, Exception reason)
    {
        if (Interlocked.CompareExchange(ref _first, reason, null) is not null)
            return;
        _blame = side;
        _channel.Abort(reason);
        CopyLoop.Reset(_client);
        _client.Dispose();
    }
}
