using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Fumidai.Lab;

/// <summary>What a gate does with a connection attempt.</summary>
/// <param name="Listens">False: nothing listens there, everybody is refused.</param>
/// <param name="OpenTo">Sources that get in; packets of all others are dropped.</param>
internal sealed record GateRule(bool Listens, IReadOnlyList<IPNetwork> OpenTo)
{
    public static GateRule Refused { get; } = new(false, []);
    public static GateRule Dropped { get; } = new(true, []);
    public static GateRule Open { get; } = new(true, [new IPNetwork(IPAddress.Any, 0)]);

    public static GateRule From(Verdict verdict) => verdict switch
    {
        Verdict.Open => Open,
        Verdict.Dropped => Dropped,
        _ => Refused,
    };

    public bool Admits(IPAddress source) => Listens && OpenTo.Any(network => network.Contains(source));
}

/// <summary>
/// A loopback listener in front of a real process, so that the model decides for it too. Open: connections are passed on, half-closes and resets
/// kept apart. Dropped: the connect hangs. Refused: bound, not listening. A rule that goes away stops new connections; established ones live on.
/// </summary>
internal sealed class Gate : IAsyncDisposable
{
    private const int BufferSize = 64 * 1024;

    private readonly Func<IPEndPoint?> _inner;
    private readonly IPAddress? _sourceForInner;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _connections = [];
    private readonly List<Socket> _parked = [];
    private readonly Socket _listener;
    private Socket? _filler;
    private bool _isFiltered;
    private Task _accepting = Task.CompletedTask;
    private GateRule _rule = GateRule.Refused;

    /// <param name="at">Where it stands; port 0: any.</param>
    /// <param name="inner">The real process now; null: it does not listen.</param>
    /// <param name="sourceForInner">Local address of connections to the process, what it sees as its peer; null: the caller's own where that can be bound.</param>
    /// <exception cref="SocketException">The place is taken or forbidden.</exception>
    public Gate(IPEndPoint at, Func<IPEndPoint?> inner, IPAddress? sourceForInner)
    {
        _inner = inner;
        _sourceForInner = sourceForInner;
        _listener = at.Port == 0 ? BindAnywhere(at.Address) : Bind(at);
        At = (IPEndPoint)_listener.LocalEndPoint!;
    }

    public IPEndPoint At { get; }

    /// <summary>Asked anew for each connection that gets in, since the rule last applied may be a moment old; null: the applied one decides.</summary>
    public Func<GateRule>? RuleNow { get; init; }

    /// <summary>Connections passed on now.</summary>
    public int Established
    {
        get
        {
            lock (_lock)
                return _connections.Count;
        }
    }

    /// <summary>Sets the rule for attempts from now on.</summary>
    /// <remarks>
    /// A dropped packet is made by a socket filter where the kernel lets us attach one; newer kernels let only root. Else a queue of length
    /// zero with one connection of our own left in it leaves every further SYN unanswered (dotnet-facts §6.1), and a stranger among several sources
    /// is accepted but not answered until a rule lets him in.
    /// </remarks>
    public void Apply(GateRule rule)
    {
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
                return;
            var before = _rule;
            _rule = rule;
            if (!rule.Listens)
            {
                if (before.Listens)
                    StopListening();
                return;
            }
            // Filter first: between listen and filter a packet could slip in.
            _isFiltered = SocketFilter.TryAllow(_listener, rule.OpenTo);
            var mustDrop = !_isFiltered && rule.OpenTo.Count == 0;
            if (mustDrop)
            {
                if (_filler is not null)
                    return;
                if (before.Listens)
                    StopListening();
                _listener.Listen(0);
                _filler = new Socket(At.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                try
                {
                    _filler.Connect(At);
                }
                catch (SocketException error) when (error.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
                {
                    // As every connect that does not block.
                }
                return;
            }
            if (!before.Listens || _filler is not null)
            {
                _listener.Listen(512);
                _accepting = AcceptAsync(_listener, _filler?.LocalEndPoint);
                _filler?.Dispose();
                _filler = null;
            }
            foreach (var parked in _parked.Where(parked => rule.Admits(((IPEndPoint)parked.RemoteEndPoint!).Address)).ToArray())
            {
                _parked.Remove(parked);
                Start(parked);
            }
        }
    }

    /// <summary>
    /// Linux takes a listening socket that is shut down back to a bound one: it refuses, keeps its place and can listen again. Closing and binding anew
    /// would race with the accept that is under way.
    /// </summary>
    private void StopListening()
    {
        _listener.Shutdown(SocketShutdown.Both);
        _filler?.Dispose();
        _filler = null;
    }

    /// <summary>Closes it and everything that goes through it.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] connections;
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
                return;
            _stop.Cancel();
            _listener.Dispose();
            _filler?.Dispose();
            _parked.ForEach(Reset);
            connections = [.. _connections, _accepting];
        }
        await Task.WhenAll(connections).ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>A port chosen by the kernel is given back when the socket stops listening; one that was asked for stays. So: look, then ask.</summary>
    private static Socket BindAnywhere(IPAddress address)
    {
        for (var attempt = 1; ; attempt++)
        {
            IPEndPoint free;
            using (var probe = Bind(new(address, 0)))
                free = (IPEndPoint)probe.LocalEndPoint!;
            try
            {
                return Bind(free);
            }
            catch (SocketException error) when (attempt < 20 && error.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Somebody took it in between.
            }
        }
    }

