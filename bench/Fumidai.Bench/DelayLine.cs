using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Fumidai.Bench;

/// <summary>
/// A path of a given length: what enters leaves as long after, in both directions, in order, at any rate. A program because these kernels have no netem. It
/// forwards to fixed places; where an answer in plain text names the place by its address (a StreamUrl), it names the line instead. Timers here step in
/// up to 4 ms, so a round trip is up to twice that longer than asked for.
/// </summary>
internal sealed class DelayLine(TimeSpan oneWay) : IAsyncDisposable
{
    /// <summary>What may be under way in one direction of one connection: more than any window used here.</summary>
    private const int MostPieces = 4096;

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _listeners = [];
    private readonly List<Task> _running = [];

    /// <summary>A local port that leads to another the long way.</summary>
    public int To(int port, IPAddress? address = null)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(512);
        _listeners.Add(listener);
        var own = ((IPEndPoint)listener.LocalEndPoint!).Port;
        _running.Add(AcceptAsync(listener, new IPEndPoint(address ?? IPAddress.Loopback, port), own));
        return own;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var listener in _listeners)
            listener.Dispose();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync(Socket listener, IPEndPoint place, int own)
    {
        while (true)
        {
            var near = await listener.AcceptAsync(_stop.Token);
            _ = Task.Run(() => CarryAsync(near, place, own));
        }
    }

    private async Task CarryAsync(Socket near, IPEndPoint place, int own)
    {
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            near.NoDelay = true;
            // The handshake of TCP: one round trip.
            await Task.Delay(oneWay * 2, _stop.Token);
            await far.ConnectAsync(place, _stop.Token);
            await Task.WhenAll(DirectionAsync(near, far, 0, 0), DirectionAsync(far, near, place.Port, own));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One side is gone, or the run is over.
        }
        finally
        {
            near.Dispose();
        }
    }

    /// <summary>The two ports have the same number of digits, so nothing else in the answer changes.</summary>
    private static void Rename(Span<byte> bytes, int port, int own)
    {
        var name = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"));
        var line = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{own}"));
        if (name.Length != line.Length)
            return;
        for (int at; (at = bytes.IndexOf(name)) >= 0; bytes = bytes[(at + name.Length)..])
            line.CopyTo(bytes[at..]);
    }

    private async Task DirectionAsync(Socket from, Socket to, int port, int own)
    {
        var under = Channel.CreateBounded<(long Due, byte[] Bytes, int Length)>(new BoundedChannelOptions(MostPieces) { SingleReader = true, SingleWriter = true });
        var delay = (long)(oneWay.TotalSeconds * Stopwatch.Frequency);
        var leaving = LeaveAsync();
        try
        {
            while (true)
            {
                var bytes = ArrayPool<byte>.Shared.Rent(64 * 1024);
                var length = await from.ReceiveAsync(bytes.AsMemory(), _stop.Token);
                if (own != 0)
                    Rename(bytes.AsSpan(0, length), port, own);
                await under.Writer.WriteAsync((Stopwatch.GetTimestamp() + delay, bytes, length), _stop.Token);
                if (length == 0)
                    break;
            }
        }
        catch
        {
            to.Dispose();
            throw;
        }
        finally
        {
            under.Writer.TryComplete();
        }
        await leaving;

        async Task LeaveAsync()
        {
            await foreach (var (due, bytes, length) in under.Reader.ReadAllAsync(_stop.Token))
            {
                var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                if (left > TimeSpan.Zero)
                    await Task.Delay(left, _stop.Token);
                if (length == 0)
                    to.Shutdown(SocketShutdown.Send);
                else
                    await FarEnd.SendAllAsync(to, bytes.AsMemory(0, length));
                ArrayPool<byte>.Shared.Return(bytes);
            }
        }
    }
}
