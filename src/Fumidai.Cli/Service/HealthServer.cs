using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Fumidai.Cli;

/// <summary>An answer of the health port.</summary>
/// <param name="Status">HTTP status code.</param>
/// <param name="ContentType">With its character set.</param>
/// <param name="Text">The body.</param>
internal sealed record HealthAnswer(int Status, string ContentType, string Text);

/// <summary>
/// As much of HTTP/1.1 (RFC 9112) as probes and Prometheus need: one GET or HEAD a connection, bounded in size, time and number, so that nobody
/// who can reach the port can hold the program up.
/// </summary>
internal sealed class HealthServer : IAsyncDisposable
{
    private const int MaxHead = 8 * 1024;
    private const int MaxConnections = 16;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly Socket _listener;
    private readonly Func<string, HealthAnswer?> _answer;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _places = new(MaxConnections);
    private readonly Task _serving;

    private HealthServer(Socket listener, Func<string, HealthAnswer?> answer, TimeProvider time)
    {
        (_listener, _answer, _time) = (listener, answer, time);
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _serving = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    internal IPEndPoint EndPoint { get; }

    /// <param name="at">Port 0: any free one.</param>
    /// <param name="answer">Answers a path; null: there is no such page.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="FumidaiException">The port is held or forbidden, the address is not this machine's.</exception>
    internal static HealthServer Listen(IPEndPoint at, Func<string, HealthAnswer?> answer, TimeProvider time)
    {
        var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (OperatingSystem.IsWindows())
                socket.ExclusiveAddressUse = true;
            socket.Bind(at);
            socket.Listen(MaxConnections);
            return new HealthServer(socket, answer, time);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new FumidaiException(
                Reason.Failed, $"cannot answer health checks on {at}",
                e.SocketErrorCode == SocketError.AddressAlreadyInUse ? "somebody else holds the port" : e.Message,
                "Choose another with --health-port, or --health-port 0 for any free one", inner: e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _serving.ConfigureAwait(false);
        // Every place free again: nobody is being answered.
        for (var i = 0; i < MaxConnections; i++)
            await _places.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _places.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        await Task.Yield();
        while (true)
        {
            try
            {
                await _places.WaitAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            try
            {
                _ = ServeAsync(await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false));
                continue;
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException || _stop.IsCancellationRequested)
            {
                _places.Release();
                return;
            }
            catch (SocketException)
            {
                // Out of descriptors, or a client that gave up in the queue.
                _places.Release();
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        await Task.Yield();
        try
        {
            using (client)
            using (var deadline = new CancellationTokenSource(Limit, _time))
            using (var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, _stop.Token))
            {
                var (head, withBody) = Judge(await ReadHeadAsync(client, both.Token).ConfigureAwait(false));
                await SendAsync(client, Bytes(head, withBody), both.Token).ConfigureAwait(false);
                client.Shutdown(SocketShutdown.Both);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // It left, or took too long: nothing of ours depends on it.
        }
        finally
        {
            _places.Release();
        }
    }

    private static async Task<string?> ReadHeadAsync(Socket client, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxHead];
        var length = 0;
        while (length < buffer.Length)
        {
            var read = await client.ReceiveAsync(buffer.AsMemory(length), SocketFlags.None, cancellationToken).ConfigureAwait(false);
            if (read == 0)
                return null;
            length += read;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0)
                return Encoding.ASCII.GetString(buffer, 0, buffer.AsSpan(0, length).IndexOf("\r\n"u8));
        }
        return null;
    }

    private (HealthAnswer Answer, bool WithBody) Judge(string? line)
    {
        var words = line?.Split(' ') ?? [];
        if (words is not [var method, ['/', ..] target, "HTTP/1.1" or "HTTP/1.0"])
            return (Plain(400, "bad request"), true);
        if (method is not ("GET" or "HEAD"))
            return (Plain(405, "method not allowed"), true);
        return (_answer(target.Split('?')[0]) ?? Plain(404, "not found"), method == "GET");
    }

    internal static HealthAnswer Plain(int status, string text) => new(status, "text/plain; charset=utf-8", text + "\n");

    private static byte[] Bytes(HealthAnswer answer, bool withBody)
    {
        var body = Encoding.UTF8.GetBytes(answer.Text);
        var phrase = answer.Status switch
        {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            _ => "Service Unavailable",
        };
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {answer.Status} {phrase}\r\nContent-Type: {answer.ContentType}\r\nContent-Length: {body.Length}\r\nCache-Control: no-store\r\n{(answer.Status == 405 ? "Allow: GET, HEAD\r\n" : "")}Connection: close\r\n\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. withBody ? body : []];
    }

    private static async Task SendAsync(Socket client, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await client.SendAsync(bytes, SocketFlags.None, cancellationToken).ConfigureAwait(false)..];
    }
}
