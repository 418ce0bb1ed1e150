namespace Fumidai;

/// <summary>One way in which a path breaks. A rule is a pure function of what was read: it asks nothing, and what is not known is no fault.</summary>
/// <param name="Name">Its name, stable, in findings and docs/doctor.md.</param>
/// <param name="Hop">Where it looks.</param>
/// <param name="Check">The finding; null: nothing is wrong here.</param>
internal sealed record Rule(string Name, Hop Hop, Func<PathView, Finding?> Check)
{
    /// <summary>All rules, in the order of the hops.</summary>
    internal static readonly Rule[] All =
    [
        .. LaptopRules.All, .. PermissionRules.All, .. BastionRules.All, .. WayOutRules.All, .. DoorRules.All, .. AgentRules.All, .. NetworkRules.All, .. DatabaseRules.All, .. SignInRules.All,
    ];
}
