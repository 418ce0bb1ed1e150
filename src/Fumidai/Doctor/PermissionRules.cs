namespace Fumidai;

/// <summary>What the caller may do, as IAM's own simulation answers (rows 4, 5; §2.5).</summary>
internal static class PermissionRules
{
    internal static readonly Rule[] All =
    [
        Of("may-not-start-session", "ssm:StartSession", v => v.IsSsm),
        Of("may-not-open-channel", "ssmmessages:OpenDataChannel", v => v.IsSsm),
        Of("may-not-push-key", "ec2-instance-connect:SendSSHPublicKey", v => v.Route != "ssm" && v.Settings.Identity is null),
    ];

    private static Rule Of(string name, string action, Func<PathView, bool> applies) => new(name, Hop.Permission, v => applies(v) && v.Topology.CallerActions.TryGetValue(action, out var isAllowed) && !isAllowed
        ? new(name, Hop.Permission, $"you may not call {action}", $"iam:SimulatePrincipalPolicy denies it to {v.Topology.Caller?.Arn}{(v.Bastion is { } b ? $" on {b.Id}" : "")}",
            Fixes.Sentence(action.StartsWith("ssm", StringComparison.Ordinal) ? $"fumidai policy --for connect prints a policy that allows it; attach it to {v.Topology.Caller?.Arn}" : $"allow {action} on the bastion, or use a key of your own with --identity"), Reason.AwsAccess)
        : null);
}
