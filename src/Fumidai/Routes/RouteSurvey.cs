using Fumidai.Aws;

namespace Fumidai;

/// <summary>What AWS says of the ways to one target, asked anew each time a route is searched for: nothing is remembered.</summary>
internal sealed class RouteSurvey(TunnelRequest request, TunnelSettings settings, FindBastion find)
{
    /// <summary>The bastions that fit; where they were looked for; whether nothing says which of several is meant.</summary>
    internal IReadOnlyList<BastionInstance> Bastions { get; private set; } = [];

    internal string Where { get; private set; } = "";

    internal bool OnlyOne { get; private set; }

    /// <summary>Ranks them.</summary>
    /// <exception cref="FumidaiException">AWS refused to tell.</exception>
    internal async Task<RouteRanking> RankAsync(CancellationToken cancellationToken)
    {
        var forbidden = request.Settings.ForbiddenRoutes;
        var wantsEndpoint = settings.Via is "auto" or "eice" && !forbidden.Contains("eice");
        var endpoints = wantsEndpoint ? EndpointsAsync(cancellationToken) : Task.FromResult<(IReadOnlyList<ConnectEndpoint>, string?)>(([], null));
        try
        {
            (Bastions, Where, OnlyOne) = await find.CandidatesAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure e)
        {
            await ((Task)endpoints).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw e.ToFumidai($"cannot find a bastion for {request.Target.Name}", Reason.NoRoute);
        }
        var (found, why) = await endpoints.ConfigureAwait(false);
        var facts = new List<BastionFacts>();
        foreach (var bastion in BastionChoice.InOrder(Bastions).Take(MostBastions))
            facts.Add(await FactsAsync(bastion, FindConnectEndpoints.For(found, bastion), cancellationToken).ConfigureAwait(false));
        return new RouteRanking(facts, settings.Via, forbidden, why);
    }

    private async Task<BastionFacts> FactsAsync(BastionInstance bastion, ConnectEndpoint? endpoint, CancellationToken cancellationToken)
    {
        // One look at the target's groups tells which of several bastions it lets in; a single one is tried anyway.
        bool? reaches = Bastions.Count > 1 && request.Target.Database is { SecurityGroupIds.Count: > 0 } database && bastion.State == "running"
            ? await find.AdmitAsync(database.SecurityGroupIds, database.Port, bastion.PrivateAddress, bastion.SecurityGroupIds, cancellationToken).ConfigureAwait(false)
            : null;
        var admits = endpoint is { SecurityGroupIds.Count: > 0, PreservesClientAddress: false }
            ? await find.AdmitAsync(bastion.SecurityGroupIds, EicePort, null, endpoint.SecurityGroupIds, cancellationToken).ConfigureAwait(false)
            : null;
        return new BastionFacts(bastion) { Endpoint = endpoint, AdmitsEndpoint = admits, ReachesTarget = reaches };
    }

    private async Task<(IReadOnlyList<ConnectEndpoint> Endpoints, string? Why)> EndpointsAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await FindConnectEndpoints.ListAsync(request.Access, request.Target.Database?.VpcId, cancellationToken).ConfigureAwait(false), null);
        }
        catch (AwsFailure e)
        {
            return ([], e.Kind == AwsFailureKind.Permission ? $"not allowed to call {e.Operation}" : e.Message);
        }
    }

    /// <summary>The port the service takes; an instance whose sshd has another cannot be reached through an endpoint.</summary>
    internal const int EicePort = 22;

    /// <summary>Bastions looked at; a VPC may hold hundreds of instances.</summary>
    private const int MostBastions = 20;
}
