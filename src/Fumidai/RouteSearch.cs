namespace Fumidai;

/// <summary>What the search for a route is for.</summary>
/// <param name="IsFirst">The tunnel is being opened: one after the other, each given its time, and the far end must answer.</param>
/// <param name="IsAwaited">Clients wait: a stopped bastion may be started for them.</param>
internal readonly record struct RouteSearch(bool IsFirst, bool IsAwaited);
