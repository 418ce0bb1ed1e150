using System.Collections.Concurrent;
using Renci.SshNet;
using Renci.SshNet.Common;
using Renci.SshNet.Messages;
using Renci.SshNet.Messages.Connection;

namespace Fumidai;

/// <summary>
/// One logged-in ssh connection carrying many channels. Arrivals come on SSH.NET's reading thread and must not wait for anything; sending goes
/// one message at a time, so that a full socket blocks one thread and not one per channel.
/// </summary>
internal sealed class SshConnection : IAsyncDisposable
{
    /// <summary>How often the server is asked whether it lives, and how many questions may stay unanswered.</summary>
    internal static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);
    internal const int KeepAliveMisses = 3;

    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(2);

    private readonly SshClient _client;
    private readonly Session _session;
    private readonly string _bastion;
    private readonly TimeProvider _time;
    private readonly SshCarried? _carried;
    private readonly AnswerSignal _answers = new();
    private readonly TaskCompletionSource _unused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isRetired;
    private readonly ConcurrentDictionary<uint, SshChannel> _channels = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _keepAlive;
    private int _lastNumber;
    private int _unanswered;

    internal SshConnection(SshClient client, Session session, string bastion, TimeProvider time, SshCarried? carried = null)
    {
        _carried = carried;
        _client = client;
        _session = session;
        _bastion = bastion;
        _time = time;
        session.ChannelOpenConfirmationReceived += (_, e) => Arrived(e.Message.LocalChannelNumber, c => c.Confirmed(e.Message));
        session.ChannelOpenFailureReceived += (_, e) => Arrived(e.Message.LocalChannelNumber, c => c.Refused(Refusal(c.Destination, e.Message)));
        session.ChannelDataReceived += (_, e) => Arrived(e.Message.LocalChannelNumber, c => c.DataArrived(e.Message.Data.AsSpan(e.Message.Offset, e.Message.Size)));
        session.ChannelWindowAdjustReceived += (_, e) => Arrived(e.Message.LocalChannelNumber, c => c.WindowGrew(e.Message.BytesToAdd));
        session.ChannelEofReceived += (_, e) => Arrived(e.Message.LocalChannelNumber, c => c.EofArrived());
        session.ChannelCloseReceived += (_, e) => Arrived(e.Message.LocalChannelNumber, c => c.CloseArrived());
        session.ChannelRequestReceived += (_, e) => Arrived(e.Message.LocalChannelNumber, c => c.RequestArrived(e.Message));
        session.RequestFailureReceived += (_, _) => Heard();
        session.RequestSuccessReceived += (_, _) => Heard();
        session.ErrorOccured += (_, e) => Lose(e.Exception);
        session.Disconnected += (_, _) => Lose(new IOException("the server closed the connection"));
        _keepAlive = KeepAliveAsync();
    }

    /// <summary>Completes when the connection is lost (with the reason) or disposed (null).</summary>
    internal Task<Exception?> Ended => _ended.Task;

    /// <summary>Channels open now.</summary>
    internal int Channels => _channels.Count;

    /// <summary>Completes when its last channel is over; from now on nobody opens another.</summary>
    internal Task WhenUnused()
    {
        Volatile.Write(ref _isRetired, true);
        if (_channels.IsEmpty)
            _unused.TrySetResult();
        return _unused.Task;
    }

    /// <summary>Asks the server whether it lives; anything heard from it is an answer.</summary>
    internal async ValueTask<bool> AnswersAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        if (_ended.Task.IsCompleted)
            return false;
        var answer = _answers.Next;
        _ = Task.Run(() => SendAsync(SshWire.KeepAlive), CancellationToken.None);
        Task first = Task.WhenAny(answer, _ended.Task);
        await first.WaitAsync(within, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return answer.IsCompleted && !_ended.Task.IsCompleted;
    }

    /// <summary>Opens one channel and waits until the bastion has connected.</summary>
    /// <exception cref="FumidaiException">The bastion could not connect, or the connection is lost.</exception>
    internal async ValueTask<RouteChannel> OpenAsync(HostPort destination, CancellationToken cancellationToken)
    {
        var channel = new SshChannel(this, (uint)Interlocked.Increment(ref _lastNumber), destination);
        _channels.TryAdd(channel.Number, channel);
        if (_ended.Task.IsCompleted)
            channel.Lost(await _ended.Task.ConfigureAwait(false) ?? new ObjectDisposedException(nameof(SshConnection)));
        else
            await SendAsync(() => new ChannelOpenMessage(channel.Number, SshChannel.Window, SshChannel.MaxPacket, new DirectTcpip(destination))).ConfigureAwait(false);
        try
        {
            await channel.Opened.WaitAsync(cancellationToken).ConfigureAwait(false);
            return channel;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            channel.Abandon();
            throw;
        }
    }

    /// <summary>Sends a message of a channel, unless its CLOSE has gone out: a server hangs up on messages for a channel it no longer knows.</summary>
    internal Task SendOnAsync(SshChannel channel, Func<uint, Message> message) =>
        SendAsync(() => channel.CloseSent ? null : message(channel.RemoteNumber));

    /// <summary>Sends CLOSE, once. Safe to call from an arrival.</summary>
    internal Task SendCloseAsync(SshChannel channel) => Task.Run(() => SendAsync(() =>
    {
        if (channel.CloseSent || !channel.IsConfirmed)
            return null;
        channel.CloseSent = true;
        return new ChannelCloseMessage(channel.RemoteNumber);
    }));

    internal void Forget(SshChannel channel)
    {
        _channels.TryRemove(channel.Number, out _);
        if (Volatile.Read(ref _isRetired) && _channels.IsEmpty)
            _unused.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        _ended.TrySetResult(null);
        EndChannels(new OperationCanceledException("the route is closing"));
        await _keepAlive.ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
    }

    /// <summary>A dead network can hold SSH.NET's goodbye for long; it then ends on its own thread, without us.</summary>
    private async Task CloseAsync()
    {
        try
        {
            await Task.Run(_client.Dispose).WaitAsync(CloseLimit, _time).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or SshException or ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            // It is over either way.
        }
        if (_carried is not null)
            await _carried.DisposeAsync().ConfigureAwait(false);
    }

    private async Task SendAsync(Func<Message?> make)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_ended.Task.IsCompleted && make() is { } message)
                SshWire.Send(_session, message);
        }
        catch (Exception e) when (e is SshException or System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            Lose(e);
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Arrived(uint number, Action<SshChannel> tell)
    {
        Heard();
        if (_channels.TryGetValue(number, out var channel))
            tell(channel);
    }

    private void Heard()
    {
        Volatile.Write(ref _unanswered, 0);
        _answers.Set();
    }

    private async Task KeepAliveAsync()
    {
        using var timer = new PeriodicTimer(KeepAliveInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                if (Interlocked.Increment(ref _unanswered) > KeepAliveMisses)
                {
                    Lose(new TimeoutException("the server has not answered for too long"));
                    return;
                }
                _ = Task.Run(() => SendAsync(SshWire.KeepAlive));
            }
        }
        catch (OperationCanceledException)
        {
            // Closing.
        }
    }

    private void Lose(Exception why)
    {
        var reason = new FumidaiException(Reason.RouteLost, $"the ssh connection to {_bastion} was lost", (_carried?.Why ?? why).Message, retry: true, inner: why);
        if (_ended.TrySetResult(reason))
            EndChannels(reason);
    }

    private void EndChannels(Exception reason)
    {
        foreach (var channel in _channels.Values)
            channel.Lost(reason);
    }

    private FumidaiException Refusal(HostPort destination, ChannelOpenFailureMessage message)
    {
        var what = $"{_bastion} could not connect to {destination}";
        var words = string.Concat((message.Description ?? "").Where(c => !char.IsControl(c)));
        return message.ReasonCode switch
        {
            1 => new FumidaiException(Reason.NoRoute, what, "its sshd forbids forwarding", "AllowTcpForwarding and PermitOpen of its sshd must allow it"),
            2 => new FumidaiException(
                Reason.NoRoute, what, words.Length > 0 ? words : "connect failed",
                "Is the database running, does it listen on this port, and do its security groups admit the bastion?", retry: true),
            _ => new FumidaiException(Reason.NoRoute, what, words, retry: true),
        };
    }
}
