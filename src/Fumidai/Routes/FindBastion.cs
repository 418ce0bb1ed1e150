using System.Globalization;
using System.Net;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Asks AWS for the bastions of a tunnel: the one named, else those of the target's VPC.</summary>
internal sealed class FindBastion(TunnelRequest request, TunnelSettings settings)
{
    /// <summary>Of those that fit, the preferred first.</summary>
    /// <exception cref="AwsFailure">Not found, not allowed.</exception>
    internal async Task<(IReadOnlyList<BastionInstance> Candidates, string Where, bool OnlyOne)> CandidatesAsync(CancellationToken cancellationToken)
    {
        var access = request.Access;
        if (settings.Bastion is { } named)
        {
            if (!named.StartsWith("tag:", StringComparison.Ordinal))
                return ([await FindBastions.GetAsync(access, named, cancellationToken).ConfigureAwait(false)], named, false);
            var equals = named.IndexOf('=', StringComparison.Ordinal);
            var tagged = await FindBastions.ByTagAsync(access, named[4..equals], named[(equals + 1)..], cancellationToken).ConfigureAwait(false);
            return tagged.Count > 0
                ? (tagged, named, false)
                : throw new FumidaiException(Reason.NotFound, $"no instance in {access.Region} has {named}", null, "Check the tag, or name an instance: --bastion i-…");
        }
        var vpc = request.Target.Database?.VpcId;
        var found = await FindBastions.ListAsync(access, vpc, cancellationToken).ConfigureAwait(false);
        return (found, vpc ?? access.Region, vpc is null);
    }

    /// <summary>Running and Online: a stopped one that is ours is started first.</summary>
    internal Task<BastionInstance> OnlineAsync(BastionInstance bastion, CancellationToken cancellationToken) =>
        bastion.IsOnline ? Task.FromResult(bastion) : StartAsync(bastion, untilOnline: true, cancellationToken);

    /// <summary>Running: a stopped one that is ours is started first; its sshd may take a little longer.</summary>
    internal async Task<(BastionInstance Bastion, bool WasStarted)> RunningAsync(BastionInstance bastion, CancellationToken cancellationToken) =>
        bastion.State == "running" ? (bastion, false) : (await StartAsync(bastion, untilOnline: false, cancellationToken).ConfigureAwait(false), true);

    private async Task<BastionInstance> StartAsync(BastionInstance bastion, bool untilOnline, CancellationToken cancellationToken)
    {
        var states = new Said(state => request.Tell("starting", $"Starting {bastion.Id}: {state}", ("bastion", bastion.Id), ("state", state)));
        try
        {
            var started = await FindBastions.StartAsync(request.Access, bastion.Id, untilOnline, states, cancellationToken).ConfigureAwait(false);
            request.Tell("bastion_started", $"Started {bastion.Id}", ("bastion", bastion.Id));
            return started;
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot start {bastion.Id} for {request.Target.Name}", Reason.NoRoute);
        }
    }

    /// <summary>Whether its sshd's port is open to one's own address; who may not look finds out by connecting.</summary>
    /// <exception cref="FumidaiException">It is not.</exception>
    internal async Task RefuseShutAsync(BastionInstance bastion, CancellationToken cancellationToken)
    {
        var own = await ReachableRoutes.OwnAddressAsync(request.Access, request.Settings, cancellationToken).ConfigureAwait(false);
        if (own is null)
            return;
        try
        {
            foreach (var port in BastionChoice.GuardedSshPorts(bastion, settings.BastionPort))
            {
                if (await ReadSecurityGroups.AdmitAsync(request.Access, bastion.SecurityGroupIds, port, own, [], cancellationToken).ConfigureAwait(false))
                    return;
            }
        }
        catch (AwsFailure e) when (e.Kind == AwsFailureKind.Permission)
        {
            return;
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot find a bastion for {request.Target.Name}", Reason.NoRoute);
        }
        if (request.Admit is not { } admit || !await admit(bastion, own, cancellationToken).ConfigureAwait(false))
            throw Shut(bastion, own);
    }

    /// <summary>Whether groups admit a source; null: not allowed to look.</summary>
    internal async Task<bool?> AdmitAsync(IReadOnlyList<string> groups, int port, IPAddress? source, IReadOnlyList<string> sourceGroups, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadSecurityGroups.AdmitAsync(request.Access, groups, port, source, sourceGroups, cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure)
        {
            return null;
        }
    }

    private FumidaiException Shut(BastionInstance bastion, IPAddress own)
    {
        var port = BastionChoice.SshPort(bastion, settings.BastionPort);
        var group = bastion.SecurityGroupIds.Count > 0 ? bastion.SecurityGroupIds[0] : "sg-…";
        return new FumidaiException(
            Reason.NoRoute,
            string.Create(CultureInfo.InvariantCulture, $"{bastion.Id} does not let {own} in on port {port}"),
            "no rule of its security groups admits this address",
            string.Create(CultureInfo.InvariantCulture, $"Allow it: aws ec2 authorize-security-group-ingress --group-id {group} --protocol tcp --port {port} --cidr {own}/{(own.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? 128 : 32)}"));
    }

    /// <summary>Like <see cref="Progress{T}"/>, but in order and on the caller's thread.</summary>
    private sealed class Said(Action<string> say) : IProgress<string>
    {
        public void Report(string value) => say(value);
    }
}
