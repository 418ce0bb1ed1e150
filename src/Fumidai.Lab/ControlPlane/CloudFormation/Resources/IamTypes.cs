namespace Fumidai.Lab;

/// <summary>AWS::IAM::Role. Ref gives its name.</summary>
internal sealed class RoleType() : ResourceType("AWS::IAM::Role",
    "^RoleName ^Path AssumeRolePolicyDocument.*! ManagedPolicyArns Policies.PolicyName Policies.PolicyDocument.* Description MaxSessionDuration Tags.Key Tags.Value", "Arn RoleId")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        var name = work.Text("RoleName") ?? work.Name(64);
        await work.CallAsync("iam", "CreateRole",
        [
            ("RoleName", name), ("Path", work.Text("Path")), ("AssumeRolePolicyDocument", work.Properties["AssumeRolePolicyDocument"]!.ToJson()), ("Description", work.Text("Description")),
            ("MaxSessionDuration", work.Text("MaxSessionDuration")), .. work.TagMembers(),
        ]).ConfigureAwait(false);
        work.Made(name);
        foreach (var arn in work.Texts("ManagedPolicyArns"))
            await work.CallAsync("iam", "AttachRolePolicy", ("RoleName", name), ("PolicyArn", arn)).ConfigureAwait(false);
        foreach (var (policy, document) in Inline(work.Properties))
            await work.CallAsync("iam", "PutRolePolicy", ("RoleName", name), ("PolicyName", policy), ("PolicyDocument", document)).ConfigureAwait(false);
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        var role = ("RoleName", (string?)work.PhysicalId);
        if (changed.Contains("AssumeRolePolicyDocument"))
            await work.CallAsync("iam", "UpdateAssumeRolePolicy", role, ("PolicyDocument", work.Properties["AssumeRolePolicyDocument"]!.ToJson())).ConfigureAwait(false);
        if (changed.Contains("Description") || changed.Contains("MaxSessionDuration"))
            await work.CallAsync("iam", "UpdateRole", role, ("Description", work.Text("Description") ?? ""), ("MaxSessionDuration", work.Text("MaxSessionDuration"))).ConfigureAwait(false);
        var old = before["ManagedPolicyArns"]?.Items.Select(i => i.Value ?? "").ToList() ?? [];
        foreach (var arn in old.Except(work.Texts("ManagedPolicyArns")))
            await work.RemoveAsync("iam", "DetachRolePolicy", role, ("PolicyArn", arn)).ConfigureAwait(false);
        foreach (var arn in work.Texts("ManagedPolicyArns").Except(old))
            await work.CallAsync("iam", "AttachRolePolicy", role, ("PolicyArn", arn)).ConfigureAwait(false);
        var wanted = Inline(work.Properties).ToList();
        foreach (var (policy, _) in Inline(before).Where(b => wanted.All(w => w.Name != b.Name)))
            await work.RemoveAsync("iam", "DeleteRolePolicy", role, ("PolicyName", policy)).ConfigureAwait(false);
        if (changed.Contains("Policies"))
        {
            foreach (var (policy, document) in wanted)
                await work.CallAsync("iam", "PutRolePolicy", role, ("PolicyName", policy), ("PolicyDocument", document)).ConfigureAwait(false);
        }
        if (!changed.Contains("Tags"))
            return;
        if (work.Resource.Tags.Keys.Except(work.Tags.Keys).ToList() is { Count: > 0 } gone)
            await work.CallAsync("iam", "UntagRole", [role, .. ResourceWork.Numbered("TagKeys.member", gone)]).ConfigureAwait(false);
        await work.CallAsync("iam", "TagRole", [role, .. work.TagMembers()]).ConfigureAwait(false);
    }

    public override async Task DeleteAsync(ResourceWork work)
    {
        var role = ("RoleName", (string?)work.PhysicalId);
        // The handler empties it first, of what others put in too (only of attached policies that are its own, on AWS as here).
        foreach (var arn in work.Texts("ManagedPolicyArns"))
            await work.RemoveAsync("iam", "DetachRolePolicy", role, ("PolicyArn", arn)).ConfigureAwait(false);
        foreach (var (policy, _) in Inline(work.Properties))
            await work.RemoveAsync("iam", "DeleteRolePolicy", role, ("PolicyName", policy)).ConfigureAwait(false);
        await work.RemoveAsync("iam", "DeleteRole", role).ConfigureAwait(false);
    }

    public override Resource? Find(LabModel m, StackResource resource) => m.Stacks.Values.FirstOrDefault(s => s.Resources.ContainsValue(resource)) is { } stack ? m.FindRole(stack.Account, resource.PhysicalId ?? "") : null;

    public override string? Attribute(LabModel m, StackResource resource, string name) => Find(m, resource) is not Role role ? null : name == "Arn" ? RoleLifeCalls.ArnOf(role) : role.Id;

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is Role role
        ? [("RoleName", Of(role.Name)), ("Path", Of(role.Path)), ("ManagedPolicyArns", Of(role.AttachedPolicyArns)), ("Description", role.Description is { } text ? Of(text) : null)]
        : [];

    private static IEnumerable<(string Name, string Document)> Inline(TemplateNode.Map properties) =>
        properties["Policies"]?.Items.Select(p => (p.Member("PolicyName")?.Value ?? "", p.Member("PolicyDocument")?.ToJson() ?? "{}")) ?? [];
}

