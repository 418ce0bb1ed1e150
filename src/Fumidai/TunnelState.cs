namespace Fumidai;

/// <summary>What can be said of a tunnel at a moment.</summary>
public enum TunnelState
{
    /// <summary>It serves.</summary>
    Open,
    /// <summary>Its route is lost and another is searched for; new connections wait.</summary>
    Reconnecting,
    /// <summary>It takes no new connections; those that are open may finish.</summary>
    Draining,
    /// <summary>It is lost for good, or was closed.</summary>
    Ended,
}
