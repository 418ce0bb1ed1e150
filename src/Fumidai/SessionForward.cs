using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Fumidai.SessionManager;

namespace Fumidai;

/// <summary>What happened to a client of a <see cref="SessionForward"/>.</summary>
public enum ForwardedClient
{
    /// <summary>It was accepted.</summary>
    Accepted,
    /// <summary>The bastion could not connect to the destination for it.</summary>
    Refused,
}

/// <summary>
/// A local listener over a port session that somebody else has started: what <see cref="Tunnel"/> is for sessions of our own. Copies with the
/// same loop; owns the listener and its connections, not the session.
/// </summary>
public sealed class SessionForward : IAsyncDisposable
{
    private readonly PortClient _session;
    private readonly IDisposable _listener;
    private readonly IProgress<ForwardedClient> _clients;
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<Task> _connections = [];
    private readonly Task _loops;

    private SessionForward(PortClient session, IDisposable listener, IReadOnlyList<Socket> sockets, EndPoint local, IProgress<ForwardedClient> clients)
    {
        (_session, _listener, _clients, Local) = (session, listener, clients, local);
        _loops = Task.WhenAll(sockets.Select(AcceptAsync));
    }

    /// <summary>Where clients connect.</summary>
    public EndPoint Local { get; }

    /// <summary>Listens on 127.0.0.1 and ::1.</summary>
    /// <param name="session">The session.</param>
    /// <param name="port">TCP port; 0: any free one.</param>
    /// <param name="clients">Told of each client.</param>
    /// <exception cref="FumidaiException">The port is held or forbidden.</exception>
    public static SessionForward OnPort(PortClient session, int port, IProgress<ForwardedClient> clients)
    {
        var listener = LocalListener.Bind(port);
        return new SessionForward(session, listener, listener.Sockets, listener.EndPoint, clients);
    }

    /// <summary>Listens on a Unix domain socket of mode 0600, whose file goes with this object.</summary>
    /// <exception cref="FumidaiException">The path is taken or cannot be made.</exception>
    public static SessionForward OnUnixSocket(PortClient session, string path, IProgress<ForwardedClient> clients)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            var local = new UnixDomainSocketEndPoint(path);
            socket.Bind(local);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            socket.Listen();
            return new SessionForward(session, socket, [socket], local, clients);
        }
        catch (Exception e) when (e is SocketException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new FumidaiException(Reason.Failed, $"cannot listen on {path}", e.Message, "Choose another path, or remove the file if nobody listens there", inner: e);
        }
    }

    /// <summary>Stops listening and ends what is open.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _stop.CancelAsync().ConfigureAwait(false);
        Task[] running;
        lock (_connections)
            running = [.. _connections];
        await Task.WhenAll([_loops, .. running]).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        await Task.Yield();
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var serving = ServeAsync(await listener.AcceptAsync(_stop.Token).ConfigureAwait(false));
                lock (_connections)
                {
                    _connections.RemoveWhere(static c => c.IsCompleted);
                    _connections.Add(serving);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode is not (SocketError.OperationAborted or SocketError.InvalidArgument))
            {
                // A client that gave up in the queue, or no descriptor free: the next one may fare better.
            }
            catch (SocketException)
            {
                return;
            }
        }
    }

    // One client's trouble is never the session's.
    private async Task ServeAsync(Socket client)
    {
        await Task.Yield();
        try
        {
            if (client.AddressFamily != AddressFamily.Unix)
                client.NoDelay = true;
            _clients.Report(ForwardedClient.Accepted);
            var stream = await _session.OpenStreamAsync(_stop.Token).ConfigureAwait(false);
            var result = await CopyLoop.RunAsync(client, new StreamChannel(stream), _stop.Token).ConfigureAwait(false);
            if (result.Reason is ConnectToPortException)
                _clients.Report(ForwardedClient.Refused);
        }
        catch (Exception e) when (e is SessionEndedException or OperationCanceledException or SocketException)
        {
            CopyLoop.Reset(client);
        }
        finally
        {
            client.Dispose();
        }
    }

    private sealed class StreamChannel(PortStream stream) : RouteChannel
    {
        public override PipeReader Input => stream.Input;

        public override PipeWriter Output => stream.Output;

        public override Task<Exception?> Ended => stream.Ended;

        public override void Abort(Exception reason) => stream.Abort(reason);

        public override ValueTask DisposeAsync() => stream.DisposeAsync();
    }
}
