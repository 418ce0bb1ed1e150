using System.Net;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>The <c>ssh</c> route: every connection is a channel of one ssh connection to a bastion with a public address.</summary>
internal sealed class SshRoute : IRoute
{
    private readonly TunnelRequest _request;
    private readonly KeptOpen<SshConnection> _connection;

    internal SshRoute(TunnelRequest request, string bastion, Func<CancellationToken, Task<SshConnection>> connect)
    {
        _request = request;
        Bastion = bastion;
        _connection = new KeptOpen<SshConnection>(
            async token =>
            {
                var connection = await connect(token).ConfigureAwait(false);
                _ = WatchAsync(connection);
                return connection;
            },
            static connection => connection.Ended.IsCompleted,
            () => request.Tell("reconnected", $"The ssh connection to {bastion} is back", ("bastion", bastion), ("route", "ssh")),
            request.Time);
    }

    /// <summary>Finds the bastion and logs in, so that what is wrong shows now.</summary>
    internal static async Task<IRoute> OpenAsync(TunnelRequest request, TunnelSettings settings, FindBastion find, CancellationToken cancellationToken)
    {
        var bastion = await find.ForSshAsync(cancellationToken).ConfigureAwait(false);
        var user = BastionChoice.SshUser(bastion, settings.BastionUser);
        var address = new IPEndPoint(bastion.PublicAddress!, BastionChoice.SshPort(bastion, settings.BastionPort));
        var environment = request.Settings.Environment;
        var identity = new SshIdentity(
            settings.Identity, environment,
            (line, token) => PushSshKey.PushAsync(request.Access, bastion.Id, bastion.AvailabilityZone, user, line, token),
            request.AskPassphrase);
        var login = new SshLogin(
            bastion.Id, address, user, identity, KnownHosts.Of(environment),
            (key, file) => request.Tell(
                "host_key_learned",
                file.Length > 0 ? $"Learned the host key of {bastion.Id}: {key} (remembered in {file})" : $"The host key of {bastion.Id} is new: {key} (it cannot be remembered)",
                ("bastion", bastion.Id), ("address", address.ToString()), ("host_key", key), ("file", file)),
            request.Time);
        var route = new SshRoute(request, bastion.Id, login.ConnectAsync);
        try
        {
            await route._connection.GetAsync(cancellationToken).ConfigureAwait(false);
            request.Tell("session_open", $"Logged in to {bastion.Id} as {user}", ("bastion", bastion.Id), ("user", user));
            return route;
        }
        catch
        {
            await route.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public string Name => "ssh";

    public string Bastion { get; }

    public Task<Exception?> Ended => _connection.Ended;

    public async ValueTask<RouteChannel> OpenAsync(HostPort destination, CancellationToken cancellationToken)
    {
        var connection = await _connection.GetAsync(cancellationToken).ConfigureAwait(false);
        return await connection.OpenAsync(destination, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task WatchAsync(SshConnection connection)
    {
        if (await connection.Ended.ConfigureAwait(false) is not { } reason)
            return;
        _request.Tell("degraded", $"{reason.Message.TrimEnd('.')}; reconnecting", ("bastion", Bastion), ("reason", reason.Message));
        _connection.Drop(connection, reopen: true);
        await connection.DisposeAsync().ConfigureAwait(false);
    }
}
