namespace Fumidai.Lab;

/// <summary>
/// IAM as far as bastions' roles and callers' policies need it (aws-facts §1.19). Lab only: it answers a signature of any of its regions, since the
/// AWS CLI signs with the configured one when an endpoint is given.
/// </summary>
internal sealed class IamService(LabContext context) : IAwsService
{
    public string SigningName => "iam";
    public AwsProtocol Protocol => AwsProtocol.Query;
    public string TargetPrefixOrVersion => "2010-05-08";

    private readonly RoleLifeCalls _life = new(context);

    private static readonly AwsAnswer s_done = new XmlText().ToAnswer();

    public ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken)
    {
        var form = QueryForm.Of(call, Protocol);
        if (call.Operation == "SimulatePrincipalPolicy")
            return ValueTask.FromResult(PolicySimulation.Answer(context, call, form));
        Func<LabModel, AwsAnswer> answer = call.Operation switch
        {
            "GetInstanceProfile" => m => new XmlText().Group("InstanceProfile", x => WriteProfile(x, m, Profile(m, call, form))).ToAnswer(),
            "AddRoleToInstanceProfile" => m => AddRole(m, call, form),
            "RemoveRoleFromInstanceProfile" => m => RemoveRole(m, call, form),
            "GetRole" => m => new XmlText().Group("Role", x => WriteRole(x, Role(m, call, form))).ToAnswer(),
            "GetUser" => m => new XmlText().Group("User", x => WriteUser(x, form.Text("UserName") is null ? Self(m, call) : User(m, call, form))).ToAnswer(),
            "ListAttachedRolePolicies" => m => Attached(Role(m, call, form).AttachedPolicyArns),
            "ListAttachedUserPolicies" => m => Attached(User(m, call, form).AttachedPolicyArns),
            "AttachRolePolicy" => m => Attach(Role(m, call, form).AttachedPolicyArns, form),
            "DetachRolePolicy" => m => Detach(Role(m, call, form).AttachedPolicyArns, form),
            "AttachUserPolicy" => m => Attach(User(m, call, form).AttachedPolicyArns, form),
            "DetachUserPolicy" => m => Detach(User(m, call, form).AttachedPolicyArns, form),
            "ListRolePolicies" => m => Names(Role(m, call, form).InlinePolicies),
            "ListUserPolicies" => m => Names(User(m, call, form).InlinePolicies),
            "PutRolePolicy" => m => Put(Role(m, call, form).InlinePolicies, form),
            "PutUserPolicy" => m => Put(User(m, call, form).InlinePolicies, form),
            "GetRolePolicy" => m => Get(Role(m, call, form).InlinePolicies, form, "RoleName", "role"),
            "GetUserPolicy" => m => Get(User(m, call, form).InlinePolicies, form, "UserName", "user"),
            "DeleteRolePolicy" => m => Delete(Role(m, call, form).InlinePolicies, form, "role"),
            "CreateRole" => m => _life.CreateRole(m, call, form),
            "DeleteRole" => m => RoleLifeCalls.DeleteRole(m, Role(m, call, form)),
            "UpdateRole" => m => RoleLifeCalls.UpdateRole(Role(m, call, form), form),
            "UpdateAssumeRolePolicy" => m => RoleLifeCalls.UpdateTrust(Role(m, call, form), form),
            "TagRole" => m => RoleLifeCalls.Tag(Role(m, call, form), form),
            "UntagRole" => m => RoleLifeCalls.Untag(Role(m, call, form), form),
            "ListRoleTags" => m => RoleLifeCalls.ListTags(Role(m, call, form)),
            "ListRoles" => m => RoleLifeCalls.List("Roles", form, m.Roles.Values.Where(r => r.Account == call.Caller.Account), r => r.Path, WriteRole),
            "CreateInstanceProfile" => m => _life.CreateProfile(m, call, form, WriteProfile),
            "DeleteInstanceProfile" => m => RoleLifeCalls.DeleteProfile(m, Profile(m, call, form)),
            "ListInstanceProfiles" => m => RoleLifeCalls.List("InstanceProfiles", form, m.InstanceProfiles.Values.Where(p => p.Account == call.Caller.Account), p => p.Path, (x, p) => WriteProfile(x, m, p)),
            "ListInstanceProfilesForRole" => m => Role(m, call, form) is var role
                ? RoleLifeCalls.List("InstanceProfiles", form, m.InstanceProfiles.Values.Where(p => p.Account == role.Account && p.RoleName == role.Name), p => p.Path, (x, p) => WriteProfile(x, m, p))
                : s_done,
            "DeleteUserPolicy" => m => Delete(User(m, call, form).InlinePolicies, form, "user"),
            _ => throw ApiDispatch.UnknownOperation(this, call),
        };
        var isQuestion = call.Operation.StartsWith("Get", StringComparison.Ordinal) || call.Operation.StartsWith("List", StringComparison.Ordinal);
        return ValueTask.FromResult(isQuestion ? context.Model.Read(answer) : context.Model.Change(answer));
    }

    public IReadOnlyList<PolicyResource> ResourcesOf(AwsCall call)
    {
        string Arn(string kind, string name) => $"arn:aws:iam::{call.Caller.Account}:{kind}/{name}";
        var form = call.Form!;
        if (form.GetValueOrDefault("InstanceProfileName") is { } profile)
            return [new PolicyResource(Arn("instance-profile", profile))];
        if (form.GetValueOrDefault("RoleName") is { } role)
            return [new PolicyResource(Arn("role", role), form.GetValueOrDefault("PolicyArn") is { } policy ? new Dictionary<string, string> { ["iam:PolicyARN"] = policy } : null)];
        return form.GetValueOrDefault("UserName") is { } user ? [new PolicyResource(Arn("user", user))] : PolicyResource.Any;
    }

    private static AwsError NoSuch(string what) => new("NoSuchEntity", what, 404);

    private static Role Role(LabModel m, AwsCall call, QueryForm form) => form.Required("RoleName") is var name && m.FindRole(call.Caller.Account, name) is { } role
        ? role
        : throw NoSuch($"The role with name {name} cannot be found.");

    private static User User(LabModel m, AwsCall call, QueryForm form) => form.Required("UserName") is var name && m.Users.TryGetValue(LabModel.Key(call.Caller.Account, name), out var user)
        ? user
        : throw NoSuch($"The user with name {name} cannot be found.");

    private static User Self(LabModel m, AwsCall call) => m.Users.Values.FirstOrDefault(u => u.Id == call.Caller.UserId)
        ?? throw new AwsError("ValidationError", "Must specify userName when calling with non-User credentials");

    private static InstanceProfile Profile(LabModel m, AwsCall call, QueryForm form)
    {
        var name = form.Required("InstanceProfileName");
        return m.InstanceProfiles.Values.FirstOrDefault(p => p.Account == call.Caller.Account && p.Name == name) ?? throw NoSuch($"Instance Profile {name} cannot be found.");
    }

    private static AwsAnswer AddRole(LabModel m, AwsCall call, QueryForm form)
    {
        var profile = Profile(m, call, form);
        var role = Role(m, call, form);
        if (profile.RoleName is not null)
            throw new AwsError("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", 409);
        profile.RoleName = role.Name;
        return s_done;
    }

    private static AwsAnswer RemoveRole(LabModel m, AwsCall call, QueryForm form)
    {
        var profile = Profile(m, call, form);
        var name = form.Required("RoleName");
        if (profile.RoleName != name)
            throw NoSuch($"The role with name {name} cannot be found.");
        profile.RoleName = null;
        return s_done;
    }

    private static AwsAnswer Attached(List<string> arns) => new XmlText().Element("IsTruncated", false)
        .List("AttachedPolicies", "member", arns, (x, arn) => x.Element("PolicyName", arn.Split('/')[^1]).Element("PolicyArn", arn)).ToAnswer();

    private static AwsAnswer Attach(List<string> arns, QueryForm form)
    {
        var arn = form.Required("PolicyArn");
        if (ManagedPolicies.Find(arn) is null)
            throw NoSuch($"Policy {arn} does not exist or is not attachable.");
        if (!arns.Contains(arn))
            arns.Add(arn);
        return s_done;
    }

    private static AwsAnswer Detach(List<string> arns, QueryForm form)
    {
        var arn = form.Required("PolicyArn");
        if (!arns.Remove(arn))
            throw NoSuch($"Policy {arn} was not found.");
        return s_done;
    }

    private static AwsAnswer Names(Dictionary<string, string> policies) => new XmlText().Element("IsTruncated", false).Texts("PolicyNames", "member", policies.Keys).ToAnswer();

    private static AwsAnswer Put(Dictionary<string, string> policies, QueryForm form)
    {
        var name = form.Required("PolicyName");
        var document = form.Required("PolicyDocument");
        if (PolicyDocument.Parse(document).Statements.Any(s => s.Principals is not null))
            throw new AwsError("MalformedPolicyDocument", "Policy document should not specify a principal.");
        policies[name] = document;
        return s_done;
    }

    private static AwsAnswer Get(Dictionary<string, string> policies, QueryForm form, string ownerElement, string kind)
    {
        var name = form.Required("PolicyName");
        if (!policies.TryGetValue(name, out var document))
            throw NoSuch($"The {kind} policy with name {name} cannot be found.");
        // URL-encoded JSON (aws-facts §1.25).
        return new XmlText().Element(ownerElement, form.Text(ownerElement)).Element("PolicyName", name).Element("PolicyDocument", Uri.EscapeDataString(document)).ToAnswer();
    }

    private static AwsAnswer Delete(Dictionary<string, string> policies, QueryForm form, string kind)
    {
        var name = form.Required("PolicyName");
        return policies.Remove(name) ? s_done : throw NoSuch($"The {kind} policy with name {name} cannot be found.");
    }

    public IReadOnlyList<(string Action, PolicyResource Resource)> AlsoDemanded(AwsCall call)
    {
        var form = QueryForm.Of(call, Protocol);
        if (call.Operation == "AddRoleToInstanceProfile" && form.Text("RoleName") is { } name && context.Model.Read(m => m.FindRole(call.Caller.Account, name)) is { } role)
            return [("iam:PassRole", new(RoleLifeCalls.ArnOf(role), new Dictionary<string, string> { ["iam:PassedToService"] = "ec2.amazonaws.com" }))];
        return call.Operation == "CreateRole" && form.Has("Tags.member") ? [.. ResourcesOf(call).Select(r => ("iam:TagRole", r))] : [];
    }

    private static void WriteProfile(XmlText x, LabModel m, InstanceProfile profile) => x
        .Element("Path", profile.Path).Element("InstanceProfileName", profile.Name).Element("InstanceProfileId", profile.Id).Element("Arn", profile.Arn).Element("CreateDate", profile.CreatedAt)
        .List("Roles", "member", profile.RoleName is { } name && m.FindRole(profile.Account, name) is { } role ? [role] : Array.Empty<Role>(), WriteRole);

    private static void WriteRole(XmlText x, Role role) => x
        .Element("Path", role.Path).Element("RoleName", role.Name).Element("RoleId", role.Id).Element("Arn", RoleLifeCalls.ArnOf(role)).Element("Description", role.Description)
        .Element("CreateDate", role.CreatedAt).Element("AssumeRolePolicyDocument", Uri.EscapeDataString(role.TrustPolicy)).Element("MaxSessionDuration", role.MaxSessionSeconds)
        .List("Tags", "member", role.Tags, (t, tag) => t.Element("Key", tag.Key).Element("Value", tag.Value));

    private static void WriteUser(XmlText x, User user) => x
        .Element("Path", "/").Element("UserName", user.Name).Element("UserId", user.Id).Element("Arn", $"arn:aws:iam::{user.Account}:user/{user.Name}").Element("CreateDate", DateTimeOffset.UnixEpoch);
}
