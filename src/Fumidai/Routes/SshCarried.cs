using System.Net;
using System.Net.Sockets;

namespace Fumidai;

/// <summary>
/// A byte stream that SSH.NET can connect to. It takes addresses only, so one loopback port carries the stream: it takes one connection, then it is
/// closed. A stranger of this machine who were quicker would see our login fail and reach a login prompt of sshd, nothing else.
/// </summary>
internal sealed class SshCarried : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly RouteChannel _carrier;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _carrying;

    internal SshCarried(RouteChannel carrier)
    {
        _carrier = carrier;
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (OperatingSystem.IsWindows())
                _listener.ExclusiveAddressUse = true;
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(1);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }
        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        _carrying = CarryAsync();
    }

    /// <summary>Where to connect, once.</summary>
    internal IPEndPoint EndPoint { get; }

    /// <summary>Why the carrier ended, where it knows.</summary>
    internal Exception? Why => _carrier.Ended is { IsCompletedSuccessfully: true, Result: { } reason and not OperationCanceledException } ? reason : null;

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _carrying.ConfigureAwait(false);
    }

    private async Task CarryAsync()
    {
        await Task.Yield();
        try
        {
            using var taken = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
            _listener.Dispose();
            taken.NoDelay = true;
            await CopyLoop.RunAsync(taken, _carrier, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            _carrier.Abort(new OperationCanceledException("the connection was given up"));
        }
        await _carrier.DisposeAsync().ConfigureAwait(false);
    }
}
