using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Asks AWS for the bastion of a tunnel: the one named, else one of the target's VPC.</summary>
internal sealed class FindBastion(TunnelRequest request, TunnelSettings settings)
{
    /// <summary>Running and Online; a stopped one that is ours is started first.</summary>
    internal async Task<BastionInstance> ForSsmAsync(CancellationToken cancellationToken)
    {
        try
        {
            var (candidates, where, onlyOne) = await CandidatesAsync(cancellationToken).ConfigureAwait(false);
            var named = settings.Bastion is not null && candidates.Count == 1;
            if (named && !candidates[0].IsOnline && !(candidates[0].State == "stopped" && BastionChoice.MayBeStarted(candidates[0])))
                throw BastionChoice.NotOnline(candidates[0]);
            var bastion = BastionChoice.ForSsm(candidates, where, onlyOne);
            return bastion.IsOnline ? bastion : await StartAsync(bastion, cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot find a bastion for {request.Target.Name}", Reason.NoRoute);
        }
    }

    /// <summary>Running, with a public address, its sshd's port open to us.</summary>
    internal async Task<BastionInstance> ForSshAsync(CancellationToken cancellationToken)
    {
        try
        {
            var (candidates, where, onlyOne) = await CandidatesAsync(cancellationToken).ConfigureAwait(false);
            var reachable = BastionChoice.ForSsh(candidates, where);
            var own = await ReachableRoutes.OwnAddressAsync(request.Access, request.Settings, cancellationToken).ConfigureAwait(false);
            var open = new List<BastionInstance>();
            foreach (var bastion in reachable)
            {
                if (own is null || await AdmitsAsync(bastion, own, cancellationToken).ConfigureAwait(false))
                    open.Add(bastion);
            }
            if (open.Count > 1 && onlyOne)
                throw new FumidaiException(Reason.Usage, $"several bastions can be reached in {where}", string.Join(", ", open.Take(10).Select(b => b.Id)), "Name one with --bastion");
            if (open.Count > 0)
                return open[0];
            if (request.Admit is { } admit && await admit(reachable[0], own!, cancellationToken).ConfigureAwait(false))
                return reachable[0];
            throw Shut(reachable[0], own!);
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot find a bastion for {request.Target.Name}", Reason.NoRoute);
        }
    }

    private FumidaiException Shut(BastionInstance bastion, System.Net.IPAddress own)
    {
        var port = BastionChoice.SshPort(bastion, settings.BastionPort);
        var group = bastion.SecurityGroupIds.Count > 0 ? bastion.SecurityGroupIds[0] : "sg-…";
        return new FumidaiException(
            Reason.NoRoute,
            string.Create(CultureInfo.InvariantCulture, $"{bastion.Id} does not let {own} in on port {port}"),
            "no rule of its security groups admits this address",
            string.Create(CultureInfo.InvariantCulture, $"Allow it: aws ec2 authorize-security-group-ingress --group-id {group} --protocol tcp --port {port} --cidr {own}/{(own.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? 128 : 32)}"));
    }

    private async Task<bool> AdmitsAsync(BastionInstance bastion, System.Net.IPAddress own, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var port in BastionChoice.GuardedSshPorts(bastion, settings.BastionPort))
            {
                if (await ReadSecurityGroups.AdmitAsync(request.Access, bastion.SecurityGroupIds, port, own, [], cancellationToken).ConfigureAwait(false))
                    return true;
            }
            return false;
        }
        catch (AwsFailure e) when (e.Kind == AwsFailureKind.Permission)
        {
            return true; // not allowed to look: the connection itself will tell
        }
    }

    private async Task<(IReadOnlyList<BastionInstance> Candidates, string Where, bool OnlyOne)> CandidatesAsync(CancellationToken cancellationToken)
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

    private async Task<BastionInstance> StartAsync(BastionInstance bastion, CancellationToken cancellationToken)
    {
        var states = new Said(state => request.Tell("starting", $"Starting {bastion.Id}: {state}", ("bastion", bastion.Id), ("state", state)));
        var started = await FindBastions.StartAsync(request.Access, bastion.Id, untilOnline: true, states, cancellationToken).ConfigureAwait(false);
        request.Tell("bastion_started", $"Started {bastion.Id}", ("bastion", bastion.Id));
        return started;
    }

    /// <summary>Like <see cref="Progress{T}"/>, but in order and on the caller's thread.</summary>
    private sealed class Said(Action<string> say) : IProgress<string>
    {
        public void Report(string value) => say(value);
    }
}