    private static Socket Bind(IPEndPoint at)
    {
        var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(at);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task AcceptAsync(Socket listener, EndPoint? filler)
    {
        while (true)
        {
            Socket outer;
            try
            {
                outer = await listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.TooManyOpenSockets)
            {
                continue;
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
            var now = RuleNow?.Invoke();
            lock (_lock)
            {
                var source = ((IPEndPoint)outer.RemoteEndPoint!).Address;
                if (_stop.IsCancellationRequested || Equals(outer.RemoteEndPoint, filler) || now is { Listens: false })
                    Reset(outer);
                else if (now is null ? _isFiltered || _rule.Admits(source) : now.Admits(source))
                    Start(outer);
                else
                    _parked.Add(outer);
            }
        }
    }

    private void Start(Socket outer)
    {
        var connection = PassAsync(outer);
        _connections.Add(connection);
        _ = connection.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Forget(Task connection)
    {
        lock (_lock)
            _connections.Remove(connection);
    }

    private async Task PassAsync(Socket outer)
    {
        await Task.Yield();
        Socket? inner = null;
        try
        {
            outer.NoDelay = true;
            var to = _inner() ?? throw new SocketException((int)SocketError.ConnectionRefused);
            inner = await DialAsync(to, _sourceForInner ?? ((IPEndPoint)outer.RemoteEndPoint!).Address, _stop.Token).ConfigureAwait(false);
            using var failure = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            await Task.WhenAll(CopyAsync(outer, inner, failure), CopyAsync(inner, outer, failure)).ConfigureAwait(false);
            outer.Dispose();
            inner.Dispose();
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            Reset(outer);
            if (inner is not null)
                Reset(inner);
        }
    }

    /// <summary>Dials a real process; its peer address is <paramref name="source"/> where the machine lets us bind it.</summary>
    internal static async Task<Socket> DialAsync(IPEndPoint to, IPAddress source, CancellationToken cancellationToken)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (OperatingSystem.IsLinux() && IPAddress.IsLoopback(source) && source.AddressFamily == to.AddressFamily)
                socket.Bind(new IPEndPoint(source, 0));
            await socket.ConnectAsync(to, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task CopyAsync(Socket from, Socket to, CancellationTokenSource failure)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer.AsMemory(), SocketFlags.None, failure.Token).ConfigureAwait(false)) > 0)
            {
                var rest = buffer.AsMemory(0, count);
                while (rest.Length > 0)
                    rest = rest[await to.SendAsync(rest, SocketFlags.None, failure.Token).ConfigureAwait(false)..];
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch
        {
            await failure.CancelAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Already gone.
        }
        socket.Dispose();
    }
}
