namespace Fumidai;

/// <summary>The instance to go through (rows 7, 9, 10, 11).</summary>
internal static class BastionRules
{
    internal static readonly Rule[] All =
    [
        new("bastion-missing", Hop.Bastion, v => v.Bastion is null && v.Topology.Knows(TopologyQuestions.Instances)
            ? new("bastion-missing", Hop.Bastion, "there is no bastion", v.Settings.Bastion is { } named ? $"no living instance is {named}" : $"{v.Topology.Vpc?.Id ?? v.Topology.Region} has no instance to go through",
                Fixes.Sentence(v.Settings.Bastion is not null ? "name another with --bastion" : $"fumidai up --cluster {v.Database?.Id ?? "new"}{(v.Topology.Vpc is { } vpc ? $" --vpc {vpc.Id}" : "")}"), v.Settings.Bastion is not null ? Reason.NotFound : Reason.NoRoute)
            : null),
        new("bastion-stopped", Hop.Bastion, v => v.Bastion is { State: "stopped" or "stopping" } b
            ? new("bastion-stopped", Hop.Bastion, "the bastion does not run", $"{b.Id} is {b.State}{(BastionChoice.StackTag is { } tag && b.Tags.ContainsKey(tag) ? "; connect and tunnel start it by themselves" : "")}", Fixes.Start(b))
            : null),
        new("bastion-starting", Hop.Bastion, v => v.Bastion is { State: "pending" } b
            ? new("bastion-starting", Hop.Bastion, "the bastion is starting", $"{b.Id} is pending", Fixes.Sentence("wait a minute and try again"))
            : null),
        new("metadata-off", Hop.Bastion, v => v.IsSsm && v.Bastion is { HasMetadata: false } b
            ? new("metadata-off", Hop.Bastion, "the bastion's metadata service is off", $"{b.Id} has HttpEndpoint disabled, so its agent gets no credentials", Fixes.Sentence($"aws ec2 modify-instance-metadata-options --instance-id {b.Id} --http-endpoint enabled --http-tokens required"))
            : null),
        new("profile-missing", Hop.Bastion, v => v.IsSsm && v.Bastion is { State: "running", ProfileArn: null } b && b.PingStatus != "Online"
            ? new("profile-missing", Hop.Bastion, "the bastion has no instance profile", $"{b.Id} runs without a role, so its agent cannot register", Fixes.Sentence(Profile(v, b)))
            : null),
        new("profile-gone", Hop.Bastion, v => v.IsSsm && v.Bastion?.ProfileArn is { } arn && v.Topology.Roles.TryGetValue(arn, out var role) && role is null
            ? new("profile-gone", Hop.Bastion, "the bastion's instance profile does not exist", $"{v.Bastion.Id} names {arn}", Fixes.Sentence($"aws iam create-instance-profile --instance-profile-name {arn[(arn.LastIndexOf('/') + 1)..]} && aws iam add-role-to-instance-profile --instance-profile-name {arn[(arn.LastIndexOf('/') + 1)..]} --role-name {arn[(arn.LastIndexOf('/') + 1)..]}"))
            : null),
        new("role-missing", Hop.Bastion, v => v.IsSsm && v.Role is { RoleName: null } role
            ? new("role-missing", Hop.Bastion, "the bastion's instance profile holds no role", $"instance profile {role.Name} of {v.Bastion!.Id} is empty", Fixes.Sentence($"aws iam add-role-to-instance-profile --instance-profile-name {role.Name} --role-name {role.Name}"))
            : null),
        new("role-too-narrow", Hop.Bastion, v =>
        {
            if (!v.IsSsm || v.Role is not { RoleArn: { } arn, RoleName: { } name } || !v.Topology.RoleActions.TryGetValue(arn, out var actions))
                return null;
            var lacking = TopologyQuestions.OfAgent.Where(a => actions.TryGetValue(a, out var isAllowed) && !isAllowed).ToList();
            return lacking.Count == 0 ? null : new("role-too-narrow", Hop.Bastion, "the bastion's role does not let its agent work", $"role {name} is denied {string.Join(", ", lacking)}",
                Fixes.Sentence($"aws iam attach-role-policy --role-name {name} --policy-arn arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"));
        }),
    ];

    // Another bastion's profile serves too; without one, all of it is made.
    private static string Profile(PathView v, Aws.InstanceFacts bastion)
    {
        var known = v.Topology.Roles.Values.FirstOrDefault(r => r?.RoleArn is { } arn && v.Topology.RoleActions.TryGetValue(arn, out var may) && TopologyQuestions.OfAgent.All(a => may.GetValueOrDefault(a)));
        var name = known?.Name ?? "session-manager-bastion";
        var make = known is not null ? "" : $"aws iam create-role --role-name {name} --assume-role-policy-document '{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"ec2.amazonaws.com\"}},\"Action\":\"sts:AssumeRole\"}}]}}'"
            + $" && aws iam attach-role-policy --role-name {name} --policy-arn arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore && aws iam create-instance-profile --instance-profile-name {name} && aws iam add-role-to-instance-profile --instance-profile-name {name} --role-name {name} && ";
        return $"{make}aws ec2 associate-iam-instance-profile --instance-id {bastion.Id} --iam-instance-profile Name={name}";
    }
}
