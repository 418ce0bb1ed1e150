namespace Fumidai;

/// <summary>Something a user may want to see happen. Documented for <c>--json</c> in docs/events.md.</summary>
/// <param name="Kind">starting, bastion_started, session_open, host_key_learned, ready, channel_refused, channel_lost, degraded, reconnected, switched, limit_near, renewed, draining, closing.</param>
/// <param name="Text">One line for people.</param>
/// <param name="Fields">Machine-readable members, lower_snake_case.</param>
public sealed record TunnelEvent(string Kind, string Text, IReadOnlyDictionary<string, string> Fields);
