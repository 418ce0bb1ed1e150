using System.Globalization;
using System.Net;

namespace Fumidai;

/// <summary>Where an ssh connection goes.</summary>
/// <param name="Name">The route's name on screen: ssh, eice.</param>
/// <param name="Bastion">Instance id.</param>
/// <param name="User">Login.</param>
/// <param name="Address">sshd's address as it is known by.</param>
internal sealed record SshPlace(string Name, string Bastion, string User, IPEndPoint Address)
{
    /// <summary>How long what carries the connection lives; null: without end.</summary>
    internal TimeSpan? Life { get; init; }

    /// <summary>What carries it, for people; null: TCP to the address.</summary>
    internal string? Carrier { get; init; }
}

/// <summary>
/// The <c>ssh</c> and <c>eice</c> routes: every connection is a channel of one ssh connection to a bastion, by TCP, through an EC2 Instance Connect
/// Endpoint or a Session Manager session. What carries it may live for a limited time: then a second connection is made well before the end and
/// serves new channels, while the first one lives on until its last channel or its end.
/// </summary>
internal sealed class SshRoute : IRoute, IAnsweringRoute
{
    private static readonly TimeSpan LongestAhead = TimeSpan.FromMinutes(5);

    /// <summary>How long before its end a connection is replaced, and those whom the end will cut are told.</summary>
    private readonly TimeSpan _ahead;

    private readonly TunnelRequest _request;
    private readonly SshPlace _place;
    private readonly Func<CancellationToken, Task<SshConnection>> _connect;
    private readonly KeptOpen<SshConnection> _connection;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly HashSet<SshConnection> _retired = [];

    internal SshRoute(TunnelRequest request, SshPlace place, Func<CancellationToken, Task<SshConnection>> connect)
    {
        (_request, _place, _connect) = (request, place, connect);
        _ahead = place.Life / 4 is { } quarter && quarter < LongestAhead ? quarter : LongestAhead;
        _connection = new KeptOpen<SshConnection>(
            ConnectAsync,
            static connection => connection.Ended.IsCompleted,
            () => request.Tell("reconnected", $"The {place.Name} connection to {place.Bastion} is back", ("bastion", place.Bastion), ("route", place.Name)),
            request.Time);
    }

    /// <summary>Logs in, so that what is wrong shows now.</summary>
    internal static async Task<IRoute> OpenAsync(TunnelRequest request, SshPlace place, SshLogin login, CancellationToken cancellationToken)
    {
        var route = new SshRoute(request, place, login.ConnectAsync);
        try
        {
            await route._connection.GetAsync(cancellationToken).ConfigureAwait(false);
            request.Tell(
                "session_open", place.Carrier is null ? $"Logged in to {place.Bastion} as {place.User}" : $"Logged in to {place.Bastion} as {place.User} through {place.Carrier}",
                ("bastion", place.Bastion), ("user", place.User), ("through", place.Carrier ?? ""));
            return route;
        }
        catch
        {
            await route.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public string Name => _place.Name;

    public string Bastion => _place.Bastion;

    public Task<Exception?> Ended => _connection.Ended;

    public async ValueTask<RouteChannel> OpenAsync(HostPort destination, CancellationToken cancellationToken)
    {
        var connection = await _connection.GetAsync(cancellationToken).ConfigureAwait(false);
        return await connection.OpenAsync(destination, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<bool> AnswersAsync(TimeSpan within, CancellationToken cancellationToken) =>
        _connection.OpenNow is { } connection && await connection.AnswersAsync(within, cancellationToken).ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        SshConnection[] retired;
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
                return;
            _stop.Cancel();
            retired = [.. _retired];
        }
        await Task.WhenAll([_connection.DisposeAsync().AsTask(), .. retired.Select(r => r.DisposeAsync().AsTask())]).ConfigureAwait(false);
    }

    private async Task<SshConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        // The carrier's time runs from before the login.
        var began = _request.Time.GetTimestamp();
        var connection = await _connect(cancellationToken).ConfigureAwait(false);
        _ = WatchAsync(connection);
        if (_place.Life is { } life)
            _ = RenewAsync(connection, life - _request.Time.GetElapsedTime(began));
        return connection;
    }

    private async Task WatchAsync(SshConnection connection)
    {
        if (await connection.Ended.ConfigureAwait(false) is not { } reason)
            return;
        bool wasRetired;
        lock (_lock)
            wasRetired = _retired.Contains(connection);
        if (!wasRetired)
        {
            _request.Tell("degraded", $"{reason.Message.TrimEnd('.')}; reconnecting", ("bastion", Bastion), ("route", Name), ("reason", reason.Message));
            _connection.Drop(connection, reopen: true);
        }
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Puts another connection in its place before its time is over.</summary>
    private async Task RenewAsync(SshConnection connection, TimeSpan left)
    {
        try
        {
            await Task.Delay(left > _ahead ? left - _ahead : TimeSpan.Zero, _request.Time, _stop.Token).ConfigureAwait(false);
            while (!connection.Ended.IsCompleted)
            {
                try
                {
                    if (await _connection.ReplaceAsync(connection, Retire).ConfigureAwait(false))
                        await SeeOutAsync(connection).ConfigureAwait(false);
                    return;
                }
                catch (FumidaiException)
                {
                    // The one there is serves on; there is time for more tries.
                    await Task.Delay(_ahead / 15, _request.Time, _stop.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Closing.
        }
    }

    // Before the other one takes its place, so that its end is never taken for a loss.
    private void Retire(SshConnection connection)
    {
        lock (_lock)
            _retired.Add(connection);
    }

    private static string Span(TimeSpan time) =>
        time < TimeSpan.FromMinutes(2) ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} seconds") : string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} minutes");

    private async Task SeeOutAsync(SshConnection connection)
    {
        var open = connection.Channels;
        var through = _place.Carrier ?? Bastion;
        if (open > 0)
        {
            _request.Tell(
                "limit_near",
                string.Create(CultureInfo.InvariantCulture, $"{open} {(open == 1 ? "connection" : "connections")} through {through} will be cut in {Span(_ahead)}, when the time it may live is over; new ones go through a fresh connection"),
                ("bastion", Bastion), ("route", Name), ("connections", open.ToString(CultureInfo.InvariantCulture)), ("seconds", _ahead.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)));
        }
        else
        {
            _request.Tell("renewed", $"A fresh connection through {through} serves new clients", ("bastion", Bastion), ("route", Name));
        }
        await Task.WhenAny(connection.WhenUnused(), connection.Ended).ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
        lock (_lock)
            _retired.Remove(connection);
    }
}
