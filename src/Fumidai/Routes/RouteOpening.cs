using System.Net;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Opens one ranked route.</summary>
internal sealed class RouteOpening(TunnelRequest request, TunnelSettings settings, FindBastion find)
{
    /// <summary>How long sshd may take after its machine runs.</summary>
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan BootPause = TimeSpan.FromSeconds(3);

    internal async Task<IRoute> OpenAsync(RankedRoute ranked, CancellationToken cancellationToken)
    {
        var bastion = ranked.Bastion;
        switch (ranked.Carrier)
        {
            case RouteCarrier.Session:
                return await SsmRoute.OpenAsync(request, await find.OnlineAsync(bastion, cancellationToken).ConfigureAwait(false), settings.Sessions, cancellationToken).ConfigureAwait(false);
            case RouteCarrier.Address:
                await find.RefuseShutAsync(bastion, cancellationToken).ConfigureAwait(false);
                var address = new IPEndPoint(bastion.PublicAddress!, BastionChoice.SshPort(bastion, settings.BastionPort));
                return await SshRoute.OpenAsync(request, Place("ssh", bastion, address), Login(bastion, address, null), cancellationToken).ConfigureAwait(false);
            case RouteCarrier.Endpoint:
                return await OpenEiceAsync(bastion, ranked.Facts.Endpoint!, cancellationToken).ConfigureAwait(false);
            default:
                var session = new SshSession(request, bastion, settings.BastionPort);
                return await SshRoute.OpenAsync(
                    request, Place("ssh", bastion, session.Address) with { Carrier = "a Session Manager session" },
                    Login(bastion, session.Address, session.OpenAsync), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<IRoute> OpenEiceAsync(BastionInstance bastion, ConnectEndpoint endpoint, CancellationToken cancellationToken)
    {
        var (running, wasStarted) = await find.RunningAsync(bastion, cancellationToken).ConfigureAwait(false);
        var began = request.Time.GetTimestamp();
        while (true)
        {
            try
            {
                var eice = new EiceTunnel(request, running, endpoint);
                return await SshRoute.OpenAsync(
                    request, Place("eice", running, eice.Address) with { Life = eice.Life, Carrier = endpoint.Id },
                    Login(running, eice.Address, eice.OpenAsync), cancellationToken).ConfigureAwait(false);
            }
            catch (FumidaiException e) when (wasStarted && e.IsTransient && request.Time.GetElapsedTime(began) < BootLimit)
            {
                await Task.Delay(BootPause, request.Time, cancellationToken).ConfigureAwait(false); // its sshd is not up yet
            }
        }
    }

    private SshPlace Place(string name, BastionInstance bastion, IPEndPoint address) =>
        new(name, bastion.Id, BastionChoice.SshUser(bastion, settings.BastionUser), address);

    private SshLogin Login(BastionInstance bastion, IPEndPoint address, Func<CancellationToken, Task<RouteChannel>>? carrier)
    {
        var user = BastionChoice.SshUser(bastion, settings.BastionUser);
        var environment = request.Settings.Environment;
        var identity = new SshIdentity(
            settings.Identity, environment,
            (line, token) => PushSshKey.PushAsync(request.Access, bastion.Id, bastion.AvailabilityZone, user, line, token),
            request.AskPassphrase);
        return new SshLogin(
            bastion.Id, address, user, identity, KnownHosts.Of(environment),
            (key, file) => request.Tell(
                "host_key_learned",
                file.Length > 0 ? $"Learned the host key of {bastion.Id}: {key} (remembered in {file})" : $"The host key of {bastion.Id} is new: {key} (it cannot be remembered)",
                ("bastion", bastion.Id), ("address", address.ToString()), ("host_key", key), ("file", file)),
            request.Time, carrier);
    }
}