/// <summary>AWS::IAM::InstanceProfile. Ref gives its name.</summary>
internal sealed class InstanceProfileType() : ResourceType("AWS::IAM::InstanceProfile", "^InstanceProfileName ^Path Roles!", "Arn")
{
    public override async Task CreateAsync(ResourceWork work)
    {
        var name = work.Text("InstanceProfileName") ?? work.Name(128);
        await work.CallAsync("iam", "CreateInstanceProfile", ("InstanceProfileName", name), ("Path", work.Text("Path"))).ConfigureAwait(false);
        work.Made(name);
        foreach (var role in work.Texts("Roles"))
            await work.CallAsync("iam", "AddRoleToInstanceProfile", ("InstanceProfileName", name), ("RoleName", role)).ConfigureAwait(false);
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        foreach (var role in before["Roles"]?.Items.Select(r => r.Value ?? "") ?? [])
            await work.RemoveAsync("iam", "RemoveRoleFromInstanceProfile", ("InstanceProfileName", work.PhysicalId), ("RoleName", role)).ConfigureAwait(false);
        foreach (var role in work.Texts("Roles"))
            await work.CallAsync("iam", "AddRoleToInstanceProfile", ("InstanceProfileName", work.PhysicalId), ("RoleName", role)).ConfigureAwait(false);
    }

    public override async Task DeleteAsync(ResourceWork work)
    {
        foreach (var role in work.Texts("Roles"))
            await work.RemoveAsync("iam", "RemoveRoleFromInstanceProfile", ("InstanceProfileName", work.PhysicalId), ("RoleName", role)).ConfigureAwait(false);
        await work.RemoveAsync("iam", "DeleteInstanceProfile", ("InstanceProfileName", work.PhysicalId)).ConfigureAwait(false);
    }

    public override Resource? Find(LabModel m, StackResource resource) =>
        m.Stacks.Values.FirstOrDefault(s => s.Resources.ContainsValue(resource)) is { } stack ? m.InstanceProfiles.Values.FirstOrDefault(p => p.Account == stack.Account && p.Name == resource.PhysicalId) : null;

    public override string? Attribute(LabModel m, StackResource resource, string name) => (Find(m, resource) as InstanceProfile)?.Arn;

    protected override IEnumerable<(string, TemplateNode?)> Properties(LabModel m, Resource found) => found is InstanceProfile profile
        ? [("InstanceProfileName", Of(profile.Name)), ("Roles", Of(profile.RoleName is { } role ? [role] : []))]
        : [];
}

/// <summary>AWS::IAM::Policy: an inline policy of roles and users.</summary>
internal sealed class InlinePolicyType() : ResourceType("AWS::IAM::Policy", "^PolicyName! PolicyDocument.*! Roles Users", "Id")
{
    public override bool KnowsDrift => false;

    public override async Task CreateAsync(ResourceWork work)
    {
        await PutAsync(work).ConfigureAwait(false);
        work.Made(work.Name(64));
    }

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        foreach (var (kind, list) in s_kinds)
        {
            foreach (var owner in (before[list]?.Items.Select(i => i.Value ?? "") ?? []).Except(work.Texts(list)))
                await work.RemoveAsync("iam", $"Delete{kind}Policy", ($"{kind}Name", owner), ("PolicyName", work.Text("PolicyName"))).ConfigureAwait(false);
        }
        await PutAsync(work).ConfigureAwait(false);
    }

    public override async Task DeleteAsync(ResourceWork work)
    {
        foreach (var (kind, list) in s_kinds)
        {
            foreach (var owner in work.Texts(list))
                await work.RemoveAsync("iam", $"Delete{kind}Policy", ($"{kind}Name", owner), ("PolicyName", work.Text("PolicyName"))).ConfigureAwait(false);
        }
    }

    private static readonly (string Kind, string List)[] s_kinds = [("Role", "Roles"), ("User", "Users")];

    private static async Task PutAsync(ResourceWork work)
    {
        if (work.Texts("Roles").Count + work.Texts("Users").Count == 0)
            throw Template.Wrong("At least one of [Groups,Roles,Users] must be non-empty.");
        foreach (var (kind, list) in s_kinds)
        {
            foreach (var owner in work.Texts(list))
                await work.CallAsync("iam", $"Put{kind}Policy", ($"{kind}Name", owner), ("PolicyName", work.Text("PolicyName")), ("PolicyDocument", work.Properties["PolicyDocument"]!.ToJson())).ConfigureAwait(false);
        }
    }
}
